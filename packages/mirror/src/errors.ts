import { ProcoreFormatError } from '@procore-mirror/procore';

/** Entries of a catalogue are wrong. Each problem names the entry and its field. */
export class CatalogueError extends Error {
  override name = 'CatalogueError' as const;
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

/** Answers that are fine as far as they go, but prove nothing of what they lack. */
export class InDoubtError extends ProcoreFormatError {}

/** The scope is parked, and its next probe is too far away to wait for: nothing was asked. */
export class ScopeParkedError extends Error {
  override name = 'ScopeParkedError' as const;
}
