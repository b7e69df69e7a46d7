/** The Redis behind the queue may forget what it acknowledged; the message says why and which settings heal it. */
export class VolatileQueueError extends Error {
  override name = 'VolatileQueueError' as const;
  /** One, which is the message. */
  readonly problems: readonly string[];

  constructor(server: string, findings: readonly string[]) {
    super(
      `Redis at ${server} may lose deliveries that were acknowledged: ${findings.join('; ')}. ` +
        'Heal it with CONFIG SET appendonly yes and CONFIG SET maxmemory-policy noeviction ' +
        '(then CONFIG REWRITE, so that a restart keeps them), or accept the loss with QUEUE_ALLOW_VOLATILE=1',
    );
    this.problems = [this.message];
  }
}

/** The server behind the queue gave no (good) answer; trying again later may work. */
export class QueueUnreachableError extends Error {
  override name = 'QueueUnreachableError' as const;

  constructor(server: string, cause: unknown) {
    super(`the queue at ${server} cannot be used: ${describeError(cause)}`, { cause });
  }
}

/** What lies in the queue can be read by a newer worker only; until one comes it stays, and is tried again. */
export class NewerEnvelopeError extends Error {
  override name = 'NewerEnvelopeError' as const;

  constructor(version: number, kind: string) {
    super(
      `what lies in the queue was written by a newer receiver (version ${version}, kind ${JSON.stringify(kind.slice(0, 40))}); update the worker`,
    );
  }
}

/** One line on an error; a refused connection has an empty message and only a code. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  return error.message || code || error.name;
}

/** The address leads to a server, but not to one on which, or not to the place in it where, a queue can be. Only a person can help. */
export class UnfitQueueError extends Error {
  override name = 'UnfitQueueError' as const;
  readonly problems: readonly string[];

  constructor(problem: string, cause?: unknown) {
    super(problem, { cause });
    this.problems = [problem];
  }
}
