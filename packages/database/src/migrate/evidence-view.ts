import { pendingLanes } from '../counts/counted.ts';
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
  with ${pendingParts(tables)},
  ${evidenceParts(tables)}
  select company_id, nullif(place, 0), resource, complete_until, proved_since, differs_since, oldest_pending_at, receivers_at, undelivered_at,
    log_until, hook_until, gap_since
  from evidence join resources r using (nr)`;
}

/**
 * For a WITH: `resources`, and what is pending of them by list (`waiting`). A list is known by its company, its `place` (the project, 0 without)
 * and the `nr` of its resource. What is known of lists is put together by full joins of these: other joins may be planned so that each is compared
 * with each.
 */
export function pendingParts(tables: readonly MirroredTable[]): string {
  const resources = tables.map(
    ({ resource, scope, filledBy = [resource] }, at) =>
      `(${at}, ${quoteLiteral(resource)}, ${scope === 'project'}, array[${filledBy.map((name) => numberOf(tables, name)).join(', ')}]::integer[])`,
  );
  return `resources (nr, resource, in_project, filled_by) as (values ${resources.join(', ')}),
  waiting as materialized (
    select company_id, case when r.in_project then place else 0 end as place, nr, sum(total)::bigint as pending, bool_or(parts > 0) as to_fill,
      bool_or(part = 'backfill') as is_to_complete, min(first_seen_at) as first_seen_at, min(happened_at) as happened_at
    from ${pendingLanes()} l join resources r using (resource) group by 1, 2, 3
  )`;
}

/** -1: there is no such table. */
function numberOf(tables: readonly MirroredTable[], name: string): number {
  return tables.findIndex(({ resource }) => resource === name);
}

/** And further: `lists`, what is known of each list; `evidence` at its end. */
export function evidenceParts(tables: readonly MirroredTable[]): string {
  const members = tables.flatMap((table, at) => membersOf(table, at, tables));
  return `members (nr, in_project, member, by_listing, of) as (${members.length > 0 ? `values ${members.join(', ')}` : NO_MEMBERS}),
  ${LETTERS},
  ${BASES},
  ${EVENTS}`;
}

const NO_MEMBERS = 'select null::integer, null::boolean, null::integer, null::boolean, null::integer where false';

/** SQL rows: a resource, what has to be proved for it, whether a comparison of that counts, and how many there are of these. */
function membersOf(table: MirroredTable, at: number, tables: readonly MirroredTable[]): string[] {
  if (table.provedBy === undefined) return [];
  const { compares, fills, parents } = table.provedBy;
  const all = [
    ...fills.map((name) => ({ name, byListing: compares })),
    ...parents.filter((name) => !fills.includes(name)).map((name) => ({ name, byListing: true })),
  ];
  return all.map(
    ({ name, byListing }) =>
      `(${at}, ${table.scope === 'project'}, ${numberOf(tables, name)}, ${byListing}, ${all.length})`,
  );
}

// News that no fetch has settled and none waits for. Of a body that nobody could read its company is known at most.
const LETTERS = `letters as (
    select company_id, place, nr, min(happened_at) as happened_at, bool_or(to_fill) as to_fill
    from (
      select company_id, case when r.in_project then coalesce(project_id, 0) else 0 end as place, nr, happened_at, to_fill
      from mirror.dead_letters join resources r using (resource) where kind = 'record'
      union all
      select d.company_id, case when r.in_project then d.project_id else 0 end, nr, d.happened_at, false from mirror.dead_letters d
        join resources r on lower(r.resource) = lower(d.resource)
        where d.kind = 'delivery' and d.company_id is not null and (d.project_id is not null or not r.in_project)
    ) d group by 1, 2, 3
  ),
  unread as materialized (
    select d.company_id, min(d.happened_at) as happened_at from mirror.dead_letters d
      left join resources r on lower(r.resource) = lower(d.resource)
    where d.kind = 'delivery' and d.reason <> 'bad_report'
      and (d.company_id is null or r.resource is null or r.in_project and d.project_id is null)
    group by 1
  )`;

/** SQL: as of when a whole list holds that was equal before news of list `l` happened, which is not after the last one. */
const LISTED_BEFORE = ((lookUp: (isPlace: string) => string) => `case
      when before_at is null or before_at < happened_at then before_since when happened_at > '-infinity' then
      case when l.place = 0 then ${lookUp('p.project_id is null')} else ${lookUp('p.project_id = l.place')} end end`)(
  (isPlace) => `(
        select max(p.as_of) from mirror.proofs p where p.company_id = l.company_id and ${isPlace} and p.resource = (select resource from resources r where r.nr = l.nr)
          and p.outcome = 'equal' and p.rung = 'listing' and p.proved_at < l.happened_at)`,
);

// A comparison leaves out a record that waits, of which more may be lacking than the news that it waits with: it counts when that is settled.
// Not all of it was shown where `since` is NULL; a condition on the count would have Postgres expect few tables, and look for hooks one by one.
const BASES = `known as (
    select company_id, place, nr, least(w.happened_at, d.happened_at) as happened_at,
      case when w.to_fill or d.to_fill then f.complete_before else f.complete_since end as filled,
      w.pending, w.first_seen_at, w.is_to_complete, by_listing_at, by_bin_at, by_window_at, by_count_at, listed_since, differs_since, sampled_since, before_at, before_since
    from waiting w full join letters d using (company_id, place, nr)
      full join (
        select company_id, coalesce(project_id, 0) as place, nr, complete_since, complete_before from mirror.backfills join resources r using (resource)
      ) f using (company_id, place, nr)
      full join (
        select coalesce(project_id, 0) as place, nr, p.* from mirror.latest_proofs p join resources r using (resource)
      ) p using (company_id, place, nr)
  ),
  lists as materialized (
    select *, case when by_listing_at >= happened_at then ${LISTED_BEFORE} else listed_since end as listed
    from known l
  ),
  shown as (
    select l.company_id, l.place, m.nr, m.of, case when m.by_listing then greatest(filled, listed) else filled end as since
    from lists l join members m on m.member = l.nr and m.in_project = (l.place <> 0)
  ),
  bases as materialized (
    select company_id, place, nr, b.since, l.happened_at, l.listed, l.differs_since, l.sampled_since
    from (
      select company_id, place, nr, case when count(since) = of then min(since) - ${LAG} end as since from shown group by 1, 2, 3, of
    ) b left join lists l using (company_id, place, nr)
    where b.since is not null
  )`;

const EVENTS = `reported as materialized (
    select coalesce(min(least(reported_at, recorded_at)) filter (where stopped_at is null and recorded_at > now() - interval '1 day'),
      max(least(reported_at, recorded_at))) as at from mirror.receivers
  ),
  hooked as (
    select distinct on (h.company_id, h.project_id) h.company_id, coalesce(h.project_id, 0) as place, h.good_until, h.carries_key,
      l.covers_from, l.covers_until
    from mirror.hooks h left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'
    where h.hook_id is not null order by h.company_id, h.project_id, h.good_until desc nulls last
  ),
  carried as (
    select distinct s.key, r.nr as carries from mirror.trigger_sets s cross join unnest(s.resources) name join resources r on lower(r.resource) = lower(name)
  ),
  gaps_of as (
    select g.company_id, g.project_id, coalesce(g.project_id, 0) as place, r.nr, g.since, g.until, g.because
    from mirror.event_gaps g left join resources r on g.resource = lower(r.resource) where g.resource is null or r.nr is not null
  ),
  held as (
    select b.company_id, b.place, b.nr, g.since
    from bases b join gaps_of g on g.company_id = b.company_id and g.place = b.place and (g.nr is null or g.nr = b.nr) and g.until > b.since
    union all
    select b.company_id, b.place, b.nr, g.since
    from bases b join gaps_of g on g.company_id = b.company_id and g.nr = b.nr and g.until > b.since
    where g.project_id is null and b.place <> 0
  ),
  gaps as (select company_id, place, nr, min(since) as since from held group by 1, 2, 3),
  weighed as (
    select company_id, place, nr, b.since as proved_since,
      -- What a sample found no list may carry.
      greatest(case when b.differs_since > b.since and not coalesce(b.listed > b.differs_since, false) then b.differs_since end,
        case when b.sampled_since > b.since then b.sampled_since end) as differs_since,
      least(b.happened_at, u.happened_at, (select min(happened_at) from unread where company_id is null)) as oldest_pending_at,
      (select at from reported) as receivers_at,
      case when w.count > 0 then coalesce(w.oldest_at, w.asked_at - interval '13 hours') end as undelivered_at,
      h.covers_from as log_from, h.covers_until as log_until, h.good_until as hook_until, g.since as gap_since,
      c.key is not null as is_carried
    from bases b
    full join gaps g using (company_id, place, nr)
    left join unread u using (company_id)
    left join mirror.undelivered w using (company_id)
    left join hooked h using (company_id, place)
    left join carried c on c.key = h.carries_key and c.carries = b.nr
  ),
  evidence as (
    select company_id, place, nr,
      nullif(least(oldest_pending_at, greatest(proved_since, case
        when differs_since > proved_since or hook_until is null or log_until is null or log_from > proved_since or receivers_at is null
          or not is_carried then null
        else least(hook_until, log_until, receivers_at, undelivered_at, gap_since) end)), '-infinity') as complete_until,
      proved_since, differs_since, oldest_pending_at, receivers_at, undelivered_at, log_until, hook_until, gap_since
    from weighed
  )`;
