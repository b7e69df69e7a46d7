// Comparisons with Procore: asked for by whoever wants them, done by the workers, one row of `mirror.comparisons` for each resource of a scope.
// As with backfills one worker at a time holds one by a lease, and what it writes counts only while it does.
import type { Database } from '../connection/open-database.ts';
import type { Queryable, Transaction } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { asJsonb } from '../rows/jsonb-text.ts';
import { type BatchKey, isOfBatch, keyValues } from './batch.ts';

export type Rung = 'count' | 'window' | 'bin' | 'listing' | 'sample';

/** What a comparison is to do. `climb`: the cheapest that proves its table, up to `listing`. */
export type ComparisonTask = {
  rung: Rung | 'climb';
  /** How many records a sample has in all; null for other rungs. */
  sample: number | null;
  /** What differs is fetched, and what is gone is buried; of the latter, whatever the cap says. */
  repairs: boolean;
  buriesAll: boolean;
};

export type ClaimedComparison = BatchKey &
  ComparisonTask & {
    holder: string;
    /** Who asked for it; null: the schedule. */
    request: string | null;
    /** Of a sample: how many records of this resource. */
    shows: number | null;
    /** What `keepComparison` was told last; null: it begins. Another version may have written it. */
    place: unknown;
    calls: number;
    attempts: number;
    /** When it began, ISO 8601. */
    startedAt: string;
    /** How long it has been known to differ, ms; null: it is not. */
    differsForMs: number | null;
  };

const isHeld = (key: BatchKey): string => `${isOfBatch(key)} and lease_holder = $4 and state = 'running'`;
const heldBy = (key: BatchKey, holder: string) => [...keyValues(key), holder];

/** `shows`: how many records of a sample are of this resource. */
export type WantedComparison = BatchKey & { position: number; shows?: number };

/**
 * Has the workers compare these. One that somebody asked for with the same task and that is not over is joined; others begin anew under the
 * name `request`, those of the schedule (null) only where nothing is under way. Returns the requests under which all of them are to be found.
 */
export async function requestComparisons(
  database: Database,
  options: { request: string | null; task: ComparisonTask; wanted: readonly WantedComparison[] },
): Promise<string[]> {
  const { request, task, wanted } = options;
  return inTransaction(database, async (client) => {
    await client.query(`select mirror.take_turn('comparisons')`);
    const { rows } = await client.query<{ request: string }>(
      `with wanted as (
        select * from unnest($2::bigint[], $3::bigint[], $4::text[], $5::integer[], $10::integer[])
          as w (company_id, project_id, resource, position, shows)
      ),
      open as materialized (
        select distinct b.request from mirror.comparisons b join wanted w on b.company_id = w.company_id
          and b.project_id is not distinct from w.project_id and b.resource = w.resource
        where b.state in ('waiting', 'running') and b.request is not null
          and (b.rung, b.sample, b.repairs, b.buries_all) is not distinct from ($6, $7::integer, $8::boolean, $9::boolean)
      ),
      begun as (
        insert into mirror.comparisons as b (company_id, project_id, resource, state, request, position, rung, sample, shows, repairs, buries_all)
          select company_id, project_id, resource, 'waiting', $1, position, $6, $7, shows, $8, $9 from wanted
          order by company_id, project_id, resource
          on conflict (company_id, project_id, resource) do update
            set state = 'waiting', request = excluded.request, requested_at = now(), position = excluded.position, rung = excluded.rung,
              sample = excluded.sample, shows = excluded.shows, repairs = excluded.repairs, buries_all = excluded.buries_all, outcome = null, detail = null,
              started_at = null, finished_at = null, calls = 0, place = null, attempts = 0, due_at = now(), lease_holder = null,
              lease_until = null
            where case when excluded.request is null then b.state not in ('waiting', 'running')
              else b.request is null or not exists (select from open where open.request = b.request) end
          returning b.request
      )
      select distinct request from begun where request is not null union select request from open`,
      [
        request,
        wanted.map(({ companyId }) => companyId),
        wanted.map(({ projectId }) => projectId),
        wanted.map(({ resource }) => resource),
        wanted.map(({ position }) => position),
        ...[task.rung, task.sample, task.repairs, task.buriesAll],
        wanted.map(({ shows }) => shows ?? null),
      ],
    );
    return rows.map((row) => row.request);
  });
}

/** The requests for a sample of this size that are not over in these companies: its records are chosen, and who asks again goes on with them. */
export async function findOpenSample(
  client: Queryable,
  { task, companyIds }: { task: ComparisonTask; companyIds: readonly string[] },
): Promise<string[]> {
  const { rows } = await client.query<{ request: string }>(
    `select distinct request from mirror.comparisons where state in ('waiting', 'running') and request is not null and rung = 'sample'
      and sample = $1 and repairs = $2 and company_id = any($3::bigint[])`,
    [task.sample, task.repairs, companyIds],
  );
  return rows.map(({ request }) => request);
}

/**
 * Takes the lease of the comparison that is next, of those that somebody asked for or of those of the schedule, or returns null. One at a time in
 * each scope, because children are found by way of their parents; but what the schedule has in hand holds back nothing that was asked for. Of
 * the schedule's, a thousand positions are one turn; within it the one that waits longest is next.
 */
export async function claimComparison(
  database: Database,
  { holder, leaseMs, isScheduled }: { holder: string; leaseMs: number; isScheduled: boolean },
): Promise<ClaimedComparison | null> {
  const { rows: due } = await database.pool.query(
    `select from mirror.comparisons b where ${IS_DUE} and (request is null) = $1 limit 1`,
    [isScheduled],
  );
  if (due.length === 0) return null;
  return inTransaction(database, async (client) => {
    await client.query(`select mirror.take_turn('comparisons')`);
    const { rows } = await client.query<ClaimedComparison>(
      `with under_way as (
        select company_id, project_id from mirror.comparisons
        where lease_until > now() and state = 'running' and (request is not null or $3)
      ),
      next as (
        select b.ctid from mirror.comparisons b
        where ${IS_DUE} and (b.request is null) = $3 and not exists (select from under_way u
            where u.company_id = b.company_id and u.project_id is not distinct from b.project_id)
        order by (select count(*) from under_way u where u.company_id = b.company_id),
          case when $3 then position / 1000 end, case when $3 then requested_at end, position, requested_at, project_id nulls first
        limit 1
      )
      update mirror.comparisons b set state = 'running', lease_holder = $1, lease_until = now() + $2::float8 * interval '1 ms',
        started_at = coalesce(started_at, now())
      from next where b.ctid = next.ctid
      returning company_id::text as "companyId", project_id::text as "projectId", resource, rung, sample, shows, repairs,
        buries_all as "buriesAll", request, place, calls::float8 as calls, attempts, lease_holder as holder,
        (extract(epoch from now() - differs_since) * 1000)::float8 as "differsForMs",
        to_char(started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "startedAt"`,
      [holder, leaseMs, isScheduled],
    );
    return rows[0] ?? null;
  });
}

const IS_DUE = `b.state in ('waiting', 'running') and b.due_at <= now() and (b.lease_until is null or b.lease_until <= now())`;

/** Is a comparison of one of these resources in the scope, which was asked for together with this one, begun and not over? */
export async function isBegunBefore(
  client: Queryable,
  { companyId, projectId, request }: Pick<ClaimedComparison, 'companyId' | 'projectId' | 'request'>,
  resources: readonly string[],
): Promise<boolean> {
  const { rows } = await client.query(
    `select from mirror.comparisons where company_id = $1 and project_id is not distinct from $2::bigint and resource = any($3::text[])
      and request is not distinct from $4 and state in ('waiting', 'running') and place is not null limit 1`,
    [companyId, projectId, resources, request],
  );
  return rows.length > 0;
}

/** Prolongs the lease; false when another worker has taken the comparison since, or it was asked for anew. */
export async function renewComparison(
  database: Database,
  key: BatchKey,
  { holder, leaseMs }: { holder: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `update mirror.comparisons set lease_until = now() + $5::float8 * interval '1 ms' where ${isHeld(key)}`,
    [...heldBy(key, holder), leaseMs],
  );
  return rowCount === 1;
}

/** Keeps how far it has come, in the transaction that keeps what it found. False: it is not ours any more. */
export async function keepComparison(
  client: Queryable,
  key: BatchKey,
  { holder, place, calls }: { holder: string; place: unknown; calls: number },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `update mirror.comparisons set place = $5, calls = $6, attempts = 0 where ${isHeld(key)}`,
    [...heldBy(key, holder), asJsonb(JSON.stringify(place)), calls],
  );
  return rowCount === 1;
}

/** Gives it back, to go on where it is after `pauseMs`. */
export async function giveComparisonBack(
  database: Database,
  key: BatchKey,
  back: { holder: string; pauseMs: number; calls: number; detail: string | null; isAttempt: boolean },
): Promise<void> {
  await database.pool.query(
    `update mirror.comparisons set state = 'waiting', lease_holder = null, lease_until = null, calls = $5, detail = $6,
      attempts = attempts + $7::boolean::integer, due_at = now() + $8::float8 * interval '1 ms' where ${isHeld(key)}`,
    [...heldBy(key, back.holder), back.calls, back.detail, back.isAttempt, back.pauseMs],
  );
}

/** When the schedule compares the table next; null: that stays as it was. `listingSoonerMs`: so much sooner than it was to be. */
export type NextProofs = { cheapInMs: number | null; listingInMs: number | null; listingSoonerMs: number };

/** It is over. False, and nothing is written: it is not ours any more. */
export async function endComparison(
  client: Transaction,
  key: BatchKey,
  end: {
    holder: string;
    state: 'done' | 'off';
    outcome: string | null;
    calls: number;
    detail: string | null;
    next: NextProofs;
  },
): Promise<boolean> {
  const { holder, state, outcome, calls, detail, next } = end;
  const { rowCount } = await client.query(
    `update mirror.comparisons set state = $5, outcome = $6, calls = $7, detail = $8, finished_at = now(), place = null,
      lease_holder = null, lease_until = null, next_cheap_at = coalesce(now() + $9::float8 * interval '1 ms', next_cheap_at),
      next_listing_at = coalesce(now() + $10::float8 * interval '1 ms', next_listing_at - $11::float8 * interval '1 ms'),
      differs_since = case when $6 = 'differs' then coalesce(differs_since, now())
        when $6 = 'equal' and rung = 'listing' then null else differs_since end
      where ${isHeld(key)}`,
    [...heldBy(key, holder), state, outcome, calls, detail, next.cheapInMs, next.listingInMs, next.listingSoonerMs],
  );
  return rowCount === 1;
}
