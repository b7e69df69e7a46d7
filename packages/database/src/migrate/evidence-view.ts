import { earliestPending, PENDING_LISTS } from '../counts/counted.ts';
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
  if (tables.length === 0) return EMPTY_EVIDENCE;
  return `
  with ${evidenceParts(tables, 'null::timestamptz')}
  select company_id, project_id, resource, complete_until, proved_since, differs_since, oldest_pending_at, receivers_at, undelivered_at,
    log_until, hook_until, gap_since
  from evidence`;
}

/**
 * What it consists of, for a WITH: `lists`, what is known of each list, `evidence` at its end. `firstSeenAt`: how `lists` tell since when the
 * first record of list `l` is pending.
 */
export function evidenceParts(tables: readonly MirroredTable[], firstSeenAt: string): string {
  const members = tables.flatMap(membersOf);
  const names = tables.map(({ resource, scope }) => `(${quoteLiteral(resource)}, ${scope === 'project'})`);
  return `names (resource, in_project) as (values ${names.join(', ')}),
  members (resource, in_project, member, by_listing, of) as (${members.length > 0 ? `values ${members.join(', ')}` : NO_MEMBERS}),
  ${open(firstSeenAt)},
  ${BASES},
  ${EVENTS}`;
}

const NO_MEMBERS = 'select null::text, null::boolean, null::text, null::boolean, null::integer where false';

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
const open = (firstSeenAt: string): string => `news as (
    select company_id, project_id, resource, ${earliestPending('happened_at')} as happened_at, parts > 0 as to_fill, ${firstSeenAt} as first_seen_at
    from ${PENDING_LISTS} l
    union all
    select company_id, project_id, resource, happened_at, to_fill, null from mirror.dead_letters where kind = 'record'
    union all
    select d.company_id, d.project_id, n.resource, d.happened_at, false, null from mirror.dead_letters d
      join names n on lower(n.resource) = lower(d.resource)
      where d.kind = 'delivery' and d.company_id is not null and (d.project_id is not null or not n.in_project)
  ),
  unread as materialized (
    select d.company_id, min(d.happened_at) as happened_at from mirror.dead_letters d
      left join names n on lower(n.resource) = lower(d.resource)
    where d.kind = 'delivery' and d.reason <> 'bad_report'
      and (d.company_id is null or n.resource is null or n.in_project and d.project_id is null)
    group by 1
  )`;

// What is known of each list is put together by a grouping: a join by three columns, of which one may be NULL, is planned badly.
// Not all of it was shown where `since` is NULL; a condition on the count would have Postgres expect few tables, and look for hooks one by one.
const BASES = `told as (
    select n.company_id, case when r.in_project then n.project_id end as project_id, n.resource, n.happened_at, n.to_fill, n.first_seen_at,
      null::timestamptz as complete_since, null::timestamptz as complete_before, null::timestamptz as listed, null::timestamptz as differed,
      null::timestamptz as by_listing_at, null::timestamptz as by_bin_at, null::timestamptz as by_window_at, null::timestamptz as by_count_at
    from news n join names r using (resource)
    union all
    select company_id, project_id, resource, null, null, null, complete_since, complete_before, null, null, null, null, null, null from mirror.backfills
    union all
    select company_id, project_id, resource, null, null, null, null, null, max(as_of) filter (where outcome = 'equal' and rung = 'listing'),
      max(as_of) filter (where outcome = 'differs'), max(proved_at) filter (where outcome = 'equal' and rung = 'listing'),
      max(proved_at) filter (where outcome = 'equal' and rung = 'bin'), max(proved_at) filter (where outcome = 'equal' and rung = 'window'),
      max(proved_at) filter (where outcome = 'equal' and rung = 'count')
    from (
      select company_id, project_id, resource, outcome, rung, max(as_of) as as_of, max(proved_at) as proved_at from mirror.proofs group by 1, 2, 3, 4, 5
    ) p group by 1, 2, 3
  ),
  lists as materialized (
    select company_id, project_id, resource, min(happened_at) as happened_at, min(first_seen_at) as first_seen_at,
      max(listed) as listed, max(differed) as differed, max(by_listing_at) as by_listing_at, max(by_bin_at) as by_bin_at,
      max(by_window_at) as by_window_at, max(by_count_at) as by_count_at,
      case when bool_or(to_fill) then max(complete_before) else max(complete_since) end as filled
    from told group by 1, 2, 3
  ),
  shown as (
    select company_id, project_id, resource, false as by_listing, filled as since from lists where filled is not null
    union all
    select company_id, project_id, resource, true, listed from lists where listed is not null
  ),
  shown_of as (
    select s.company_id, s.project_id, m.resource, m.member, m.of, max(s.since) as since
    from shown s join members m on m.member = s.resource and (m.by_listing or not s.by_listing) and m.in_project = (s.project_id is not null)
    group by 1, 2, 3, 4, 5
  ),
  based as (
    select company_id, project_id, resource, case when count(*) = of then min(since) - ${LAG} end as since from shown_of group by 1, 2, 3, of
  ),
  bases as materialized (
    select company_id, project_id, resource, max(since) as since, min(happened_at) as happened_at, max(listed) as listed, max(differed) as differed
    from (
      select company_id, project_id, resource, since, null::timestamptz as happened_at, null::timestamptz as listed, null::timestamptz as differed from based
      union all
      select company_id, project_id, resource, null, happened_at, listed, differed from lists
    ) b group by 1, 2, 3
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
  gaps as (
    select b.company_id, b.project_id, b.resource, min(g.since) as since
    from bases b join mirror.event_gaps g on g.company_id = b.company_id and coalesce(g.project_id, 0) = coalesce(b.project_id, 0)
      and (g.resource is null or g.resource = lower(b.resource)) and g.until > b.since
    group by 1, 2, 3
  ),
  weighed as (
    select b.company_id, b.project_id, b.resource, b.since as proved_since,
      case when b.differed > b.since and not coalesce(b.listed > b.differed, false) then b.differed end as differs_since,
      least(b.happened_at, u.happened_at, (select min(happened_at) from unread where company_id is null)) as oldest_pending_at,
      (select at from reported) as receivers_at,
      case when w.count > 0 then coalesce(w.oldest_at, w.asked_at - interval '13 hours') end as undelivered_at,
      h.covers_from as log_from, h.covers_until as log_until, h.good_until as hook_until, g.since as gap_since,
      c.key is not null as is_carried
    from bases b
    left join unread u on u.company_id = b.company_id
    left join mirror.undelivered w on w.company_id = b.company_id
    left join hooked h on h.company_id = b.company_id and coalesce(h.project_id, 0) = coalesce(b.project_id, 0)
    left join carried c on c.key = h.carries_key and c.resource = lower(b.resource)
    left join gaps g on g.company_id = b.company_id and coalesce(g.project_id, 0) = coalesce(b.project_id, 0) and g.resource = b.resource
    where b.since is not null
  ),
  evidence as (
    select company_id, project_id, resource,
      nullif(least(oldest_pending_at, greatest(proved_since, case
        when differs_since > proved_since or hook_until is null or log_until is null or log_from > proved_since or receivers_at is null
          or not is_carried then null
        else least(hook_until, log_until, receivers_at, undelivered_at, gap_since) end)), '-infinity') as complete_until,
      proved_since, differs_since, oldest_pending_at, receivers_at, undelivered_at, log_until, hook_until, gap_since
    from weighed
  )`;
