import type pg from 'pg';
import { CALLS_OF_HOUR, countsOf, ROW_COUNTS } from '../counts/counted.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral } from '../schema/quote.ts';
import { EMPTY_EVIDENCE, EVIDENCE_COLUMNS, evidenceParts, evidenceQuery, pendingParts } from './evidence-view.ts';

const EMPTY = `
  select null::bigint, null::bigint, null::text, null::bigint, null::timestamptz, null::timestamptz, null::timestamptz,
    null::bigint, null::bigint, null::bigint, null::bigint, null::numeric, null::timestamptz, null::text,
    null::timestamptz, null::text, null::timestamptz where false`;

const COLUMNS = `company_id, project_id, resource, rows, last_event_at, last_fetch_at, oldest_pending_at, pending,
  calls_last_hour, events_last_day, calls_for_events_last_day, calls_per_event, left_at,
  completeness, proved_at, proof, complete_until`;

const HOLDINGS_COLUMNS = COLUMNS.replace(', proved_at, proof, complete_until', '');
const EMPTY_HOLDINGS = EMPTY.replace(/,\s+null::timestamptz, null::text, null::timestamptz where/, ' where');

// What no list can fill is there in part when anything of its scope was filled. What waits to be completed may be waiting because
// of news alone, so a part that nothing will complete shows when there are more parts than records that wait.
const COMPLETENESS = `case
    when f.is_open then 'filling'
    when not coalesce(f.is_over, false) and f.is_beside then 'partial'
    when not coalesce(f.is_over, false) then 'since first event'
    when f.is_to_complete or r.fills_itself and w.is_to_complete then 'filling'
    when f.is_in_part or coalesce(c.parts, 0) > coalesce(w.pending, 0) then 'partial'
    when c.parts > 0 then 'filling'
    else 'complete' end`;

/** Makes `mirror.freshness`, `mirror.holdings` and `mirror.evidence` views over no tables: the same columns, nothing that depends on a table. */
export async function emptyFreshness(client: pg.ClientBase): Promise<void> {
  await client.query(createView('evidence', EVIDENCE_COLUMNS, EMPTY_EVIDENCE));
  await client.query(createView('holdings', HOLDINGS_COLUMNS, EMPTY_HOLDINGS));
  await client.query(createView('freshness', COLUMNS, EMPTY));
}

/** Makes them views over these tables. */
export async function arrangeFreshness(client: pg.ClientBase, tables: readonly MirroredTable[]): Promise<void> {
  await arrangeView(client, 'evidence', EVIDENCE_COLUMNS, evidenceQuery(tables));
  await arrangeView(
    client,
    'holdings',
    HOLDINGS_COLUMNS,
    tables.length === 0 ? EMPTY_HOLDINGS : viewQuery(tables, false),
  );
  await arrangeView(client, 'freshness', COLUMNS, tables.length === 0 ? EMPTY : viewQuery(tables, true));
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
 * it takes. Events and calls are compared over the same time, that is not before calls were counted. `isWhole`: and until when that is complete;
 * without, it is `mirror.holdings`, in half the time.
 */
function viewQuery(tables: readonly MirroredTable[], isWhole: boolean): string {
  const proved = ['listing', 'bin', 'window', 'count'].map((rung) => ({ rung, at: `w.by_${rung}_at` }));
  const provedAt = `greatest(${proved.map(({ at }) => at).join(', ')})`;
  const proof = `case ${provedAt} ${proved.map(({ rung, at }) => `when ${at} then ${quoteLiteral(rung)}`).join(' ')} end`;
  return `
  with ${pendingParts(tables)},
  ${isWhole ? `${evidenceParts(tables)},` : ''}
  ${TRAFFIC},
  ${FILLS}
  select company_id, nullif(place, 0), r.name, greatest(coalesce(c.live, 0), 0), t.last_event_at, case when c.total > 0 then c.last_at end, w.first_seen_at,
    coalesce(w.pending, 0), coalesce(t.calls, 0), coalesce(t.day_events, 0), coalesce(t.day_calls, 0),
    round(coalesce(t.day_calls, 0)::numeric / nullif(t.day_events, 0), 2), s.left_at, ${COMPLETENESS}${isWhole ? `, ${provedAt}, ${proof}, e.complete_until` : ''}
  from (select c.*, nr from ${ROW_COUNTS} c join resources r using (resource)) c
    full join traffic t using (company_id, place, nr)
    full join ${isWhole ? 'lists' : 'waiting'} w using (company_id, place, nr)
    full join filled f using (company_id, place, nr)${isWhole ? ' full join evidence e using (company_id, place, nr)' : ''}
    join (select nr, resource as name, nr = any(filled_by) as fills_itself from resources) r using (nr)
    left join (
      select company_id, coalesce(project_id, 0) as place, min(left_at) as left_at from mirror.selection where left_at is not null group by 1, 2
    ) s using (company_id, place)
  where c.total > 0 or t.kept > 0 or w.pending > 0 or f.is_held`;
}

/** Events and calls. An event may name a project though its resource is one of the company. */
const TRAFFIC = `traffic as (
    select company_id, case when r.in_project then coalesce(project_id, 0) else 0 end as place, nr, sum(kept)::bigint as kept,
      case when sum(events) > 0 then max(last_at) end as last_event_at, sum(day_events)::bigint as day_events, sum(day_calls)::bigint as day_calls, sum(calls)::bigint as calls
    from (
      select company_id, project_id, resource, case kind when 'event' then total else lately end as kept, case kind when 'event' then total end as events,
        case kind when 'event' then last_at end as last_at,
        case when kind = 'event' and part is null then lately end as day_events, case when kind = 'call' and part = 'news' then lately end as day_calls,
        null::bigint as calls
      from ${countsOf('event', 'call')} n
      union all
      select company_id, project_id, resource, total, null, null, null, null, total from ${CALLS_OF_HOUR} n
    ) n join resources r using (resource) group by 1, 2, 3
  )`;

/** What backfills did for each list, and whether they left anything to complete of others that fill it. */
const FILLS = `fills (filler, nr, in_project) as (select unnest(filled_by), nr, in_project from resources),
  filled as (
    select company_id, place, nr, bool_or(is_open) as is_open, bool_or(is_over) as is_over, bool_or(is_in_part) as is_in_part,
      bool_or(is_beside) as is_beside, bool_or(is_to_complete) as is_to_complete, bool_or(is_held) as is_held
    from (
      select n.company_id, coalesce(n.project_id, 0) as place, f.nr, n.state in ('waiting', 'running') as is_open,
        n.state in ('done', 'off', 'failed') as is_over, n.state = 'failed' or n.state = 'done' and n.detail is not null as is_in_part,
        false as is_beside, false as is_to_complete, true as is_held
      from mirror.backfills n join resources r using (resource) join fills f on r.nr = f.filler
      union all
      select n.company_id, case when f.in_project then n.place else 0 end, f.nr, false, false, false, false, true, true
      from waiting n join fills f on n.nr = f.filler where n.is_to_complete and f.filler <> f.nr
      union all
      select n.company_id, n.place, r.nr, false, false, false, true, false, false
      from (select distinct company_id, coalesce(project_id, 0) as place from mirror.backfills where state in ('done', 'failed')) n
        join resources r on r.filled_by = '{}' and r.in_project = (n.place <> 0)
    ) n group by 1, 2, 3
  )`;

function createView(name: string, columns: string, query: string): string {
  // Postgres lets a view that is replaced get more columns, at its end only.
  return `create or replace view mirror.${name} (${columns}) as ${query}`;
}
