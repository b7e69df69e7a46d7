// The schedule of fetches. A batch is due when the first of its pending records is ready; one worker at a time holds it
// by a lease that runs out when the worker dies. Doing a batch twice is harmless, so a lost lease is, too.
import type pg from 'pg';
import type { Database } from './open-database.ts';
import { inTransaction } from './transaction.ts';

export type BatchKey = { companyId: string; projectId: string | null; resource: string };

export type ClaimedBatch = BatchKey & {
  /** The scope is parked and this run finds out whether it answers again. */
  isProbe: boolean;
};

type Queryable = Pick<Database['pool'], 'query'>;

const KEY = 'company_id = $1 and project_id is not distinct from $2::bigint and resource = $3';
const keyValues = (key: BatchKey): [string, string | null, string] => [key.companyId, key.projectId, key.resource];

/**
 * Takes the lease of one due batch, or returns null when none is due. Companies with fewer batches in hand come first,
 * so a flood in one does not hold back another; what only lacks detail comes last. Parked scopes are left out until their probe is due; then one batch of
 * them is given out per `leaseMs`.
 */
export async function claimBatch(
  database: Database,
  options: { holder: string; leaseMs: number },
): Promise<ClaimedBatch | null> {
  const { rows } = await database.pool.query<{
    company_id: string;
    project_id: string | null;
    resource: string;
    is_probe: boolean;
  }>({ name: 'claim-batch', text: CLAIM_BATCH, values: [options.holder, options.leaseMs] });
  const [row] = rows;
  if (row === undefined) return null;
  return { companyId: row.company_id, projectId: row.project_id, resource: row.resource, isProbe: row.is_probe };
}

const CLAIM_BATCH = `
with in_hand as (
  select company_id, count(*) as batches from mirror.batches where lease_until > now() group by company_id
),
next as (
  select b.ctid, b.company_id, b.project_id, b.resource from mirror.batches b left join in_hand h using (company_id)
  where b.due_at <= now() and (b.lease_until is null or b.lease_until <= now())
    and not exists (select from mirror.scopes s where ${scopeCovers('s', 'b')} and s.probe_at > now())
  order by b.is_detail, coalesce(h.batches, 0), b.due_at limit 1 for update of b skip locked
),
probed as (
  update mirror.scopes s set probe_at = now() + $2::float8 * interval '1 ms' from next
  where ${scopeCovers('s', 'next')} returning 1
)
update mirror.batches b set lease_holder = $1, lease_until = now() + $2::float8 * interval '1 ms', served_at = now()
from next where b.ctid = next.ctid
returning b.company_id, b.project_id, b.resource, exists (select from probed) as is_probe`;

/** SQL condition: the parked scope covers the batch. */
export function scopeCovers(scope: string, batch: string): string {
  return `${scope}.company_id = ${batch}.company_id
    and (${scope}.project_id is null or ${scope}.project_id = ${batch}.project_id)
    and (${scope}.resource is null or ${scope}.resource = ${batch}.resource)`;
}

/** Prolongs the lease; false when another worker has taken the batch since. */
export async function renewLease(
  database: Database,
  key: BatchKey,
  options: { holder: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `update mirror.batches set lease_until = now() + $5::float8 * interval '1 ms' where ${KEY} and lease_holder = $4`,
    [...keyValues(key), options.holder, options.leaseMs],
  );
  return rowCount === 1;
}

/**
 * Gives the batch back, due again when the first of its pending records is ready (but not before `restMs`), idle when
 * none is left. Locks the batch before it looks, because recording news takes the same lock.
 */
export async function releaseBatch(
  database: Database,
  key: BatchKey,
  { holder, restMs }: { holder: string; restMs: number },
): Promise<void> {
  await inTransaction(database, async (client) => {
    const held = await client.query(`select from mirror.batches where ${KEY} and lease_holder = $4 for update`, [
      ...keyValues(key),
      holder,
    ]);
    if (held.rowCount === 0) return;
    await client.query(
      `with pending as (select ready_at, listed_generation = generation as is_listed from mirror.pending where ${KEY}),
        next as (
          select greatest(ready_at, now() + $4::float8 * interval '1 ms') as due_at, coalesce(is_listed, false) as is_detail
          from (
            (select * from pending where is_listed is not true order by ready_at limit 1)
            union all (select * from pending where is_listed order by ready_at limit 1)
          ) as first order by ready_at > now() + interval '1 second', is_detail, ready_at limit 1
        )
        update mirror.batches set lease_holder = null, lease_until = null, due_at = (select due_at from next),
          first_due_at = (select due_at from next), is_detail = coalesce((select is_detail from next), false) where ${KEY}`,
      [...keyValues(key), restMs],
    );
  });
}

/** Makes due what has pending records and no due time, as after a restore of the database. Returns how many batches. */
export async function rescheduleBatches(database: Database): Promise<number> {
  const { rowCount } = await database.pool.query(
    `insert into mirror.batches as b (company_id, project_id, resource, due_at, first_due_at)
      select company_id, project_id, resource, min(ready_at), min(ready_at) from mirror.pending
      group by 1, 2, 3 order by 1, 2, 3
      on conflict (company_id, project_id, resource) do update
        set due_at = excluded.due_at, first_due_at = excluded.first_due_at
      where b.due_at is null or b.due_at > excluded.due_at + interval '1 minute'`,
  );
  return rowCount ?? 0;
}

/** A pending record as a fetch notes it before its first request. */
export type NotedRecord = {
  id: string;
  generation: string;
  eventId: string | null;
  /** ISO 8601, the newest change that an event told of. */
  occurredAt: string | null;
  parentId: string | null;
  isDelete: boolean;
  attempts: number;
  reread: boolean;
  /** A list has refreshed what it carries of the record since its newest event; the show is still to come. */
  isListed: boolean;
  /** A fetch that starts now proves all of its events: the newest is at least `delayMs` old. */
  settles: boolean;
};

/** The records of the batch that are ready, longest-waiting first. */
export async function noteBatch(
  database: Database,
  key: BatchKey,
  options: { delayMs: number; limit: number },
): Promise<NotedRecord[]> {
  const { rows } = await database.pool.query<NotedRecord>({
    name: 'note-batch',
    text: `select record_id as id, generation::text, event_id as "eventId", occurred_at as "occurredAt",
        parent_id as "parentId", delete_seen as "isDelete", attempts, reread,
        coalesce(listed_generation = generation, false) as "isListed",
        last_seen_at <= now() - $4::float8 * interval '1 ms' as settles
      from mirror.pending where ${KEY} and ready_at <= now() order by ready_at limit $5`,
    values: [...keyValues(key), options.delayMs, options.limit],
  });
  return rows;
}

/** How many records of the batch are pending, counting no further than `limit`. */
export async function countPending(database: Database, key: BatchKey, limit: number): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `select count(*)::int as count from (select from mirror.pending where ${KEY} limit $4) as counted`,
    [...keyValues(key), limit],
  );
  return rows[0]?.count ?? 0;
}

/** The number of a fetch; taken before its request goes out. */
export async function takeVersion(database: Database): Promise<string> {
  const { rows } = await database.pool.query<{ version: string }>(
    `select nextval('mirror.fetch_version')::text as version`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the sequence mirror.fetch_version gave no number');
  return row.version;
}

type SettledRecord = Pick<NotedRecord, 'id' | 'generation' | 'settles'>;

/**
 * Ends what a fetch has proved: a record leaves the pending ones if no news came since it was noted. Others stay, with
 * their wait started anew. Belongs in the transaction that stores the rows.
 */
export async function settleRecords(
  client: pg.ClientBase,
  key: BatchKey,
  records: readonly SettledRecord[],
  delayMs: number,
): Promise<void> {
  if (records.length === 0) return;
  const ids = records.map((record) => record.id);
  const generations = records.map((record) => (record.settles ? record.generation : '-1'));
  await client.query(
    `with settled as (
        delete from mirror.pending p using unnest($4::text[], $5::bigint[]) as f(record_id, generation)
        where ${KEY.replaceAll(/(company_id|project_id|resource) /g, 'p.$1 ')} and p.record_id = f.record_id
          and p.generation = f.generation
        returning p.record_id
      )
      update mirror.pending p set first_seen_at = now(), not_before = null,
        ready_at = greatest(p.ready_at, p.last_seen_at + $6::float8 * interval '1 ms')
      where ${KEY} and record_id = any($4) and record_id not in (select record_id from settled)`,
    [...keyValues(key), ids, generations, delayMs],
  );
}

export type Postponement = { pauseMs: number; error: string | null; countsAttempt: boolean; reread: boolean };

/** Lets records wait before they are fetched again. They stay pending. */
export async function postponeRecords(
  client: Queryable,
  key: BatchKey,
  ids: readonly string[],
  postponement: Postponement,
): Promise<void> {
  await client.query(
    `update mirror.pending set not_before = now() + $5::float8 * interval '1 ms',
        ready_at = greatest(ready_at, now() + $5::float8 * interval '1 ms'),
        last_error = $6, attempts = attempts + $7::int, reread = reread or $8
      where ${KEY} and record_id = any($4)`,
    [
      ...keyValues(key),
      ids,
      postponement.pauseMs,
      postponement.error,
      postponement.countsAttempt ? 1 : 0,
      postponement.reread,
    ],
  );
}

/**
 * Notes that a list has refreshed these records, as far as it carries them. They stay pending and wait for `pauseMs`, so
 * that records no list has refreshed yet come first. Belongs in the transaction that stores the rows.
 */
export async function noteListed(
  client: pg.ClientBase,
  key: BatchKey,
  records: readonly SettledRecord[],
  pauseMs: number,
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `update mirror.pending p set listed_generation = p.generation,
        ready_at = greatest(p.ready_at, now() + $6::float8 * interval '1 ms')
      from unnest($4::text[], $5::bigint[]) as f(record_id, generation)
      where ${KEY.replaceAll(/(company_id|project_id|resource) /g, 'p.$1 ')} and p.record_id = f.record_id
        and p.generation = f.generation`,
    [...keyValues(key), records.map(({ id }) => id), records.map(({ generation }) => generation), pauseMs],
  );
}
