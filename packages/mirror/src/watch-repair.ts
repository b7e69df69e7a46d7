// Watches what workers repair.
import { type RepairProgress, readRepairProgress } from '@procore-mirror/database';
import { createShow, type ProgressDisplay, type WatchOptions, type WorkEnd, watchWork } from './watch-work.ts';

const SAY_EVERY_MS = 10_000;

type Watch = WatchOptions & { requests: readonly string[]; display: ProgressDisplay };

/** Shows how far the repairs are until they are over. Throws what Postgres says when it has been out of reach for 30 s. */
export async function watchRepair(watch: Watch): Promise<{ end: WorkEnd; progress: RepairProgress }> {
  const { database, requests, display } = watch;
  const show = createShow(display, SAY_EVERY_MS);
  return watchWork(watch, {
    read: () => readRepairProgress(database.pool, requests),
    parts: ({ companies, over }) => ({ all: companies, over }),
    show: (progress) => show(`Repair ${repairInShort(progress)}`, ''),
    atLeast: 0,
  });
}

/** The sums of a repair. */
export function repairInShort({ hooks, calls, found, newEvents }: RepairProgress): string {
  return `${hooks} hook${hooks === 1 ? '' : 's'}, ${calls} calls, ${found} events in the log, ${newEvents} brought in`;
}
