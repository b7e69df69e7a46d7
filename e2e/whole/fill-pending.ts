// A backlog as a long outage leaves it, written by SQL: batches of one record and of thousands, each record with its event.
import type { BatchKey, Database } from '@procore-mirror/database';

/**
 * Makes `records` pending, all of them due. The first batches are the largest (the first has a fiftieth of all records),
 * many at the end have a single one; `own` batches get as many as given, whatever the size of the backlog.
 */
export async function fillPending(
  database: Database,
  {
    records,
    batches,
    own,
  }: { records: number; batches: readonly BatchKey[]; own: { batches: readonly BatchKey[]; each: number } },
): Promise<void> {
  await database.pool.query('set statement_timeout = 0');
  await insertPending(database, batches, 'ceil($4::float8 / 50 * exp(-sqrt(b.rank - 1) / 5))', records);
  await insertPending(database, own.batches, '$4', own.each);
  await database.pool.query(LOG_EVENTS);
  await database.pool.query(SCHEDULE);
  await database.pool.query('vacuum analyze');
}

async function insertPending(
  database: Database,
  batches: readonly BatchKey[],
  size: string,
  count: number,
): Promise<void> {
  await database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, event_id, occurred_at, first_seen_at,
        last_seen_at, ready_at)
      select b.company_id, b.project_id, b.resource, id, 'EVENT/' || b.resource || '/' || coalesce(b.project_id, 0) || '/' || id,
        at, at, at, at + interval '2 seconds'
      from unnest($1::bigint[], $2::bigint[], $3::text[]) with ordinality as b(company_id, project_id, resource, rank)
      cross join lateral generate_series(1, (${size})::int) as n
      cross join lateral (select (900000000000000 + b.rank * 100000 + n)::text as id, now() - random() * interval '6 hours' as at) as made`,
    [batches.map((b) => b.companyId), batches.map((b) => b.projectId), batches.map((b) => b.resource), count],
  );
}

const LOG_EVENTS = `
insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version,
  raw, outcome)
select event_id, company_id, project_id, resource, record_id, 'update', occurred_at, first_seen_at, 'v4.0',
  jsonb_build_object('id', event_id, 'timestamp', occurred_at, 'reason', 'update', 'company_id', company_id::text,
    'project_id', project_id::text, 'resource_type', resource, 'resource_id', record_id, 'user_id', '1'), 'pending'
from mirror.pending`;

const SCHEDULE = `
insert into mirror.batches (company_id, project_id, resource, lane, due_at, first_due_at)
select company_id, project_id, resource, lane, min(ready_at), min(ready_at) from mirror.pending group by 1, 2, 3, 4`;
