import type pg from 'pg';
import { LIVE } from '../rows/look-up.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, tableName } from '../schema/quote.ts';
import { EMPTY_EVIDENCE, EVIDENCE_COLUMNS, evidenceQuery } from './evidence-view.ts';

const EMPTY = `
  select null::bigint, null::bigint, null::text, null::bigint, null::timestamptz, null::timestamptz, null::timestamptz,
    null::bigint, null::bigint, null::bigint, null::bigint, null::numeric, null::timestamptz, null::text,
    null::timestamptz, null::text, null::timestamptz where false`;

const COLUMNS = `company_id, project_id, resource, rows, last_event_at, last_fetch_at, oldest_pending_at, pending,
  calls_last_hour, events_last_day, calls_for_events_last_day, calls_per_event, left_at,
  completeness, proved_at, proof, complete_until`;

// What no list can fill is there in part when anything of its scope was filled. What waits to be completed may be waiting because
// of news alone, so a part that nothing will complete shows when there are more parts than records that wait.
const COMPLETENESS = `case
    when sum(open_fills) > 0 then 'filling'
    when sum(ended_fills) = 0 and exists (select from mirror.backfills b join resources r on r.resource = f.resource
      where r.filled_by = '{}' and b.company_id = f.company_id and b.project_id is not distinct from f.project_id
        and b.state in ('done', 'failed')) then 'partial'
    when sum(ended_fills) = 0 then 'since first event'
    when sum(to_complete) > 0 then 'filling'
    when sum(fills_in_part) > 0 or sum(parts) > sum(pending) then 'partial'
    when sum(parts) > 0 then 'filling'
    else 'complete' end`;

/** Makes `mirror.freshness` and `mirror.evidence` views over no tables: the same columns, nothing that depends on a table. */
export async function emptyFreshness(client: pg.ClientBase): Promise<void> {
  await client.query(createView('evidence', EVIDENCE_COLUMNS, EMPTY_EVIDENCE));
  await client.query(createView('freshness', COLUMNS, EMPTY));
}

/** Makes them views over these tables. */
export async function arrangeFreshness(client: pg.ClientBase, tables: readonly MirroredTable[]): Promise<void> {
  await arrangeView(client, 'evidence', EVIDENCE_COLUMNS, evidenceQuery(tables));
  await arrangeView(client, 'freshness', COLUMNS, freshnessQuery(tables));
}

/**
 * Makes or replaces the view, or leaves it alone if it is so: to replace it takes a lock that no reader may hold. Postgres knows a view by what
 * it made of its text, so one of another name is made for the comparison.
 */
async function arrangeView(client: pg.ClientBase, name: string, columns: string, query: string): Promise<void> {
  await client.query('savepoint as_wanted');
  await client.query(createView(`${name}_as_wanted`, columns, query));
  const { rows } = await client.query<{ is_so: boolean }>(
    `select coalesce(pg_get_viewdef(to_regclass('mirror.${name}')) = pg_get_viewdef('mirror.${name}_as_wanted'::regclass), false)
      as is_so`,
  );
  await client.query('rollback to savepoint as_wanted');
  if (rows[0]?.is_so !== true) await client.query(createView(name, columns, query));
}

/**
 * What `mirror.freshness` shows: what the mirror holds of each resource in each scope, how new that is, and how many calls
 * it takes. Events and calls are compared over the same time, that is not before calls were counted.
 */
function freshnessQuery(tables: readonly MirroredTable[]): string {
  if (tables.length === 0) return EMPTY;
  const held = tables.map(
    (table) => `
    select company_id, ${table.scope === 'project' ? 'project_id' : 'null::bigint as project_id'},
      ${quoteLiteral(table.resource)} as resource, count(*) filter (where ${LIVE}) as rows,
      null::timestamptz as last_event_at, max(_fetched_at) as last_fetch_at, null::timestamptz as oldest_pending_at,
      0::bigint as pending, 0::bigint as calls, 0::bigint as day_events, 0::bigint as day_calls,
      count(*) filter (where ${LIVE} and not _complete) as parts, 0::bigint as to_complete,
      0::bigint as open_fills, 0::bigint as ended_fills, 0::bigint as fills_in_part
    from ${tableName(table)} group by 1, 2`,
  );
  const resources = tables.map(
    ({ resource, scope, filledBy = [resource] }) =>
      `(${quoteLiteral(resource)}, ${scope === 'project'}, array[${filledBy.map(quoteLiteral).join(', ')}]::text[])`,
  );
  // An event may name a project though its resource is one of the company.
  const projectId = 'case when r.in_project then n.project_id end as project_id';
  return `
  with resources (resource, in_project, filled_by) as (values ${resources.join(', ')}),
  day (start) as (
    select greatest(now() - interval '24 hours', date_bin('10 minutes', first_at, '2000-01-01 00:00+00'))
    from (select min(called_at) as first_at from mirror.fetches) f where first_at is not null
  ),
  facts as (${held.join('\n    union all')}
    union all
    select n.company_id, ${projectId}, resource, 0, max(n.received_at), null, null, 0,
      0, count(*) filter (where n.outcome = 'pending' and n.received_at >= (select start from day)), 0, 0, 0, 0, 0, 0
    from mirror.events n join resources r using (resource) group by 1, 2, 3
    union all
    select n.company_id, ${projectId}, resource, 0, null, null, min(n.first_seen_at), count(*), 0, 0, 0, 0, 0, 0, 0, 0
    from mirror.pending n join resources r using (resource) group by 1, 2, 3
    union all
    select n.company_id, ${projectId}, resource, 0, null, null, null, 0,
      sum(n.count) filter (where n.period_start > now() - interval '1 hour'), 0,
      sum(n.for_events) filter (where n.period_start >= (select start from day)), 0, 0, 0, 0, 0
    from mirror.calls n join resources r using (resource) group by 1, 2, 3
    union all
    select n.company_id, n.project_id, r.resource, 0, null, null, null, 0, 0, 0, 0, 0, 0,
      count(*) filter (where n.state in ('waiting', 'running')), count(*) filter (where n.state in ('done', 'off', 'failed')),
      count(*) filter (where n.state = 'failed' or n.state = 'done' and n.detail is not null)
    from mirror.backfills n join resources r on n.resource = any(r.filled_by) group by 1, 2, 3
    union all
    select n.company_id, n.project_id, r.resource, 0, null, null, null, 0, 0, 0, 0, 0, count(*), 0, 0, 0
    from mirror.pending n join resources r on n.resource = any(r.filled_by) where n.lane = 'backfill' group by 1, 2, 3
  ),
  proved as (
    select distinct on (company_id, project_id, resource) company_id, project_id, resource as of_resource, proved_at, rung
    from mirror.proofs where outcome = 'equal' and rung <> 'sample' order by company_id, project_id, resource, proved_at desc
  )
  select f.company_id, f.project_id, resource, sum(rows)::bigint, max(last_event_at), max(last_fetch_at),
    min(oldest_pending_at), sum(pending)::bigint, coalesce(sum(calls), 0)::bigint,
    sum(day_events)::bigint, coalesce(sum(day_calls), 0)::bigint,
    round(coalesce(sum(day_calls), 0)::numeric / nullif(sum(day_events), 0), 2), min(s.left_at), ${COMPLETENESS},
    max(p.proved_at), max(p.rung), max(e.complete_until)
  from facts f left join mirror.selection s
    on s.company_id = f.company_id and coalesce(s.project_id, 0) = coalesce(f.project_id, 0)
  left join proved p
    on p.company_id = f.company_id and coalesce(p.project_id, 0) = coalesce(f.project_id, 0) and p.of_resource = f.resource
  left join (select company_id, project_id, resource as of_resource, complete_until from mirror.evidence) e
    on e.company_id = f.company_id and coalesce(e.project_id, 0) = coalesce(f.project_id, 0) and e.of_resource = f.resource
  group by 1, 2, 3`;
}

function createView(name: string, columns: string, query: string): string {
  // Postgres lets a view that is replaced get more columns, at its end only.
  return `create or replace view mirror.${name} (${columns}) as ${query}`;
}
