/** A pooler stands before the database that loses what a session sets. The problem, which is the message, says what to do. */
export class PoolerError extends Error {
  override name = 'PoolerError' as const;
  readonly problems: readonly string[];

  constructor(problem: string) {
    super(problem);
    this.problems = [problem];
  }
}

/** The database and this version of procore-mirror, or this role, do not fit each other. The message says what to run. */
export class DatabaseVersionError extends Error {
  override name = 'DatabaseVersionError' as const;
}
