// Who works at which backfill. As with batches one worker at a time holds one by a lease that runs out when the worker dies; unlike
// them a backfill remembers how far it came, so what its holder writes counts only while it is the holder.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { asJsonb } from '../rows/jsonb-text.ts';
import { type BatchKey, isOfBatch, keyValues } from './batch.ts';

export type ClaimedBackfill = BatchKey & {
  holder: string;
  /** Who asked for it. */
  request: string;
  /** What `keepBackfill` was told last, and `keepBackfillParents`; null: it begins. Another version may have written it. */
  place: unknown;
  parents: unknown;
  /** Calls that it took before. */
  calls: number;
  /** Failures in a row. */
  attempts: number;
};

const isHeld = (fill: BatchKey): string => `${isOfBatch(fill)} and lease_holder = $4 and state = 'running'`;
const heldBy = (fill: BatchKey, holder: string) => [...keyValues(fill), holder];

/**
 * Takes the lease of the backfill that is next, or returns null. One at a time in each scope, because children are found by way of their
 * parents; of several scopes that of the company with the fewest in hand. Nothing of a parked scope until its probe is due.
 */
export async function claimBackfill(
  database: Database,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<ClaimedBackfill | null> {
  if (!(await isAnyDue(database))) return null;
  return inTransaction(database, async (client) => {
    // One claims at a time: whether another one is under way in the scope no lock on the row itself tells.
    await client.query(`select mirror.take_turn('backfills')`);
    const { rows } = await client.query<ClaimedBackfill>(
      `with under_way as (select company_id, project_id from mirror.backfills where lease_until > now() and state = 'running'),
      next as (
        select b.ctid from mirror.backfills b
        where ${IS_DUE} and not exists (select from under_way u
            where u.company_id = b.company_id and u.project_id is not distinct from b.project_id)
          and not exists (select from mirror.scopes s where (s.company_id is null or s.company_id = b.company_id)
            and (s.project_id is null or s.project_id = b.project_id) and (s.resource is null or s.resource = b.resource)
            and s.probe_at > now())
        order by (select count(*) from under_way u where u.company_id = b.company_id), position, requested_at, project_id nulls first
        limit 1
      )
      update mirror.backfills b set state = 'running', lease_holder = $1, lease_until = now() + $2::float8 * interval '1 ms',
        started_at = case when place is null then now() else started_at end
      from next where b.ctid = next.ctid
      returning company_id::text as "companyId", project_id::text as "projectId", resource, place, parents, calls::float8 as calls,
        attempts, lease_holder as holder, request`,
      [holder, leaseMs],
    );
    return rows[0] ?? null;
  });
}

const IS_DUE = `b.state in ('waiting', 'running') and b.request is not null and b.due_at <= now()
  and (b.lease_until is null or b.lease_until <= now())`;

async function isAnyDue({ pool }: Database): Promise<boolean> {
  const { rows } = await pool.query<{ exists: boolean }>(
    `select exists (select from mirror.backfills b where ${IS_DUE}) as exists`,
  );
  return rows[0]?.exists === true;
}

/** Prolongs the lease; false when another worker has taken the backfill since. */
export async function renewBackfill(
  database: Database,
  fill: BatchKey,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `update mirror.backfills set lease_until = now() + $5::float8 * interval '1 ms' where ${isHeld(fill)}`,
    [...heldBy(fill, holder), leaseMs],
  );
  return rowCount === 1;
}

/**
 * How far it has come. `total`: how many records there are, as far as lists told. `hasGotOn`: it is further than it ever was, so that
 * failures before count no more.
 */
export type BackfillNews = { place: unknown; rows: number; total: number | null; calls: number; hasGotOn: boolean };

/** Keeps how far it has come, in the transaction that stores what came. False, and nothing is kept: another worker has it. */
export async function keepBackfill(
  client: Queryable,
  fill: BatchKey,
  { holder, place, rows, total, calls, hasGotOn }: BackfillNews & { holder: string },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update mirror.backfills set place = $5, rows = $6, total = greatest(total, $7::bigint), calls = $8,
      attempts = case when $9 then 0 else attempts end where ${isHeld(fill)}`,
    [...heldBy(fill, holder), asJsonb(JSON.stringify(place)), rows, total, calls, hasGotOn],
  );
  return rowCount === 1;
}

/** Keeps the parents that it walks over. False: another worker has it. */
export async function keepBackfillParents(
  database: Database,
  fill: BatchKey,
  { holder, parents }: { holder: string; parents: unknown },
): Promise<boolean> {
  const { rowCount } = await database.pool.query(`update mirror.backfills set parents = $5 where ${isHeld(fill)}`, [
    ...heldBy(fill, holder),
    asJsonb(JSON.stringify(parents)),
  ]);
  return rowCount === 1;
}

/** It is done, failed for good, or its tool is off, with what a person is to know of it. */
export async function endBackfill(
  database: Database,
  fill: BatchKey,
  end: {
    holder: string;
    state: 'done' | 'failed' | 'off';
    rows: number | null;
    calls: number;
    detail: string | null;
    /** Rows that were buried because its lists lack them. */
    buried: number;
    /** It read all there is, without a flaw. */
    isProof: boolean;
  },
): Promise<void> {
  await database.pool.query(
    `update mirror.backfills set state = $5, rows = coalesce($6, rows), calls = $7, detail = $8, buried = $9, finished_at = now(), place = null,
      complete_since = case when $10 then started_at else complete_since end,
      parents = null, lease_holder = null, lease_until = null where ${isHeld(fill)}`,
    [...heldBy(fill, end.holder), end.state, end.rows, end.calls, end.detail, end.buried, end.isProof],
  );
}

/**
 * Gives it back, to go on where it is after `pauseMs`, and not while its scope is parked. `detail`: what failed; null: nothing did.
 * `readsAnew`: the list that it is in is read from its beginning.
 */
export async function giveBackfillBack(
  database: Database,
  fill: BatchKey,
  back: {
    holder: string;
    pauseMs: number;
    calls: number;
    detail: string | null;
    isAttempt: boolean;
    readsAnew: boolean;
  },
): Promise<void> {
  await database.pool.query(
    `update mirror.backfills set state = 'waiting', lease_holder = null, lease_until = null, calls = $5, detail = $6,
      attempts = attempts + $7::boolean::integer, due_at = now() + $8::float8 * interval '1 ms',
      place = case when $9 and place is not null then jsonb_set(place, '{readsAnew}', 'true') else place end
      where ${isHeld(fill)}`,
    [...heldBy(fill, back.holder), back.calls, back.detail, back.isAttempt, back.pauseMs, back.readsAnew],
  );
}

/** Are these resources filled there, each since the backfill itself was asked for? */
export async function areFilledSince(
  client: Queryable,
  fill: BatchKey,
  resources: readonly string[],
): Promise<boolean> {
  const { rows } = await client.query<{ filled: boolean }>(
    `select count(*) = cardinality($4::text[]) as filled from mirror.backfills b
      join mirror.backfills own on own.company_id = b.company_id and own.project_id is not distinct from b.project_id
      where own.company_id = $1::bigint and own.project_id is not distinct from $2::bigint and own.resource = $3
        and b.resource = any($4) and b.state in ('done', 'off') and b.finished_at >= own.requested_at`,
    [...keyValues(fill), resources],
  );
  return rows[0]?.filled === true;
}
