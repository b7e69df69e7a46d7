// What follows of a time of which changes may be lacking (`mirror.event_gaps`): what can be proved again is.
import type { Queryable } from '../connection/queryable.ts';
import type { BatchKey } from './batch.ts';

type Gaps = {
  companyId: string;
  /** Gaps that ended until then (as `findOpenGaps` says). */
  until: string;
  /** Of resources that no list of their own shows: by which parent's. */
  shownBy: readonly { resource: string; parent: string }[];
};

/** Until when gaps of the company ended that nothing followed of yet; null: there are none. Those wait that a comparison under way may not see. */
export async function findOpenGaps(client: Queryable, companyId: string): Promise<string | null> {
  const { rows } = await client.query<{ until: string | null }>(
    `select max(until)::text as until from mirror.event_gaps g where company_id = $1 and heeded_at is null and until <= now()
      and not exists (select from mirror.comparisons c where c.company_id = $1 and c.state = 'running' and c.started_at < g.until)`,
    [companyId],
  );
  return rows[0]?.until ?? null;
}

/** SQL: each filled table of the company that such a gap touches, by the last one, `lacking` of (project_id, resource, until). */
const LACKING = `
  gaps as materialized (
    select project_id, coalesce(lower(parent), g.resource) as resource, max(until) as until from mirror.event_gaps g
    left join unnest($4::text[], $5::text[]) as shown (child, parent) on lower(child) = g.resource
    where company_id = $1 and heeded_at is null and until <= $2::timestamptz group by 1, 2
  ),
  lacking as (
    select project_id, resource, max(until) as until from (
      select t.project_id, t.resource, g.until from mirror.backfills t join gaps g on coalesce(g.project_id, 0) = coalesce(t.project_id, 0)
      where t.company_id = $1 and t.resource = any($3::text[]) and (g.resource is null or g.resource = lower(t.resource))
      union all
      select t.project_id, t.resource, g.until from mirror.backfills t join gaps g on g.resource = lower(t.resource)
      where t.company_id = $1 and t.resource = any($3::text[]) and g.project_id is null and t.project_id is not null
    ) l group by 1, 2
  )`;

/** Tables of these resources, of no more than so many records, that such a gap touches and that were not filled since. */
export async function findLackingFills(
  client: Queryable,
  { companyId, until, shownBy, resources, mostRecords }: Gaps & { resources: readonly string[]; mostRecords: number },
): Promise<BatchKey[]> {
  const { rows } = await client.query<{ projectId: string | null; resource: string }>(
    `with ${LACKING}
      select b.project_id::text as "projectId", b.resource from mirror.backfills b join lacking l
        on coalesce(l.project_id, 0) = coalesce(b.project_id, 0) and l.resource = b.resource
      where b.company_id = $1 and b.state = 'done' and b.rows <= $6 and b.requested_at < l.until
        and coalesce(b.complete_since, '-infinity') < l.until
        and exists (select from mirror.selection s where s.company_id = $1 and s.project_id is not distinct from b.project_id
          and s.is_selected and s.is_active)
      order by 1 nulls first, 2`,
    [companyId, until, resources, ...columnsOf(shownBy), mostRecords],
  );
  return rows.map((table) => ({ companyId, ...table }));
}

/**
 * The whole lists of tables of these resources that such a gap touches, and that were not read since, are compared next: it is taken for granted
 * that they differ.
 */
export async function heedGaps(
  client: Queryable,
  { companyId, until, shownBy, resources }: Gaps & { resources: readonly string[] },
): Promise<void> {
  await client.query(
    `with ${LACKING},
      suspected as (
        insert into mirror.comparisons as c (company_id, project_id, resource, rung, state, differs_since)
        select $1, b.project_id, b.resource, 'listing', 'done', l.until from mirror.backfills b join lacking l
          on coalesce(l.project_id, 0) = coalesce(b.project_id, 0) and l.resource = b.resource
        where b.company_id = $1 and b.state = 'done' and coalesce(b.complete_since, '-infinity') < l.until
          and not exists (select from mirror.proofs p where p.company_id = $1 and p.project_id is not distinct from b.project_id
            and p.resource = b.resource and p.rung = 'listing' and p.as_of >= l.until)
        order by 2, 3
        on conflict (company_id, project_id, resource) do update
          set next_listing_at = least(c.next_listing_at, now()), differs_since = coalesce(c.differs_since, excluded.differs_since)
      )
      update mirror.event_gaps set heeded_at = now() where company_id = $1 and heeded_at is null and until <= $2::timestamptz`,
    [companyId, until, resources, ...columnsOf(shownBy)],
  );
}

function columnsOf(shownBy: Gaps['shownBy']): [string[], string[]] {
  return [shownBy.map(({ resource }) => resource), shownBy.map(({ parent }) => parent)];
}
