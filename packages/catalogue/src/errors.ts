/** Entries of a catalogue are wrong. Each problem names the entry and its field. */
export class CatalogueError extends Error {
  override name = 'CatalogueError' as const;
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}
