type Failure = { message: string; error: unknown };

/** Closes what was opened, last first, within a limit; knows who failed and who never came to an end. */
export type Shutdown = {
  /** Aborted when closing begins. */
  signal: AbortSignal;
  defer: (name: string, close: () => Promise<unknown> | unknown) => void;
  /** Gives this work, which sees `signal`, a moment to come to its end before things are closed under it. */
  waitFor: (work: Promise<unknown>) => void;
  /** Closes everything and returns what went wrong. Never rejects, and ends at the limit whatever hangs. */
  run: () => Promise<readonly Failure[]>;
};

// The start may take a fifth of the time to give up; nine tenths are for closing in order; if they are used up, the
// rest is for all that were kept waiting, together.
const SHARE_OF_START = 0.2;
const SHARE_IN_ORDER = 0.9;

export function createShutdown(limitMs: number): Shutdown {
  const controller = new AbortController();
  const stack: { name: string; close: () => Promise<unknown> | unknown }[] = [];
  let work: Promise<unknown> = Promise.resolve();

  async function closeAll(): Promise<readonly Failure[]> {
    const failures: Failure[] = [];
    const beganAt = performance.now();
    const left = (share: number) => Math.max(0, limitMs * share - (performance.now() - beganAt));
    const closing: { name: string; ended: Promise<void> }[] = [];
    await within(left(SHARE_OF_START), work);
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { name, close } = next;
      const ended = attempt(close).catch((error: unknown) => {
        failures.push({ message: `could not close ${name}`, error });
      });
      closing.push({ name, ended });
      await within(left(SHARE_IN_ORDER), ended);
    }
    for (const { name, ended } of closing) {
      if (await within(left(1), ended)) continue;
      failures.push({ message: `${name} did not close within ${limitMs} ms`, error: undefined });
    }
    return failures;
  }

  return {
    signal: controller.signal,
    defer: (name, close) => {
      stack.push({ name, close });
    },
    waitFor: (started) => {
      work = started.catch(() => {}); // its failure is for those who started it
    },
    run: async () => {
      controller.abort(new Error('the process is ending'));
      return await closeAll();
    },
  };
}

async function attempt(close: () => Promise<unknown> | unknown): Promise<void> {
  await close();
}

/** Whether the promise settled within this time. */
async function within(limitMs: number, promise: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, limitMs, false);
  });
  const settled = promise.then(
    () => true,
    () => true,
  );
  try {
    return await Promise.race([settled, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
