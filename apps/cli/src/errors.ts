/** A server that the command needs could not be reached, or did not let us in. */
export class ServerUnreachableError extends Error {
  override name = 'ServerUnreachableError' as const;
  /** What to do, where that is not to start the server or to correct its address. */
  readonly fix: string | undefined;

  constructor(message: string, options: ErrorOptions & { fix?: string } = {}) {
    super(message, options);
    this.fix = options.fix;
  }
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
