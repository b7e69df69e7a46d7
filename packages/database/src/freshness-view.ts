import { LIVE } from './look-up.ts';
import type { MirroredTable } from './mirrored-table.ts';
import { quoteLiteral, tableName } from './quote.ts';

/** The view `mirror.freshness` over no tables: the same columns, nothing that depends on a table. */
export const EMPTY_FRESHNESS = createView(`
  select null::bigint, null::bigint, null::text, null::bigint, null::timestamptz, null::timestamptz, null::timestamptz,
    null::bigint where false`);

/** The view `mirror.freshness`: what the mirror holds of each resource in each scope, and how new that is. */
export function freshnessView(tables: readonly MirroredTable[]): string {
  if (tables.length === 0) return EMPTY_FRESHNESS;
  const held = tables.map(
    (table) => `
    select company_id, ${table.scope === 'project' ? 'project_id' : 'null::bigint as project_id'},
      ${quoteLiteral(table.resource)} as resource, count(*) filter (where ${LIVE}) as rows,
      null::timestamptz as last_event_at, max(_fetched_at) as last_fetch_at, null::timestamptz as oldest_pending_at,
      0::bigint as pending
    from ${tableName(table)} group by 1, 2`,
  );
  const resources = tables.map(({ resource, scope }) => `(${quoteLiteral(resource)}, ${scope === 'project'})`);
  // An event may name a project though its resource is one of the company.
  const projectId = 'case when r.in_project then n.project_id end as project_id';
  return createView(`
  with resources (resource, in_project) as (values ${resources.join(', ')}),
  facts as (${held.join('\n    union all')}
    union all
    select n.company_id, ${projectId}, resource, 0, max(n.received_at), null, null, 0
    from mirror.events n join resources r using (resource) group by 1, 2, 3
    union all
    select n.company_id, ${projectId}, resource, 0, null, null, min(n.first_seen_at), count(*)
    from mirror.pending n join resources r using (resource) group by 1, 2, 3
  )
  select company_id, project_id, resource, sum(rows)::bigint, max(last_event_at), max(last_fetch_at),
    min(oldest_pending_at), sum(pending)::bigint
  from facts group by 1, 2, 3`);
}

function createView(query: string): string {
  return `create or replace view mirror.freshness (company_id, project_id, resource, rows, last_event_at, last_fetch_at,
    oldest_pending_at, pending) as ${query}`;
}
