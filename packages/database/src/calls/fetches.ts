import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import type { Lane } from '../schedule/batch.ts';

/** A request to Procore that ended. */
export type Fetch = {
  /** The number of the run that made it; null for others. */
  version: string | null;
  companyId: string;
  projectId: string | null;
  /** null: for no resource, as hooks and lists of projects are. */
  resource: string | null;
  lane: Lane | null;
  /** Method and path, ids replaced, without the query. */
  route: string;
  /** null: no answer. */
  status: number | null;
  ms: number;
  /** Of the body; null where it was not read. */
  bytes: number | null;
  /** Items of the list that came, 1 for one record; null where nothing was understood. */
  records: number | null;
};

/** `agoMs`: how long ago it went out. */
export type PastFetch = Fetch & { agoMs: number };

/** Enters requests in `mirror.fetches`, which `mirror.calls` sums up. */
export async function addFetches(database: Database, fetches: readonly PastFetch[]): Promise<void> {
  if (fetches.length === 0) return;
  await database.pool.query({
    name: 'add-fetches',
    text: ADD_FETCHES,
    values: [
      fetches.map((one) => one.version),
      fetches.map((one) => one.agoMs),
      fetches.map((one) => one.companyId),
      fetches.map((one) => one.projectId),
      fetches.map((one) => one.resource),
      fetches.map((one) => one.lane),
      fetches.map((one) => one.route),
      fetches.map((one) => one.status),
      fetches.map((one) => Math.round(one.ms)),
      fetches.map((one) => one.bytes),
      fetches.map((one) => one.records),
    ],
  });
}

const ADD_FETCHES = `
insert into mirror.fetches (version, called_at, company_id, project_id, resource, lane, route, status, ms, bytes, records)
select version, now() - ago_ms * interval '1 ms', company_id, project_id, resource, lane, route, status, ms, bytes, records
from unnest($1::bigint[], $2::float8[], $3::bigint[], $4::bigint[], $5::text[], $6::mirror.lane[], $7::text[], $8::int[],
  $9::int[], $10::bigint[], $11::int[])
  as n(version, ago_ms, company_id, project_id, resource, lane, route, status, ms, bytes, records)`;

/** Was a call of the company answered as it should be within the last so many ms, as far as calls were entered? */
export async function wasAnswered({ pool }: Database, companyId: string, withinMs: number): Promise<boolean> {
  const { rows } = await pool.query<{ answered: boolean }>(
    `select exists (select from mirror.fetches where company_id = $1 and status between 200 and 299
      and called_at > now() - $2::float8 * interval '1 ms') as answered`,
    [companyId, withinMs],
  );
  return rows[0]?.answered === true;
}

/** How many such calls went out within the last hour, but for the last `latelyMs`, for all companies that share this one's windows. */
export async function countCallsOfHour(
  client: Queryable,
  { companyId, latelyMs, condition }: { companyId: string; latelyMs: number; condition: string },
): Promise<number> {
  const { rows } = await client.query<{ calls: number }>(
    `select count(*)::int as calls from mirror.fetches
      where called_at > now() - interval '1 hour' and called_at < now() - $2::float8 * interval '1 ms' and ${condition}
        and mirror.owner_of_windows(company_id) is not distinct from mirror.owner_of_windows($1)`,
    [companyId, latelyMs],
  );
  return rows[0]?.calls ?? 0;
}

/** How many calls went out on each route (method and path, ids replaced) in the last seven days, and when the last did. */
export async function countByRoute(client: Queryable): Promise<{ route: string; calls: number; lastAt: string }[]> {
  const { rows } = await client.query<{ route: string; calls: number; lastAt: string }>(
    `select route, count(*)::int as calls, max(called_at) as "lastAt" from mirror.fetches
      where called_at > now() - interval '7 days' group by route order by route`,
  );
  return rows;
}

const REMOVED_AT_ONCE = 5_000;

/** Removes some of the requests older than seven days; false when there may be more. */
export async function removeOldFetches(database: Database): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `delete from mirror.fetches where ctid = any(array(
      select ctid from mirror.fetches where called_at < now() - interval '7 days' order by called_at limit $1))`,
    [REMOVED_AT_ONCE],
  );
  return (rowCount ?? 0) < REMOVED_AT_ONCE;
}
