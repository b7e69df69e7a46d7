/** A server that the command needs did not let us in. */
export class ServerUnreachableError extends Error {
  override name = 'ServerUnreachableError' as const;
}

/** The command was given something it cannot work with. */
export class UsageError extends Error {
  override name = 'UsageError' as const;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}
