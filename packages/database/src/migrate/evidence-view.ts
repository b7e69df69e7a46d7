import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral } from '../schema/quote.ts';

export const EVIDENCE_COLUMNS = `company_id, project_id, resource, complete_until, proved_since, differs_since, oldest_pending_at,
  receivers_at, undelivered_at, log_until, hook_until, gap_since`;

export const EMPTY_EVIDENCE = `
  select null::bigint, null::bigint, null::text, null::timestamptz, null::timestamptz, null::timestamptz, null::timestamptz,
    null::timestamptz, null::timestamptz, null::timestamptz, null::timestamptz, null::timestamptz where false`;

// A copy of Procore's that a list came from may lag behind what had happened when it was asked for.
const LAG = `interval '10 seconds'`;

/**
 * What tells until when each table is complete in each scope (docs/decisions/029-complete-until.md):
 *
 *   proved_since ──its hook was active, no gap──▶ hook_until        its log was read and recorded ──▶ log_until
 *                ──receivers reported──▶ receivers_at               nothing waits at Procore ──▶ undelivered_at
 *
 * The earliest of these, or `proved_since` where one is not known, or begins after it; and never later than what is pending. Where a comparison
 * differed since, it stays at `proved_since`.
 */
export function evidenceQuery(tables: readonly MirroredTable[]): string {
  const members = tables.flatMap(membersOf);
  if (members.length === 0) return EMPTY_EVIDENCE;
  const names = tables.map(({ resource, scope }) => `(${quoteLiteral(resource)}, ${scope === 'project'})`);
  return `
  with names (resource, in_project) as (values ${names.join(', ')}),
  members (resource, in_project, member, by_listing, of) as (values ${members.join(', ')}),
  ${OPEN},
  ${BASES},
  ${EVENTS}
  select company_id, project_id, resource,
    nullif(least(oldest_pending_at, greatest(proved_since, case
      when differs_since > proved_since or hook_until is null or log_until is null or log_from > proved_since or receivers_at is null
        or not is_carried then null
      else least(hook_until, log_until, receivers_at, undelivered_at, gap_since) end)), '-infinity'),
    proved_since, differs_since, oldest_pending_at, receivers_at, undelivered_at, log_until, hook_until, gap_since
  from evidence`;
}

/** SQL rows: a resource, what has to be proved for it, whether a comparison of that counts, and how many there are of these. */
function membersOf({ resource, scope, provedBy }: MirroredTable): string[] {
  if (provedBy === undefined) return [];
  const { compares, fills, parents } = provedBy;
  const all = [
    ...fills.map((name) => ({ name, byListing: compares })),
    ...parents.filter((name) => !fills.includes(name)).map((name) => ({ name, byListing: true })),
  ];
  return all.map(
    ({ name, byListing }) =>
      `(${quoteLiteral(resource)}, ${scope === 'project'}, ${quoteLiteral(name)}, ${byListing}, ${all.length})`,
  );
}

// News that no fetch has settled. Of a body that nobody could read its company is known at most.
const OPEN = `news as (
    select company_id, project_id, resource, happened_at, to_fill from mirror.pending where happened_at is not null or to_fill
    union all
    select company_id, project_id, resource, happened_at, to_fill from mirror.dead_letters where kind = 'record'
    union all
    select d.company_id, d.project_id, n.resource, d.happened_at, false from mirror.dead_letters d
      join names n on lower(n.resource) = lower(d.resource)
      where d.kind = 'delivery' and d.company_id is not null and (d.project_id is not null or not n.in_project)
  ),
  open as (
    select n.company_id, case when r.in_project then n.project_id end as project_id, n.resource, min(n.happened_at) as happened_at,
      bool_or(n.to_fill) as to_fill
    from news n join names r using (resource) group by 1, 2, 3
  ),
  unread as materialized (
    select d.company_id, min(d.happened_at) as happened_at from mirror.dead_letters d
      left join names n on lower(n.resource) = lower(d.resource)
    where d.kind = 'delivery' and d.reason <> 'bad_report'
      and (d.company_id is null or n.resource is null or n.in_project and d.project_id is null)
    group by 1
  )`;

// A comparison leaves out a record that waits, of which more may be lacking than the news that it waits with: it counts when that is settled.
// Not all of it was shown where `since` is NULL; a condition on the count would have Postgres expect few tables, and look for hooks one by one.
const BASES = `filled as (
    select b.company_id, b.project_id, b.resource, case when o.to_fill then b.complete_before else b.complete_since end as since
    from mirror.backfills b left join open o on o.company_id = b.company_id and coalesce(o.project_id, 0) = coalesce(b.project_id, 0)
      and o.resource = b.resource
  ),
  listed as (
    select p.company_id, p.project_id, p.resource, max(p.as_of) as since
    from mirror.proofs p left join open o on o.company_id = p.company_id and coalesce(o.project_id, 0) = coalesce(p.project_id, 0)
      and o.resource = p.resource
    where p.outcome = 'equal' and p.rung = 'listing' and (o.happened_at is null or p.proved_at < o.happened_at) group by 1, 2, 3
  ),
  differed as (
    select company_id, project_id, resource, max(as_of) filter (where rung <> 'sample') as since,
      max(as_of) filter (where rung = 'sample') as sampled_since
    from mirror.proofs where outcome = 'differs' group by 1, 2, 3
  ),
  shown as (
    select company_id, project_id, resource, false as by_listing, since from filled where since is not null
    union all
    select company_id, project_id, resource, true, since from listed
  ),
  shown_of as (
    select s.company_id, s.project_id, m.resource, m.member, m.of, max(s.since) as since
    from shown s join members m on m.member = s.resource and (m.by_listing or not s.by_listing) and m.in_project = (s.project_id is not null)
    group by 1, 2, 3, 4, 5
  ),
  bases as (
    select company_id, project_id, resource, case when count(*) = of then min(since) - ${LAG} end as since from shown_of group by 1, 2, 3, of
  )`;

const EVENTS = `reported as materialized (
    select coalesce(min(least(reported_at, recorded_at)) filter (where stopped_at is null and recorded_at > now() - interval '1 day'),
      max(least(reported_at, recorded_at))) as at from mirror.receivers
  ),
  hooked as (
    select distinct on (h.company_id, h.project_id) h.company_id, h.project_id, h.good_until, h.carries_key,
      l.covers_from, l.covers_until
    from mirror.hooks h left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'
    where h.hook_id is not null order by h.company_id, h.project_id, h.good_until desc nulls last
  ),
  carried as (select distinct key, lower(resource) as resource from mirror.trigger_sets, unnest(resources) as resource),
  held as (
    select b.company_id, b.project_id, b.resource, g.since
    from bases b join mirror.event_gaps g on g.company_id = b.company_id and coalesce(g.project_id, 0) = coalesce(b.project_id, 0)
      and (g.resource is null or g.resource = lower(b.resource)) and g.until > b.since
    union all
    select b.company_id, b.project_id, b.resource, g.since
    from bases b join mirror.event_gaps g on g.company_id = b.company_id and g.resource = lower(b.resource) and g.until > b.since
    where g.project_id is null and b.project_id is not null
  ),
  gaps as (select company_id, project_id, resource, min(since) as since from held group by 1, 2, 3),
  evidence as (
    select b.company_id, b.project_id, b.resource, b.since as proved_since,
      -- What a sample found no list may carry.
      greatest(case when d.since > b.since and not coalesce(l.since > d.since, false) then d.since end,
        case when d.sampled_since > b.since then d.sampled_since end) as differs_since,
      least(o.happened_at, u.happened_at, (select min(happened_at) from unread where company_id is null)) as oldest_pending_at,
      (select at from reported) as receivers_at,
      case when w.count > 0 then coalesce(w.oldest_at, w.asked_at - interval '13 hours') end as undelivered_at,
      h.covers_from as log_from, h.covers_until as log_until, h.good_until as hook_until, g.since as gap_since,
      c.key is not null as is_carried
    from bases b
    left join differed d on d.company_id = b.company_id and coalesce(d.project_id, 0) = coalesce(b.project_id, 0) and d.resource = b.resource
    left join listed l on l.company_id = b.company_id and coalesce(l.project_id, 0) = coalesce(b.project_id, 0) and l.resource = b.resource
    left join open o on o.company_id = b.company_id and coalesce(o.project_id, 0) = coalesce(b.project_id, 0) and o.resource = b.resource
    left join unread u on u.company_id = b.company_id
    left join mirror.undelivered w on w.company_id = b.company_id
    left join hooked h on h.company_id = b.company_id and coalesce(h.project_id, 0) = coalesce(b.project_id, 0)
    left join carried c on c.key = h.carries_key and c.resource = lower(b.resource)
    left join gaps g on g.company_id = b.company_id and coalesce(g.project_id, 0) = coalesce(b.project_id, 0) and g.resource = b.resource
    where b.since is not null
  )`;
