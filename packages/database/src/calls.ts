import type { Database } from './open-database.ts';

/** Calls of one company, project and resource that were not entered yet. */
export type CallCount = {
  companyId: string;
  projectId: string | null;
  /** null: for no resource, as hooks and lists of projects are. */
  resource: string | null;
  count: number;
  forEvents: number;
  failed: number;
  lastStatus: number | null;
};

/** Adds to the counts of the ten minutes that run now. */
export async function addCalls(database: Database, counts: readonly CallCount[]): Promise<void> {
  if (counts.length === 0) return;
  await database.pool.query({
    name: 'add-calls',
    text: ADD_CALLS,
    values: [
      counts.map((one) => one.companyId),
      counts.map((one) => one.projectId),
      counts.map((one) => one.resource),
      counts.map((one) => one.count),
      counts.map((one) => one.forEvents),
      counts.map((one) => one.failed),
      counts.map((one) => one.lastStatus),
    ],
  });
}

// In one order everywhere, so that two processes do not block each other for ever.
const ADD_CALLS = `
insert into mirror.calls as c (company_id, project_id, resource, period_start, count, for_events, failed, last_status,
  last_called_at)
select company_id, project_id, resource, date_bin('10 minutes', now(), '2000-01-01'), count, for_events, failed,
  last_status, now()
from unnest($1::bigint[], $2::bigint[], $3::text[], $4::int[], $5::int[], $6::int[], $7::int[])
  as n(company_id, project_id, resource, count, for_events, failed, last_status)
order by company_id, project_id, resource
on conflict (company_id, project_id, resource, period_start) do update set count = c.count + excluded.count,
  for_events = c.for_events + excluded.for_events, failed = c.failed + excluded.failed,
  last_status = excluded.last_status, last_called_at = excluded.last_called_at`;

/** Removes counts older than two days. */
export async function removeOldCalls(database: Database): Promise<void> {
  await database.pool.query(`delete from mirror.calls where period_start < now() - interval '48 hours'`);
}
