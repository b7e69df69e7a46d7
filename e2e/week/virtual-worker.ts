// A worker's fetch loop in virtual time. It passes over looks at a schedule that cannot have changed: a loop that looks five
// times a second would look three million times in a week.
import type { Batch, Database } from '@procore-mirror/database';
import { type BatchReport, type FetchSettings, IDLE_MS, startFetchLoop } from '@procore-mirror/mirror';
import { clockOf, type VirtualTime } from './virtual-time.ts';

export type VirtualWorker = {
  /** To be told that news was recorded. */
  nudge: () => void;
  stop: () => Promise<void>;
};

/** For as long as it takes: nobody dies here. */
const LEASE_MS = 1_000_000_000;
/** The loop does more than look at the schedule: hidden records, dead letters. */
const LONGEST_NAP_MS = 600_000;

export function startVirtualWorker(options: {
  settings: FetchSettings;
  time: VirtualTime;
  concurrency: number;
  /** Names it among workers. */
  holder?: string;
  onReport: (batch: Batch, report: BatchReport) => void;
  onError: (error: unknown) => void;
}): VirtualWorker {
  const { settings, time, concurrency, holder = 'week', onReport, onError } = options;
  const clock = clockOf(time);
  let hasReported = false;
  let naps = 0;
  let changed = new AbortController();
  const nudge = (): void => {
    changed.abort();
    changed = new AbortController();
  };

  /** Until the first look, of those every 200 ms, that can find something. */
  async function sleepUntilDue(signal = new AbortController().signal): Promise<void> {
    const since = time.now();
    naps += 1;
    const own = naps;
    while (own === naps && !signal.aborted) {
      const news = AbortSignal.any([changed.signal, signal]);
      const dueAt = hasReported ? since : await nextDue(settings.database, since);
      const looks = Math.ceil((Math.min(Math.max(dueAt, time.now()), since + LONGEST_NAP_MS) - since) / IDLE_MS);
      const slept = await time.until(since + Math.max(1, looks) * IDLE_MS, news).then(
        () => true,
        () => false, // something changed
      );
      if (slept) break;
    }
    // A loop whose hands are full does not wait for the end of its nap.
    if (own === naps) hasReported = false;
  }

  const fail = (keys: Record<string, unknown>, message: string): void =>
    onError(new Error(message, { cause: keys.error }));
  const loop = startFetchLoop({
    ...{ concurrency, holder, leaseMs: LEASE_MS, canSignIn: async () => true },
    log: { warn: fail, error: fail },
    onReport: (batch, report) => {
      hasReported = true;
      nudge(); // in a moment, before time goes on, the batch is given back
      onReport(batch, report);
    },
    settings: {
      ...settings,
      clock: {
        ...clock,
        sleep: (ms, signal) => (ms === IDLE_MS ? sleepUntilDue(signal) : clock.sleep(ms, signal)),
      },
    },
  });
  return { nudge, stop: loop.close };
}

/** When something can be found that was not due at the last look. Detail that waits for live news may go after 30 s. */
async function nextDue(database: Database, lookedAt: number): Promise<number> {
  const { rows } = await database.pool.query<{ at: number | null }>({
    name: 'next-due',
    text: `select extract(epoch from greatest(used_up.until, min(case
        when used_up.until is not null or due_at > to_timestamp($1::float8 / 1000) then due_at
        when lane = 'detail' and due_at + interval '30 s' > to_timestamp($1::float8 / 1000) then due_at + interval '30 s'
      end)))::float8 * 1000 as at
      from mirror.batches, (select max(reset_at) as until from mirror.budget where remaining < 1 and reset_at > now()
        and known_by not in ('count', 'assumed')) as used_up
      where lease_until is null and due_at is not null group by used_up.until`,
    values: [lookedAt],
  });
  return rows[0]?.at ?? Number.POSITIVE_INFINITY;
}
