/** An address cannot be read. `problems` say why, one a line, and never repeat a part of it that may be secret. */
export class AddressError extends Error {
  override name = 'AddressError' as const;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}
