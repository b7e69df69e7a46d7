// Which tables the schedule compares next. A company may have 200,000 of them, so each look goes through a few hundred rows of an index.
import { countCallsOfHour } from '../calls/fetches.ts';
import type { Queryable } from '../connection/queryable.ts';
import type { BatchKey } from './batch.ts';
import { scopeCovers } from './scopes.ts';

/** `differing`: a comparison found a difference, so its list is to tell whether that is all, and repaired; `cheap`, `listing`: it is its turn. */
export type ProofTurn = 'differing' | 'cheap' | 'listing';

type Due = {
  companyId: string;
  /** Those that are mirrored and have a list of their own. */
  resources: readonly string[];
  limit: number;
  /** Where the tool was off at its fill, it is asked so long after that whether it still is, ms. */
  askOffAfterMs: number;
};

const LOOKED_THROUGH = 100;
const PLACES_LOOKED_THROUGH = 50;

const TURNS = {
  differing: { column: 'next_listing_at', condition: `state = 'done' and differs_since is not null` },
  cheap: { column: 'next_cheap_at', condition: `state in ('done', 'off')` },
  listing: { column: 'next_listing_at', condition: `state in ('done', 'off')` },
} as const;

/** SQL condition: a row of the table is of the place `d`. Spelled so that its key serves. */
function inPlace(table: string, condition: string): string {
  const of = (project: string) =>
    `exists (select from mirror.${table} x where x.company_id = d.company_id and x.project_id ${project} and ${condition})`;
  return `case when d.project_id is null then ${of('is null')} else ${of('= d.project_id')} end`;
}

/** SQL condition: table `d` may be compared now. Parameters: 2 resources, 3 `askOffAfterMs`. */
const IS_READY = `d.resource = any($2::text[])
  and ${inPlace('backfills', `x.resource = d.resource and (x.state = 'done' or (x.state = 'off' and x.finished_at < now() - $3::float8 * interval '1 ms'))`)}
  and ${inPlace('selection', 'x.is_selected and x.is_active')}
  and not ${inPlace('backfills', `x.state in ('waiting', 'running') and x.request is not null`)}
  and not exists (select from mirror.scopes s where ${scopeCovers('s', 'd')})`;

/** SQL condition: nobody watches what they asked for with table `d` among it. Who does reads the outcome a moment after all is over. */
const IS_OURS = `(d.request is null or (d.finished_at < now() - interval '1 minute' and d.request not in (
  select o.request from mirror.comparisons o where o.state in ('waiting', 'running') and o.request is not null)))`;

/**
 * Tables whose turn it is, the longest unproved first. Those that may not be compared now (not selected, not filled, parked, asked for by somebody who waits) are put off for
 * `putOffMs`; `looked`: how many rows it looked at.
 */
export async function findDueProofs(
  client: Queryable,
  { companyId, resources, limit, askOffAfterMs, turn, putOffMs }: Due & { turn: ProofTurn; putOffMs: number },
): Promise<{ due: BatchKey[]; looked: number }> {
  const { column, condition } = TURNS[turn];
  const { rows } = await client.query<{ projectId: string | null; resource: string; isReady: boolean }>(
    `with next as materialized (
        select company_id, project_id, resource, ${column} as next_at, request, finished_at, ctid as row_id from mirror.comparisons
        where company_id = $1 and ${condition} and ${column} <= now() order by ${column} limit ${LOOKED_THROUGH}
      ),
      judged as materialized (select d.*, (${IS_OURS} and ${IS_READY}) as is_ready from next d),
      put_off as (
        update mirror.comparisons c set ${column} = now() + $4::float8 * interval '1 ms' from judged j
        where not j.is_ready and c.ctid = j.row_id
      )
      select project_id::text as "projectId", resource, is_ready as "isReady" from judged order by next_at, project_id nulls first`,
    [companyId, resources, askOffAfterMs, putOffMs],
  );
  const ready = rows.filter(({ isReady }) => isReady).slice(0, limit);
  return { due: ready.map(({ projectId, resource }) => ({ companyId, projectId, resource })), looked: rows.length };
}

/**
 * Tables that were never compared, of some scopes from project `after` on (null: of the company, too). `next`: where to go on, null at the end.
 */
export async function findUnprovedTables(
  client: Queryable,
  { companyId, resources, limit, askOffAfterMs, after }: Due & { after: string | null },
): Promise<{ due: BatchKey[]; next: string | null }> {
  const { rows } = await client.query<{ due: { projectId: string | null; resource: string }[]; next: string | null }>(
    `with places as materialized (
        select company_id, project_id from mirror.selection
        where company_id = $1 and project_id is null and $4::bigint is null and is_selected and is_active
        union all (
          select company_id, project_id from mirror.selection
          where company_id = $1 and project_id > coalesce($4::bigint, 0) and is_selected and is_active
          order by project_id limit ${PLACES_LOOKED_THROUGH})
      ),
      unproved as materialized (
        select d.project_id, d.resource, d.position from (
          select p.company_id, p.project_id, w.resource, w.position
          -- Those that are parked as a whole need not be gone through table by table.
          from (select p.*, null::text as resource from places p offset 0) p
            cross join unnest($2::text[]) with ordinality as w (resource, position)
          where not exists (select from mirror.scopes s where ${scopeCovers('s', 'p')})) d
        where not ${inPlace('comparisons', 'x.resource = d.resource')} and ${IS_READY}
        order by d.project_id nulls first, d.position limit $5
      )
      select coalesce((select jsonb_agg(jsonb_build_object('projectId', project_id::text, 'resource', resource)
          order by project_id nulls first, position) from unproved), '[]') as due,
        (select max(project_id) from places having count(project_id) = ${PLACES_LOOKED_THROUGH})::text as next`,
    [companyId, resources, askOffAfterMs, after, limit],
  );
  const { due = [], next = null } = rows[0] ?? {};
  // Where there are more, it goes on at the same place, for those that were found are begun by then.
  return { due: due.map((table) => ({ companyId, ...table })), next: due.length === limit ? after : next };
}

/** Tables whose tool was off when they were last filled or compared. */
export async function readOffTables(client: Queryable, companyIds: readonly string[]): Promise<BatchKey[]> {
  const { rows } = await client.query<BatchKey>(
    `select company_id::text as "companyId", project_id::text as "projectId", resource from mirror.backfills
      where state = 'off' and company_id = any($1::bigint[])
    except select company_id::text, project_id::text, resource from mirror.comparisons where state = 'done'
    union select company_id::text, project_id::text, resource from mirror.comparisons
      where state = 'off' and company_id = any($1::bigint[])`,
    [companyIds],
  );
  return rows;
}

/** How many comparisons of the schedule are not over, and how many of them read whole lists. */
export async function countOpenProofs(
  client: Queryable,
  companyId: string,
): Promise<{ open: number; listings: number }> {
  const { rows } = await client.query<{ open: number; listings: number }>(
    `select count(*)::int as open, count(*) filter (where rung = 'listing')::int as listings from mirror.comparisons
      where state in ('waiting', 'running') and request is null and company_id = $1`,
    [companyId],
  );
  return rows[0] ?? { open: 0, listings: 0 };
}

/** Where the time between two comparisons was longer until now, what was put off for that comes earlier. */
export async function bringProofsForward(
  client: Queryable,
  companyId: string,
  { cheapMs, listingMs }: { cheapMs: number; listingMs: number },
): Promise<void> {
  for (const [column, ms] of [
    ['next_cheap_at', cheapMs],
    ['next_listing_at', listingMs],
  ] as const) {
    await client.query(
      `update mirror.comparisons set ${column} = now() + $2::float8 * interval '1 ms'
        where company_id = $1 and state in ('done', 'off') and ${column} > now() + $2::float8 * interval '1 ms'`,
      [companyId, ms],
    );
  }
}

/** Companies that are selected. */
export async function listSelectedCompanies(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    'select company_id::text as id from mirror.selection where project_id is null and is_selected order by company_id',
  );
  return rows.map(({ id }) => id);
}

/** How many calls the schedule made within the last hour, for all companies that share this one's windows, but for the last `latelyMs`. */
export async function countProofCalls(client: Queryable, companyId: string, latelyMs: number): Promise<number> {
  return countCallsOfHour(client, { companyId, latelyMs, condition: `lane = 'verify'` });
}
