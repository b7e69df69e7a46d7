// What is counted, and by which triggers. Each statement that changes a counted table notes by how much, in its own transaction and
// in rows of its own: nobody waits for a count, whoever writes is counted, and whoever is killed is not.
//
//   statement ──trigger──▶ mirror.count_changes ──a worker, now and then──▶ mirror.counts        a count = the sum of both

import type { Name } from '../migrate/migration-statement.ts';
import { LIVE } from '../rows/look-up.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, tableName } from '../schema/quote.ts';

export type Counted = {
  table: Name;
  /** In `mirror.counts`; `proof`: in `mirror.latest_proofs`. NULL resource: of every one. */
  kind: 'row' | 'pending' | 'event' | 'call' | 'proof';
  resource: string | null;
  /** Of its triggers, with its arguments; `emptied`: of that for an emptied table. */
  trigger: {
    function: string;
    arguments: readonly string[];
    after: readonly ('insert' | 'update' | 'delete')[];
    emptied: { function: string; arguments: readonly string[] };
  };
  /** By how much what is kept is off, as rows of `Miscount`, and what puts that right. Null: it is only counted for a day. */
  check: { miscounts: string; recount: string } | null;
  /** `mirror.evidence` cannot do without it: it is counted by the migration that has it counted. */
  isNeeded: boolean;
};

/**
 * SQL: from when on what is counted for a day is counted: not before calls were. NULL: none was yet. Events and calls are compared, so
 * they are of the same time.
 */
export const DAY_START = `(
  select greatest(now() - interval '24 hours', date_bin('10 minutes', first_at, '2000-01-01 00:00+00'))
  from (select min(called_at) as first_at from mirror.fetches) f where first_at is not null)`;

/** SQL: the counts of these kinds, each in parts to be added up. */
export function countsOf(...kinds: Counted['kind'][]): string {
  const isOfThese = `kind in (${kinds.map(quoteLiteral).join(', ')})`;
  return `(
  select company_id, project_id, resource, kind, part, total, live, parts, failed, lately, last_at from mirror.counts where ${isOfThese}
  union all
  select company_id, project_id, resource, kind, part, total, live, parts, failed, case when period >= ${DAY_START} then total else 0 end, last_at
  from mirror.count_changes where ${isOfThese})`;
}

/** SQL: calls of the last hour, in parts to be added up. */
export const CALLS_OF_HOUR = `(
  select company_id, project_id, resource, total, failed from mirror.count_periods where kind = 'call' and period > now() - interval '1 hour'
  union all
  select company_id, project_id, resource, total, failed from mirror.count_changes where kind = 'call' and period > now() - interval '1 hour')`;

/** SQL: the earliest moment in a column of the pending records of list and lane `c`; an index begins with it. */
function earliest(column: 'first_seen_at' | 'happened_at'): string {
  // By project, too: of those without one Postgres would sort all, since no index is in the order that it believes to need.
  const one = (isPlace: string): string => `(
    select p.${column} from mirror.pending p where p.company_id = c.company_id and ${isPlace} and p.resource = c.resource
      and p.lane = c.part::mirror.lane and p.${column} is not null order by p.project_id, p.${column} limit 1)`;
  return `case when c.place = 0 then ${one('p.project_id is null')} else ${one('p.project_id = c.place')} end`;
}

/** SQL: `first_seen_at` and `happened_at` of list and lane `c`, looked up. */
export const EARLIEST = `${earliest('first_seen_at')} as first_seen_at, ${earliest('happened_at')} as happened_at`;

/**
 * SQL: the lists and lanes (of this condition) of which records are pending: how many, how many a backfill read in part only (`parts`) and failed, since when the
 * first waits and when the earliest news happened. What was the earliest is so still, unless changes that are not folded touch such a moment:
 * then it is looked up. `place`: the project, 0 without; `full join` never compares each row with each.
 */
export const pendingLanes = (condition = 'true'): string => `(
  select company_id, nullif(place, 0) as project_id, place, resource, part, total, parts, failed,
    case when touched_seen_at <= coalesce(first_seen_at, 'infinity') then ${earliest('first_seen_at')} else first_seen_at end as first_seen_at,
    case when touched_happened_at <= coalesce(happened_at, 'infinity') then ${earliest('happened_at')} else happened_at end as happened_at
  from (
    select company_id, place, resource, part, coalesce(k.total, 0) + coalesce(h.total, 0) as total, coalesce(k.parts, 0) + coalesce(h.parts, 0) as parts,
      coalesce(k.failed, 0) + coalesce(h.failed, 0) as failed, first_seen_at, happened_at, touched_seen_at, touched_happened_at
    from (
      select company_id, coalesce(project_id, 0) as place, resource, part, total, parts, failed, first_seen_at, happened_at
      from mirror.counts where kind = 'pending' and ${condition}
    ) k full join (
      select company_id, coalesce(project_id, 0) as place, resource, part, sum(total)::bigint as total, sum(parts)::bigint as parts,
        sum(failed)::bigint as failed, min(touched_seen_at) as touched_seen_at, min(touched_happened_at) as touched_happened_at
      from mirror.count_changes where kind = 'pending' and ${condition} group by 1, 2, 3, 4
    ) h using (company_id, place, resource, part)
  ) c where total > 0)`;

/** SQL: the counts of rows by list: how many, live ones, live ones in part, and when the last was fetched. */
export const ROW_COUNTS = `(
  select company_id, place, resource, coalesce(k.total, 0) + coalesce(h.total, 0) as total, coalesce(k.live, 0) + coalesce(h.live, 0) as live,
    coalesce(k.parts, 0) + coalesce(h.parts, 0) as parts, greatest(k.last_at, h.last_at) as last_at
  from (
    select company_id, coalesce(project_id, 0) as place, resource, total, live, parts, last_at from mirror.counts where kind = 'row'
  ) k full join (
    select company_id, coalesce(project_id, 0) as place, resource, sum(total)::bigint as total, sum(live)::bigint as live,
      sum(parts)::bigint as parts, max(last_at) as last_at
    from mirror.count_changes where kind = 'row' group by 1, 2, 3
  ) h using (company_id, place, resource))`;

const PENDING: Counted = {
  table: { schema: 'mirror', name: 'pending' },
  kind: 'pending',
  resource: null,
  trigger: {
    function: 'count_pending',
    arguments: [],
    after: ['insert', 'update', 'delete'],
    emptied: countsNothing('pending'),
  },
  check: checkPending(),
  isNeeded: true,
};

const EVENTS: Counted = {
  table: { schema: 'mirror', name: 'events' },
  kind: 'event',
  resource: null,
  trigger: { function: 'count_events', arguments: [], after: ['insert', 'delete'], emptied: countsNothing('event') },
  check: checkCounts(
    { kind: 'event', resource: null },
    `select company_id, project_id, resource, case when outcome = 'ignored' then coalesce(reason, '') end as part, count(*) as total,
    0 as live, 0 as parts, 0 as failed, max(received_at) as last_at from mirror.events group by 1, 2, 3, 4`,
  ),
  isNeeded: false,
};

const CALLS: Counted = {
  table: { schema: 'mirror', name: 'fetches' },
  kind: 'call',
  resource: null,
  trigger: { function: 'count_calls', arguments: [], after: ['insert'], emptied: countsNothing('call') },
  check: null,
  isNeeded: false,
};

const PROOFS: Counted = {
  table: { schema: 'mirror', name: 'proofs' },
  kind: 'proof',
  resource: null,
  trigger: {
    function: 'keep_latest_proofs',
    arguments: [],
    after: ['insert', 'update', 'delete'],
    emptied: { function: 'keep_latest_proofs', arguments: [] },
  },
  check: checkProofs(),
  isNeeded: true,
};

/** All that is counted of a mirror with these tables, in the order in which transactions change it. */
export function allCounted(tables: readonly MirroredTable[]): readonly Counted[] {
  return [...tables.map(countedRows), PROOFS, EVENTS, CALLS, PENDING];
}

function countedRows(table: MirroredTable): Counted {
  const { name, resource, scope } = table;
  return {
    table: { schema: 'procore', name },
    kind: 'row',
    resource,
    trigger: {
      function: scope === 'project' ? 'count_rows_of_projects' : 'count_rows_of_companies',
      arguments: [resource],
      after: ['insert', 'update', 'delete'],
      emptied: countsNothing('row', resource),
    },
    check: checkCounts(
      { kind: 'row', resource },
      `select company_id, ${scope === 'project' ? 'project_id' : 'null::bigint as project_id'}, ${quoteLiteral(resource)} as resource,
    null as part, count(*) as total, count(*) filter (where ${LIVE}) as live, count(*) filter (where ${LIVE} and not _complete) as parts,
    0 as failed, max(_fetched_at) as last_at from ${tableName(table)} group by 1, 2`,
    ),
    isNeeded: false,
  };
}

function countsNothing(...given: string[]): { function: string; arguments: readonly string[] } {
  return { function: 'count_nothing', arguments: given };
}

/** `truth`: what a count gives. The last that it counts may have been removed since. */
function checkCounts({ kind, resource }: Pick<Counted, 'kind' | 'resource'>, truth: string): Counted['check'] {
  const isOfTable = resource === null ? '' : ` where resource = ${quoteLiteral(resource)}`;
  const miscounts = `
  select company_id, project_id, resource, ${quoteLiteral(kind)} as kind, part, sum(total) as total, sum(live) as live, sum(parts) as parts,
    sum(failed) as failed, max(last_at) filter (where is_there) as last_at
  from (
    select true as is_there, company_id, project_id, resource, part, total, live, parts, failed, last_at from (${truth}) t
    union all
    select false, company_id, project_id, resource, part, -total, -live, -parts, -failed, last_at from ${countsOf(kind)} c${isOfTable}
  ) d group by company_id, project_id, resource, part
  having sum(total) <> 0 or sum(live) <> 0 or sum(parts) <> 0 or sum(failed) <> 0 or coalesce(max(last_at) filter (where is_there)
    > coalesce(max(last_at) filter (where not is_there), '-infinity'), false)`;
  const columns = 'company_id, project_id, resource, kind, part, total, live, parts, failed, last_at';
  return { miscounts, recount: `insert into mirror.count_changes (${columns})${miscounts}` };
}

/** Whose earliest moments are wrong has them looked up. */
function checkPending(): Counted['check'] {
  const miscounts = `
  select company_id, project_id, resource, 'pending' as kind, part, sum(total) as total, 0 as live, sum(parts) as parts, sum(failed) as failed,
    null::timestamptz as last_at
  from (
    select true as is_there, company_id, project_id, resource, lane::text as part, count(*) as total, count(*) filter (where to_fill) as parts,
      count(*) filter (where attempts > 0) as failed, min(first_seen_at) as first_seen_at, min(happened_at) as happened_at
    from mirror.pending group by 2, 3, 4, 5
    union all
    select false, company_id, project_id, resource, part, -total, -parts, -failed, first_seen_at, happened_at from ${pendingLanes()} l
    union all
    -- What is less than nothing.
    select false, company_id, project_id, resource, part, -sum(total), -sum(parts), -sum(failed), null, null from ${countsOf('pending')} c
    group by 2, 3, 4, 5 having sum(total) <= 0
  ) d group by company_id, project_id, resource, part
  having sum(total) <> 0 or sum(parts) <> 0 or sum(failed) <> 0
    or min(first_seen_at) filter (where is_there) is distinct from min(first_seen_at) filter (where not is_there)
    or min(happened_at) filter (where is_there) is distinct from min(happened_at) filter (where not is_there)`;
  const columns = 'company_id, project_id, resource, kind, part, total, live, parts, failed, last_at';
  return {
    miscounts,
    recount: `insert into mirror.count_changes (${columns}, touched_seen_at, touched_happened_at)
      select ${columns}, '-infinity', '-infinity' from (${miscounts}) m`,
  };
}

function checkProofs(): Counted['check'] {
  const equal = (moment: string, rung: string, further = '') =>
    `max(${moment}) filter (where outcome = 'equal' and rung = '${rung}'${further})`;
  const truths = {
    by_listing_at: equal('proved_at', 'listing'),
    by_bin_at: equal('proved_at', 'bin'),
    by_window_at: equal('proved_at', 'window'),
    by_count_at: equal('proved_at', 'count'),
    listed_since: equal('as_of', 'listing'),
    differs_since: `max(as_of) filter (where outcome = 'differs' and rung <> 'sample')`,
    sampled_since: `max(as_of) filter (where outcome = 'differs' and rung = 'sample')`,
    before_at: equal('proved_at', 'listing', ' and proved_at < last_at'),
    before_since: equal('as_of', 'listing', ' and proved_at < last_at'),
  };
  const columns = Object.keys(truths);
  const truth = `select company_id, project_id, resource, ${Object.entries(truths)
    .map(([column, value]) => `${value} as ${column}`)
    .join(', ')}
    from (select *, ${equal('proved_at', 'listing')} over (partition by company_id, project_id, resource) as last_at from mirror.proofs) p
    group by 1, 2, 3`;
  const isOff = columns.map(
    (column) => `max(${column}) filter (where is_there) is distinct from max(${column}) filter (where not is_there)`,
  );
  const miscounts = `select company_id, project_id, resource, 'proof' as kind, null as part, 0 as total, 0 as live, 0 as parts, 0 as failed
    from (
      select true as is_there, company_id, project_id, resource, ${columns.join(', ')} from (${truth}) t
      union all
      select false, company_id, project_id, resource, ${columns.join(', ')} from mirror.latest_proofs
    ) d group by company_id, project_id, resource having ${isOff.join(' or ')}`;
  return {
    miscounts,
    recount: `select mirror.look_up_proofs(company_id, project_id, resource)
      from (select * from (${miscounts}) m order by company_id, project_id, resource) m`,
  };
}
