import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { afterConflicts } from '../connection/transaction.ts';

/** Moments are ISO 8601. */
export type ReceiverGap = {
  kind: 'down' | 'refused' | 'spooled';
  since: string;
  until: string;
  /** Deliveries; null while it was down. */
  count: number | null;
  /** Of `down`. */
  wasStopped: boolean | null;
};

export type ReceiverNews = {
  id: string;
  host: string;
  pid: number;
  version: string;
  startedAt: string;
  reportedAt: string;
  stoppedAt: string | null;
  /** The report as JSON text that jsonb takes. */
  report: string;
  gaps: readonly ReceiverGap[];
};

/**
 * Notes what a receiver reported of itself. Idempotent, and of any order: an earlier report adds its gaps and changes nothing
 * else; of two that begin a gap at the same time the longer counts.
 */
export async function noteReceiver(database: Database, news: ReceiverNews): Promise<void> {
  const { id, host, pid, version, startedAt, reportedAt, stoppedAt, report, gaps } = news;
  await afterConflicts(database, () =>
    database.pool.query(NOTE_RECEIVER, [
      ...[id, host, pid, version, startedAt, reportedAt, stoppedAt, report],
      gaps.map((gap) => gap.kind),
      gaps.map((gap) => gap.since),
      gaps.map((gap) => gap.until),
      gaps.map((gap) => gap.count),
      gaps.map((gap) => gap.wasStopped),
    ]),
  );
}

const NOTE_RECEIVER = `
with noted as (
  insert into mirror.receivers as r (id, host, pid, version, started_at, reported_at, stopped_at, report)
  values ($1, $2, $3, $4, $5, $6, $7, $8)
  on conflict (id) do update set host = excluded.host, pid = excluded.pid, version = excluded.version,
    started_at = excluded.started_at, reported_at = excluded.reported_at, stopped_at = excluded.stopped_at,
    report = excluded.report, recorded_at = now()
  where excluded.reported_at > r.reported_at
)
insert into mirror.receiver_gaps as g (receiver, kind, since, until, count, was_stopped)
select $1, n.* from unnest($9::text[], $10::timestamptz[], $11::timestamptz[], $12::integer[], $13::boolean[])
  as n(kind, since, until, count, was_stopped) order by kind, since
on conflict (receiver, kind, since) do update set until = greatest(g.until, excluded.until),
  count = greatest(g.count, excluded.count)`;

/** Removes receivers of which nothing was heard for 90 days, and gaps that ended so long ago. */
export async function forgetOldReceivers(database: Database): Promise<void> {
  await database.pool.query(`delete from mirror.receivers where recorded_at < now() - interval '90 days'`);
  await database.pool.query(`delete from mirror.receiver_gaps where until < now() - interval '90 days'`);
}

/** Do deliveries that receivers got before `since` (ISO 8601) still wait in the queue, as far as their last reports tell, which come the same way? */
export async function isRecordingBehind(client: Queryable, since: string): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>(
    `select exists (select from mirror.receivers
      where stopped_at is null and recorded_at > now() - interval '1 hour' and reported_at < $1) as is`,
    [since],
  );
  return rows[0]?.is === true;
}

/**
 * Receivers that run, as they reported within the last minute and a half, and do not accept the value with this fingerprint; those that
 * do not say what they accept are left out. Where none reports though a worker would record it, those that fell silent within a day: nobody knows what
 * they accept.
 */
export async function listDeafReceivers(client: Queryable, key: string): Promise<{ id: string; host: string }[]> {
  const { rows } = await client.query<{ id: string; host: string }>(
    `select id, host from mirror.receivers
      where stopped_at is null and (recorded_at > now() - interval '90 seconds' and not report -> 'accepts' ? $1
        or recorded_at between now() - interval '1 day' and now() - interval '90 seconds'
          and not exists (select from mirror.receivers where stopped_at is null and recorded_at > now() - interval '90 seconds')
          and exists (select from mirror.workers where stopped_at is null and seen_at > now() - interval '30 seconds'))
      order by id`,
    [key],
  );
  return rows;
}

/**
 * Whether all receivers that run, and say what they accept, accept the first value and refuse the other one; false where none says it.
 * Values are known by their fingerprints.
 */
export async function isRefusedFor(client: Queryable, key: string, other: string): Promise<boolean> {
  const { rows } = await client.query<{ is: boolean }>(
    `select coalesce(bool_and(report -> 'accepts' ? $1 and not report -> 'accepts' ? $2), false) as is from mirror.receivers
      where stopped_at is null and recorded_at > now() - interval '90 seconds' and report ? 'accepts'`,
    [key, other],
  );
  return rows[0]?.is ?? false;
}

/** When the first event came with the value of this fingerprint, among those of the last `withinMs`; null: none did. */
export async function findFirstUse(client: Queryable, key: string, withinMs: number): Promise<Date | null> {
  const { rows } = await client.query<{ at: string | null }>(
    `select min(received_at) as at from mirror.events
      where key = $1 and received_at > now() - $2::float8 * interval '1 ms'`,
    [key, withinMs],
  );
  const at = rows[0]?.at ?? null;
  return at === null ? null : new Date(at);
}
