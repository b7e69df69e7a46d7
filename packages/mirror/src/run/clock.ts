// The time that loops live by: the machine's, or for whoever has a time of their own, theirs.
import { setTimeout as sleep } from 'node:timers/promises';

export type Clock = {
  /** The moment, as the machine knows it. */
  date: () => Date;
  /** ms since some moment, which never go back: for how long something takes. */
  now: () => number;
  /** Rejects when the signal is aborted first. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>;
};

export const realTime: Clock = {
  date: () => new Date(),
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, null, { signal }),
};
