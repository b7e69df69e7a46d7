import type pg from 'pg';
import { ALL_COUNTS, CALLS_OF_HOUR, earliestPending } from '../counts/counted.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral } from '../schema/quote.ts';
import { EMPTY_EVIDENCE, EVIDENCE_COLUMNS, evidenceParts, evidenceQuery } from './evidence-view.ts';

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
    when sum(ended_fills) = 0 and sum(filled_beside) > 0 then 'partial'
    when sum(ended_fills) = 0 then 'since first event'
    when sum(to_complete) > 0 then 'filling'
    when sum(fills_in_part) > 0 or sum(parts) > sum(pending) then 'partial'
    when sum(parts) > 0 then 'filling'
    else 'complete' end`;

/** What each part of the view tells of a list, and what it says where it tells nothing of it. */
const FACTS = [
  ['rows', '0'],
  ['last_event_at', 'null::timestamptz'],
  ['last_fetch_at', 'null::timestamptz'],
  ['oldest_pending_at', 'null::timestamptz'],
  ['pending', '0'],
  ['calls', '0'],
  ['day_events', '0'],
  ['day_calls', '0'],
  ['parts', '0'],
  ['to_complete', '0'],
  ['open_fills', '0'],
  ['ended_fills', '0'],
  ['fills_in_part', '0'],
  ['filled_beside', '0'],
  ['proved_at', 'null::timestamptz'],
  ['proof', 'null::text'],
  ['complete_until', 'null::timestamptz'],
  ['is_held', 'true'],
] as const;

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
  const resources = tables.map(
    ({ resource, scope, filledBy = [resource] }) =>
      `(${quoteLiteral(resource)}, ${scope === 'project'}, array[${filledBy.map(quoteLiteral).join(', ')}]::text[])`,
  );
  // An event may name a project though its resource is one of the company.
  const projectId = 'case when r.in_project then n.project_id end as project_id';
  const fact = (columns: Partial<Record<(typeof FACTS)[number][0], string>>): string =>
    FACTS.map(([name, none]) => `coalesce(${columns[name] ?? 'null'}, ${none}) as ${name}`).join(', ');
  const evidence = evidenceParts(tables, earliestPending('first_seen_at'));
  const proved = ['listing', 'bin', 'window', 'count'].map((rung) => ({ rung, at: `by_${rung}_at` }));
  const provedAt = `greatest(${proved.map(({ at }) => at).join(', ')})`;
  return `
  with resources (resource, in_project, filled_by) as (values ${resources.join(', ')}),
  fills (filler, resource) as (select unnest(filled_by), resource from resources),
  ${evidence},
  facts as (
    select n.company_id, ${projectId}, n.resource, ${fact({
      rows: `greatest(sum(live) filter (where kind = 'row'), 0)`,
      last_event_at: `max(last_at) filter (where kind = 'event')`,
      last_fetch_at: `max(last_at) filter (where kind = 'row')`,
      pending: `sum(total) filter (where kind = 'pending')`,
      day_events: `sum(lately) filter (where kind = 'event' and part is null)`,
      day_calls: `sum(lately) filter (where kind = 'call' and part = 'news')`,
      parts: `sum(parts) filter (where kind = 'row')`,
    })}
    from ${ALL_COUNTS} n join resources r using (resource) group by 1, 2, 3
    having sum(total) filter (where kind <> 'call') > 0 or sum(lately) filter (where kind = 'call') > 0
    union all
    select n.company_id, ${projectId}, n.resource, ${fact({ calls: 'sum(total)' })}
    from ${CALLS_OF_HOUR} n join resources r using (resource) group by 1, 2, 3
    union all
    select n.company_id, n.project_id, f.resource, ${fact({
      open_fills: `count(*) filter (where n.state in ('waiting', 'running'))`,
      ended_fills: `count(*) filter (where n.state in ('done', 'off', 'failed'))`,
      fills_in_part: `count(*) filter (where n.state = 'failed' or n.state = 'done' and n.detail is not null)`,
    })}
    from mirror.backfills n join fills f on n.resource = f.filler group by 1, 2, 3
    union all
    select n.company_id, n.project_id, r.resource, ${fact({ is_held: 'false', filled_beside: '1' })}
    from (select distinct company_id, project_id from mirror.backfills where state in ('done', 'failed')) n
      join resources r on r.filled_by = '{}' and r.in_project = (n.project_id is not null)
    union all
    select n.company_id, ${projectId}, r.resource, ${fact({ to_complete: 'sum(n.total)' })}
    from ${ALL_COUNTS} n join fills f on n.resource = f.filler join resources r on r.resource = f.resource
    where n.kind = 'pending' and n.part = 'backfill' group by 1, 2, 3 having sum(n.total) > 0
    union all
    select company_id, project_id, resource, ${fact({
      is_held: 'false',
      oldest_pending_at: 'first_seen_at',
      proved_at: provedAt,
      proof: `case ${provedAt} ${proved.map(({ rung, at }) => `when ${at} then ${quoteLiteral(rung)}`).join(' ')} end`,
    })}
    from lists
    union all
    select company_id, project_id, resource, ${fact({ is_held: 'false', complete_until: 'complete_until' })} from evidence
  ),
  held as (
    select company_id, project_id, resource, sum(rows)::bigint as rows, max(last_event_at) as last_event_at, max(last_fetch_at) as last_fetch_at,
      min(oldest_pending_at) as oldest_pending_at, sum(pending)::bigint as pending, sum(calls)::bigint as calls, sum(day_events)::bigint as day_events,
      sum(day_calls)::bigint as day_calls, ${COMPLETENESS} as completeness, max(proved_at) as proved_at, max(proof) as proof,
      max(complete_until) as complete_until
    from facts f group by 1, 2, 3 having bool_or(is_held)
  )
  select f.company_id, f.project_id, f.resource, rows, last_event_at, last_fetch_at, oldest_pending_at, pending, calls, day_events, day_calls,
    round(day_calls::numeric / nullif(day_events, 0), 2), s.left_at, completeness, proved_at, proof, complete_until
  from held f left join (
    select company_id, project_id, min(left_at) as left_at from mirror.selection where left_at is not null group by 1, 2) s
    on s.company_id = f.company_id and coalesce(s.project_id, 0) = coalesce(f.project_id, 0)`;
}

function createView(name: string, columns: string, query: string): string {
  // Postgres lets a view that is replaced get more columns, at its end only.
  return `create or replace view mirror.${name} (${columns}) as ${query}`;
}
