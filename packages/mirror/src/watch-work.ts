// Watches what workers do for a command until it is done, or nobody does it.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, readWorkerAge } from '@procore-mirror/database';

const LOOK_EVERY_MS = 1_000;
const WITHOUT_WORKER_MS = 30_000;
const WITHOUT_DATABASE_MS = 30_000;

/** `gone`: some of what was asked for is there no more: its place was forgotten, the mirror emptied, or somebody asked anew. */
export type WorkEnd = 'done' | 'gone' | 'no worker' | 'told to end';

/** Where progress is shown. */
export type ProgressDisplay = {
  /** How wide the terminal is; null: there is none. */
  columns: () => number | null;
  /** On a terminal: the line that changes. */
  live: (line: string) => void;
  /** A line that stays. */
  note: (line: string) => void;
};

export type WatchOptions = {
  database: Database;
  signal: AbortSignal;
  /** So long a worker may be out of sight, ms; 30 s when not given. */
  withoutWorkerMs?: number;
};

/** Was a worker seen within the last 30 s? */
export async function isWorkerThere({ pool }: Database): Promise<boolean> {
  return ((await readWorkerAge(pool)) ?? Number.POSITIVE_INFINITY) < WITHOUT_WORKER_MS;
}

/** Reads how far the work is, and shows it, until it is over. Throws what Postgres says when it has been out of reach for 30 s. */
export async function watchWork<Progress>(
  { database, signal, withoutWorkerMs = WITHOUT_WORKER_MS }: WatchOptions,
  work: {
    read: () => Promise<Progress>;
    /** How many parts there are, and how many of them are over. */
    parts: (progress: Progress) => { all: number; over: number };
    show: (progress: Progress) => void;
    /** How many parts were asked for at least. */
    atLeast: number;
  },
): Promise<{ end: WorkEnd; progress: Progress }> {
  let lastAt = performance.now();
  let workerAt = lastAt;
  let most = work.atLeast;
  for (;;) {
    const { progress, workerAgeMs } = await look();
    const { all, over } = work.parts(progress);
    if (all < most) return { end: 'gone', progress };
    most = all;
    if (over >= all) return { end: 'done', progress };
    if (workerAgeMs !== null) workerAt = Math.max(workerAt, performance.now() - workerAgeMs);
    if (performance.now() - workerAt > withoutWorkerMs) return { end: 'no worker', progress };
    work.show(progress);
    await sleep(LOOK_EVERY_MS, null, { signal }).catch(() => null);
    if (signal.aborted) return { end: 'told to end', progress };
  }

  async function look(): Promise<{ progress: Progress; workerAgeMs: number | null }> {
    try {
      const [progress, workerAgeMs] = await Promise.all([work.read(), readWorkerAge(database.pool)]);
      lastAt = performance.now();
      return { progress, workerAgeMs };
    } catch (error) {
      signal.throwIfAborted();
      if (performance.now() - lastAt > WITHOUT_DATABASE_MS) throw error;
      await sleep(LOOK_EVERY_MS, null, { signal });
      return look();
    }
  }
}

/** A line that changes on a terminal; else one where `what` it tells is another thing than before (at first: nothing, ''), and every `everyMs`. */
export function createShow(display: ProgressDisplay, everyMs: number): (line: string, what: string) => void {
  let said = { what: '', at: performance.now() };
  return (line, what) => {
    if (display.columns() !== null) return display.live(line);
    if (what === said.what && performance.now() - said.at < everyMs) return;
    said = { what, at: performance.now() };
    display.note(line);
  };
}
