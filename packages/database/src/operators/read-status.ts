// What operators ask of the state of the mirror. Ids, counts and moments come back as text (see `openDatabase`): no digit and
// no microsecond is lost.
import type { Queryable } from '../connection/queryable.ts';
import { CALLS_OF_HOUR, countsOf, pendingLanes } from '../counts/counted.ts';
import { type BudgetStatus, budgetStatus } from './budget-status.ts';

export type Freshness = {
  companyId: string;
  projectId: string | null;
  resource: string;
  rows: string;
  pending: string;
  lastEventAt: string | null;
  lastFetchAt: string | null;
  oldestPendingAt: string | null;
  callsLastHour: string;
  /** In the last day, or since calls are counted. */
  eventsLastDay: string;
  callsForEventsLastDay: string;
  /** Null without events. */
  callsPerEvent: string | null;
  completeness: 'complete' | 'filling' | 'partial' | 'since first event';
};

/** NULL stands for all. */
export type ParkedScope = {
  companyId: string | null;
  projectId: string | null;
  resource: string | null;
  reason: string;
  detail: string | null;
  parkedAt: string;
  probeAt: string;
  probes: number;
};

/** Of a resource in a company: what its tables that lack something have in common. */
export type Behind = {
  companyId: string;
  resource: string;
  /** How many of them are of projects. */
  projects: number;
  pending: string;
  oldestPendingAt: string | null;
  /** How many of them are so. */
  completeness: Partial<Record<Freshness['completeness'], number>>;
};

export type MirrorStatus = {
  freshness: readonly Freshness[];
  /** The first of those that lack most, and how many there are. */
  behind: { first: readonly Behind[]; count: number };
  /** Over all tables. */
  totals: { rows: string; pending: string };
  events: { total: string; lastReceivedAt: string | null };
  /** Pending records of every resource, also of those that no table mirrors any more. */
  pending: { total: string; failing: string; oldestSeenAt: string | null };
  /** Requests to Procore, also those that serve no resource; `failed` were not answered 2xx. */
  calls: {
    lastHour: string;
    lastHourFailed: string;
    /** Until when a company may make no calls, because Procore said so; null: none is held back. */
    pausedUntil: string | null;
  };
  budget: BudgetStatus;
  parked: readonly ParkedScope[];
  /** Events that led to no fetch, and why. */
  ignored: readonly { resource: string; reason: string; events: string; lastReceivedAt: string }[];
  /** `nextTryAt`: when the first of them is tried again by itself; null: none is. */
  deadLetters: readonly { reason: string; count: string; lastSeenAt: string; nextTryAt: string | null }[];
  unfitValues: readonly { resource: string; column: string; count: string; lastRecordId: string; lastSeenAt: string }[];
  /** What was learnt of lists that are not as usual. */
  lists: readonly {
    companyId: string;
    projectId: string | null;
    resource: string;
    /** Records to a page, since larger ones failed; null: as usual. */
    pageSize: number | null;
    largerPageAt: string | null;
    /** Lists (one for each parent, where the path names one) whose Total is usually above what comes, and by how much. */
    withTotalAbove: number;
    totalAbove: number | null;
  }[];
  /** Fields that came without a column to hold them, and columns whose field stayed away; found by samples. */
  schemaDrift: readonly {
    resource: string;
    field: string;
    kind: 'unknown' | 'vanished';
    jsonType: string | null;
    count: string;
    exampleRecordId: string;
    firstSeenAt: string;
    lastSeenAt: string;
  }[];
};

/** The whole mirror where nothing is named. */
export type StatusFilter = {
  companyId?: string | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
};

/**
 * The state of the mirror or of a part of it, at one moment. Scopes that are parked belong to each part that they cover. At 2,000 projects
 * there are 200,000 tables: `isBrief` leaves `freshness` empty, for whoever shows what is behind.
 */
export async function readStatus(
  client: Queryable,
  filter: StatusFilter = {},
  { isBrief = false }: { isBrief?: boolean } = {},
): Promise<MirrorStatus> {
  const { companyId, projectId, resource } = filter;
  const { rows } = await client.query<{ status: string }>(STATUS, [companyId, projectId, resource, isBrief]);
  return JSON.parse(rows[0]?.status ?? 'null') as MirrorStatus; // made by the statement below
}

const MOST_BEHIND = 6;
const KINDS = ['complete', 'filling', 'partial', 'since first event'] satisfies Freshness['completeness'][];
const OF_EACH_KIND = KINDS.map((kind) => `'${kind}', nullif(count(*) filter (where completeness = '${kind}'), 0)`);

const IS_OF_RESOURCE = '($3::text is null or lower(resource) = lower($3))';
const IS_OF_PLACE = '($1::bigint is null or company_id = $1) and ($2::bigint is null or project_id = $2)';
const IS_OF_PART = `${IS_OF_PLACE} and ${IS_OF_RESOURCE}`;
// Of whose records these are is not known; of other resources than the part has they surely are not.
const MAY_BE_OF_PART = `${IS_OF_RESOURCE} and (coalesce($1::bigint, $2::bigint) is null or resource in (select resource from held))`;
// The company of a project is that whose rows or news name it; where none do, it may be any. What is parked of a company without a
// project, and is one resource, is a resource that has no projects.
const COVERS_PART = `($1::bigint is null or company_id is null or company_id = $1)
  and ($2::bigint is null or company_id is null or project_id = $2 or (project_id is null and resource is null
    and (company_id in (select company_id from held) or not exists (select from held))))
  and (resource is null or ${IS_OF_RESOURCE})`;
// Of the rows of mirror.budget.
const HOLDS_FOR_PART = `($1::bigint is null or company_id is null or company_id = $1)
  and ($2::bigint is null or company_id is null or company_id in (select company_id from held))`;

// One statement sees one state of the database. Counts and ids as text, for JSON numbers would be rounded.
const STATUS = `
with held as materialized (select * from mirror.holdings where ${IS_OF_PLACE}),
events as materialized (select resource, part, total, last_at from ${countsOf('event')} c where ${IS_OF_PART}),
behind as materialized (
  select company_id, resource, count(project_id)::int as projects, sum(pending) as pending, min(oldest_pending_at) as oldest_pending_at,
    json_strip_nulls(json_build_object(${OF_EACH_KIND.join(', ')})) as completeness
  from held where (pending > 0 or completeness <> 'complete') and ${IS_OF_RESOURCE} group by 1, 2
)
select json_build_object(
  'freshness', case when $4::boolean then '[]' else (
    select coalesce(json_agg(json_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'rows', rows::text, 'pending', pending::text, 'lastEventAt', last_event_at,
      'lastFetchAt', last_fetch_at, 'oldestPendingAt', oldest_pending_at, 'callsLastHour', calls_last_hour::text,
      'eventsLastDay', events_last_day::text, 'callsForEventsLastDay', calls_for_events_last_day::text,
      'callsPerEvent', calls_per_event::text, 'completeness', completeness)
      order by company_id, project_id nulls first, resource), '[]') from held where ${IS_OF_RESOURCE}) end,
  'behind', (select json_build_object('count', count(*), 'first', coalesce(json_agg(json_build_object('companyId', company_id::text,
      'resource', resource, 'projects', projects, 'pending', pending::text, 'oldestPendingAt', oldest_pending_at, 'completeness', completeness)
      order by place) filter (where place <= ${MOST_BEHIND}), '[]'))
    from (select *, row_number() over (order by pending desc, company_id, resource) as place from behind) b),
  'totals', (select json_build_object('rows', coalesce(sum(rows), 0)::text, 'pending', coalesce(sum(pending), 0)::text)
    from held where ${IS_OF_RESOURCE}),
  'events', (select json_build_object('total', coalesce(sum(total), 0)::text, 'lastReceivedAt', case when sum(total) > 0 then max(last_at) end)
    from events),
  'pending', (select json_build_object('total', coalesce(sum(total), 0)::text, 'failing', coalesce(sum(failed), 0)::text,
    'oldestSeenAt', least((select min(oldest_pending_at) from held where ${IS_OF_RESOURCE}),
      (select min(first_seen_at) from ${pendingLanes('resource not in (select resource from held)')} l where ${IS_OF_PART})))
    from ${countsOf('pending')} c where ${IS_OF_PART}),
  'calls', (select json_build_object('lastHour', coalesce(sum(total), 0)::text, 'lastHourFailed', coalesce(sum(failed), 0)::text,
    'pausedUntil', (select max(reset_at) from mirror.budget where known_by = 'refusal' and reset_at > now()
      and ${HOLDS_FOR_PART}))
    from ${CALLS_OF_HOUR} c where ${IS_OF_PART}),
  'budget', ${budgetStatus(HOLDS_FOR_PART)},
  'parked', (
    select coalesce(json_agg(json_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'reason', reason, 'detail', detail, 'parkedAt', parked_at, 'probeAt', probe_at,
      'probes', probes) order by company_id, project_id nulls first, resource nulls first), '[]')
    from mirror.scopes where ${COVERS_PART}),
  'ignored', (
    select coalesce(json_agg(json_build_object('resource', resource, 'reason', reason, 'events', events::text,
      'lastReceivedAt', last_received_at) order by events desc, resource, reason), '[]')
    from (select resource, part as reason, sum(total) as events, max(last_at) as last_received_at
      from events where part is not null group by 1, 2 having sum(total) > 0) i),
  'deadLetters', (
    select coalesce(json_agg(json_build_object('reason', reason, 'count', count::text, 'lastSeenAt', last_seen_at,
      'nextTryAt', next_try_at) order by count desc, reason), '[]')
    from (select reason, count(*), max(last_seen_at) as last_seen_at, min(next_try_at) as next_try_at
      from mirror.dead_letters where ${IS_OF_PART} group by 1) d),
  'unfitValues', (
    select coalesce(json_agg(json_build_object('resource', resource, 'column', column_name, 'count', count::text,
      'lastRecordId', last_record_id, 'lastSeenAt', last_seen_at) order by resource, column_name), '[]')
    from mirror.unfit_values where ${MAY_BE_OF_PART}),
  'lists', (
    select coalesce(json_agg(json_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'pageSize', page_size, 'largerPageAt', larger_page_at, 'withTotalAbove', with_total_above,
      'totalAbove', total_above) order by company_id, project_id nulls first, resource), '[]')
    from (select company_id, project_id, resource, min(page_size) as page_size, min(larger_page_at) as larger_page_at,
        count(*) filter (where total_readings > 1) as with_total_above,
        sum(total_difference) filter (where total_readings > 1) as total_above
      from mirror.lists where (page_size is not null or total_readings > 1) and ${IS_OF_PART} group by 1, 2, 3) l),
  'schemaDrift', (
    select coalesce(json_agg(json_build_object('resource', resource, 'field', field, 'kind', kind, 'jsonType', json_type,
      'count', count::text, 'exampleRecordId', example_record_id, 'firstSeenAt', first_seen_at,
      'lastSeenAt', last_seen_at) order by resource, kind, field), '[]')
    from mirror.schema_drift where ${MAY_BE_OF_PART})
)::text as status`;
