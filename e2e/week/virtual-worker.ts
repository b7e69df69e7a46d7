// The worker's fetch loop in virtual time. It does what packages/mirror/src/fetch-loop.ts does, but passes over looks at a schedule
// that cannot have changed: a loop that looks five times a second would look three million times in a week.
import { type Batch, type ClaimedBatch, releaseBatch, rescheduleBatches } from '@procore-mirror/database';
import {
  type BatchReport,
  claimNext,
  type FetchSettings,
  fetchBatch,
  IDLE_MS,
  lookAgain,
  RESCHEDULE_EVERY_MS,
} from '@procore-mirror/mirror';
import type { VirtualTime } from './virtual-time.ts';

export type VirtualWorker = {
  /** To be told that news was recorded. */
  nudge: () => void;
  /** How many batches are in hand. */
  inHand: () => number;
  stop: () => Promise<void>;
};

// For as long as it takes: nobody dies here.
const LEASE_MS = 1_000_000_000;
const holder = 'week';

export function startVirtualWorker(options: {
  settings: FetchSettings;
  time: VirtualTime;
  concurrency: number;
  onReport: (batch: Batch, report: BatchReport) => void;
  onError: (error: unknown) => void;
}): VirtualWorker {
  const { settings, time, concurrency, onError } = options;
  const { database } = settings;
  const inHand = new Map<Promise<void>, Batch>();
  let isStopped = false;
  let rescheduleAt = 0;
  let lookedAt = 0;
  let released = false;
  let changed = new AbortController();
  const nudge = (): void => {
    changed.abort();
    changed = new AbortController();
  };

  async function loop(): Promise<void> {
    while (!isStopped) {
      const batch = inHand.size < concurrency ? await nextBatch() : null;
      if (batch !== null) start(batch);
      else await (inHand.size < concurrency ? nap() : Promise.race(inHand.keys()));
    }
  }

  async function nextBatch(): Promise<ClaimedBatch | null> {
    if (time.now() >= rescheduleAt) {
      rescheduleAt = time.now() + RESCHEDULE_EVERY_MS;
      await rescheduleBatches(database);
      await lookAgain(settings);
    }
    lookedAt = time.now();
    released = false;
    return claimNext(database, { holder, leaseMs: LEASE_MS, inHand: [...inHand.values()], concurrency });
  }

  /** Until the first look, of those every 200 ms, that can find something. */
  async function nap(): Promise<void> {
    const since = time.now();
    while (!isStopped) {
      const { signal } = changed;
      const dueAt = Math.min(await nextDue(), rescheduleAt);
      const looks = Math.max(1, Math.ceil((Math.max(dueAt, time.now()) - since) / IDLE_MS));
      const found = await time.until(since + looks * IDLE_MS, signal).then(
        () => true,
        () => false, // something changed
      );
      if (found) return;
    }
  }

  /** When something can be found that was not due at the last look. Detail that waits for live news may go after 30 s. */
  async function nextDue(): Promise<number> {
    if (released) return time.now();
    const { rows } = await database.pool.query<{ at: number | null }>({
      name: 'next-due',
      text: `select extract(epoch from greatest(used_up.until, min(case
          when used_up.until is not null or due_at > to_timestamp($1::float8 / 1000) then due_at
          when lane = 'detail' and due_at + interval '30 s' > to_timestamp($1::float8 / 1000) then due_at + interval '30 s'
        end)))::float8 * 1000 as at
        from mirror.batches, (select max(reset_at) as until from mirror.budget where remaining < 1 and reset_at > now()) as used_up
        where lease_until is null and due_at is not null group by used_up.until`,
      values: [lookedAt],
    });
    return rows[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  function start(batch: ClaimedBatch): void {
    const run = work(batch)
      .catch(onError)
      .finally(() => {
        inHand.delete(run);
        released = true;
        nudge();
      });
    inHand.set(run, batch);
  }

  async function work(batch: ClaimedBatch): Promise<void> {
    const report = await fetchBatch(settings, batch, new AbortController().signal);
    options.onReport(batch, report);
    await releaseBatch(database, batch, { holder, restMs: 0 });
  }

  const running = loop().catch(onError);
  return {
    nudge,
    inHand: () => inHand.size,
    stop: async () => {
      isStopped = true;
      nudge();
      await Promise.all([running, ...inHand.keys()]);
    },
  };
}
