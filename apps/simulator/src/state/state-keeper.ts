import { setTimeout as sleep } from 'node:timers/promises';
import { type State, writeState } from './state-file.ts';

export type StateKeeper = {
  /** Something is another than when the state was last written. */
  note: () => void;
  /** Writes the state, and from now on again soon after something is noted. Rejects when it cannot be written. */
  start: (take: () => State) => Promise<void>;
  /** Writes it a last time. Rejects when it cannot be written. */
  close: () => Promise<void>;
};

const PAUSE_MS = 2000;
// A large state is written more rarely: that takes a twentieth of the time at most.
const PAUSE_PER_WRITE = 20;

type Options = {
  file: string;
  /** Told when the state could not be written while all goes on; it is tried again. */
  onError: (error: unknown) => void;
};

export function createStateKeeper({ file, onError }: Options): StateKeeper {
  const stop = new AbortController();
  let isNew = false;
  let keeping = Promise.resolve();
  let writeLast = (): Promise<unknown> => Promise.resolve();

  return {
    note: () => {
      isNew = true;
    },
    start: async (take) => {
      const firstTookMs = await write(take);
      keeping = keep(take, firstTookMs);
      writeLast = () => write(take);
    },
    close: async () => {
      stop.abort();
      await keeping;
      await writeLast();
    },
  };

  async function write(take: () => State): Promise<number> {
    const since = performance.now();
    isNew = false;
    await writeState(file, take());
    return performance.now() - since;
  }

  async function keep(take: () => State, firstTookMs: number): Promise<void> {
    for (let tookMs = firstTookMs; await passed(Math.max(PAUSE_MS, PAUSE_PER_WRITE * tookMs)); ) {
      if (!isNew) continue;
      try {
        tookMs = await write(take);
      } catch (error) {
        isNew = true;
        onError(error);
      }
    }
  }

  /** False when it is over. */
  function passed(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: stop.signal }).catch(() => false);
  }
}
