// Watches what workers repair until it is done, or nobody does it.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, type RepairProgress, readRepairProgress, readWorkerAge } from '@procore-mirror/database';
import type { FillDisplay } from './watch-fills.ts';

const LOOK_EVERY_MS = 500;
const WITHOUT_WORKER_MS = 30_000;
/** So often a line is written where there is no terminal, if something changed. */
const SAY_EVERY_MS = 10_000;

type Watch = {
  database: Database;
  requests: readonly string[];
  display: FillDisplay;
  signal: AbortSignal;
  /** So long a worker may be out of sight, ms. */
  withoutWorkerMs?: number;
};

export type RepairEnd = 'done' | 'no worker' | 'told to end';

/** Shows how far the repairs are until they are over. */
export async function watchRepair(watch: Watch): Promise<{ end: RepairEnd; progress: RepairProgress }> {
  const { database, requests, display, signal, withoutWorkerMs = WITHOUT_WORKER_MS } = watch;
  let workerAt = performance.now();
  let said = { line: '', at: performance.now() };
  for (;;) {
    const [progress, ageMs] = await Promise.all([
      readRepairProgress(database.pool, requests),
      readWorkerAge(database.pool),
    ]);
    if (progress.over >= progress.companies) return { end: 'done', progress };
    if (ageMs !== null) workerAt = Math.max(workerAt, performance.now() - ageMs);
    if (performance.now() - workerAt > withoutWorkerMs) return { end: 'no worker', progress };
    const line = `Repair ${repairInShort(progress)}`;
    if (display.columns() !== null) display.live(line);
    else if (line !== said.line && performance.now() - said.at > SAY_EVERY_MS) {
      said = { line, at: performance.now() };
      display.note(line);
    }
    await sleep(LOOK_EVERY_MS, null, { signal }).catch(() => null);
    if (signal.aborted) return { end: 'told to end', progress };
  }
}

/** The sums of a repair. */
export function repairInShort({ hooks, calls, found, newEvents }: RepairProgress): string {
  return `${hooks} hook${hooks === 1 ? '' : 's'}, ${calls} calls, ${found} events in the log, ${newEvents} brought in`;
}
