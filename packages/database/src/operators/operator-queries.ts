// What operators ask of the mirror's own tables. Reads only. Ids, counts and moments come back as text (see
// `openDatabase`): no digit and no microsecond is lost.
import type { Database } from '../connection/open-database.ts';
import { choiceValues, type DeadLetterChoice, deadLetterId, isChosen } from '../events/dead-letters.ts';

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

export type MirrorStatus = {
  freshness: readonly Freshness[];
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
 * The state of the mirror or of a part of it, at one moment. Scopes that are parked belong to each part that they cover. Counts every
 * row: seconds on a large mirror.
 */
export async function readStatus(database: Database, filter: StatusFilter = {}): Promise<MirrorStatus> {
  const { companyId, projectId, resource } = filter;
  const { rows } = await database.pool.query<{ status: string }>(STATUS, [companyId, projectId, resource]);
  return JSON.parse(rows[0]?.status ?? 'null') as MirrorStatus; // made by the statement below
}

const isOfResource = '($3::text is null or lower(resource) = lower($3))';
const isOfPlace = '($1::bigint is null or company_id = $1) and ($2::bigint is null or project_id = $2)';
const isOfPart = `${isOfPlace} and ${isOfResource}`;
// Of whose records these are is not known; of other resources than the part has they surely are not.
const mayBeOfPart = `${isOfResource} and (coalesce($1::bigint, $2::bigint) is null or resource in (select resource from held))`;
// The company of a project is that whose rows or news name it; where none do, it may be any. What is parked of a company without a
// project, and is one resource, is a resource that has no projects.
const coversPart = `($1::bigint is null or company_id is null or company_id = $1)
  and ($2::bigint is null or company_id is null or project_id = $2 or (project_id is null and resource is null
    and (company_id in (select company_id from held) or not exists (select from held))))
  and (resource is null or ${isOfResource})`;

// One statement sees one state of the database. Counts and ids as text, for JSON numbers would be rounded.
const STATUS = `
with held as materialized (select * from mirror.freshness where ${isOfPlace})
select jsonb_build_object(
  'freshness', (
    select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'rows', rows::text, 'pending', pending::text, 'lastEventAt', last_event_at,
      'lastFetchAt', last_fetch_at, 'oldestPendingAt', oldest_pending_at, 'callsLastHour', calls_last_hour::text,
      'eventsLastDay', events_last_day::text, 'callsForEventsLastDay', calls_for_events_last_day::text,
      'callsPerEvent', calls_per_event::text)
      order by company_id, project_id nulls first, resource), '[]') from held where ${isOfResource}),
  'events', (select jsonb_build_object('total', count(*)::text, 'lastReceivedAt', max(received_at))
    from mirror.events where ${isOfPart}),
  'pending', (select jsonb_build_object('total', count(*)::text,
    'failing', (count(*) filter (where attempts > 0))::text, 'oldestSeenAt', min(first_seen_at))
    from mirror.pending where ${isOfPart}),
  'calls', (select jsonb_build_object('lastHour', coalesce(sum(count), 0)::text,
    'lastHourFailed', coalesce(sum(failed), 0)::text,
    'pausedUntil', (select max(reset_at) from mirror.budget where known_by = 'refusal' and reset_at > now()
      and ($1::bigint is null or company_id is null or company_id = $1)
      and ($2::bigint is null or company_id is null or company_id in (select company_id from held))))
    from mirror.calls where period_start > now() - interval '1 hour' and ${isOfPart}),
  'parked', (
    select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'reason', reason, 'detail', detail, 'parkedAt', parked_at, 'probeAt', probe_at,
      'probes', probes) order by company_id, project_id nulls first, resource nulls first), '[]')
    from mirror.scopes where ${coversPart}),
  'ignored', (
    select coalesce(jsonb_agg(jsonb_build_object('resource', resource, 'reason', reason, 'events', events::text,
      'lastReceivedAt', last_received_at) order by events desc, resource, reason), '[]')
    from (select resource, coalesce(reason, '') as reason, count(*) as events, max(received_at) as last_received_at
      from mirror.events where outcome = 'ignored' and ${isOfPart} group by 1, 2) i),
  'deadLetters', (
    select coalesce(jsonb_agg(jsonb_build_object('reason', reason, 'count', count::text, 'lastSeenAt', last_seen_at,
      'nextTryAt', next_try_at) order by count desc, reason), '[]')
    from (select reason, count(*), max(last_seen_at) as last_seen_at, min(next_try_at) as next_try_at
      from mirror.dead_letters where ${isOfPart} group by 1) d),
  'unfitValues', (
    select coalesce(jsonb_agg(jsonb_build_object('resource', resource, 'column', column_name, 'count', count::text,
      'lastRecordId', last_record_id, 'lastSeenAt', last_seen_at) order by resource, column_name), '[]')
    from mirror.unfit_values where ${mayBeOfPart}),
  'lists', (
    select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'pageSize', page_size, 'largerPageAt', larger_page_at, 'withTotalAbove', with_total_above,
      'totalAbove', total_above) order by company_id, project_id nulls first, resource), '[]')
    from (select company_id, project_id, resource, min(page_size) as page_size, min(larger_page_at) as larger_page_at,
        count(*) filter (where total_readings > 1) as with_total_above,
        sum(total_difference) filter (where total_readings > 1) as total_above
      from mirror.lists where (page_size is not null or total_readings > 1) and ${isOfPart} group by 1, 2, 3) l),
  'schemaDrift', (
    select coalesce(jsonb_agg(jsonb_build_object('resource', resource, 'field', field, 'kind', kind, 'jsonType', json_type,
      'count', count::text, 'exampleRecordId', example_record_id, 'firstSeenAt', first_seen_at,
      'lastSeenAt', last_seen_at) order by resource, kind, field), '[]')
    from mirror.schema_drift where ${mayBeOfPart})
)::text as status`;

export type EventSummary = {
  id: string;
  companyId: string;
  projectId: string | null;
  resource: string;
  recordId: string;
  kind: string;
  occurredAt: string;
  receivedAt: string;
  payloadVersion: string;
  outcome: string;
  /** What became of its record by now; null: it was ignored. */
  recordState: RecordState | null;
  reason: string | null;
  deliveries: number;
};

/** `fetched`: it was read since its newest event, stored or known to be absent. */
type RecordState = 'pending' | 'fetched' | 'given up';

export type EventFilter = {
  companyId?: string | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
  recordId?: string | undefined;
  outcome?: string | undefined;
  /** Received at or after; anything Postgres reads as a timestamp with time zone. */
  since?: string | undefined;
  limit: number;
};

/** The record of an event, which may have newer ones. */
const RECORD_STATE = `case when outcome = 'ignored' then null
  when exists (select from mirror.pending p where p.company_id = events.company_id and p.resource = events.resource
    and p.project_id is not distinct from events.project_id and p.record_id = events.record_id) then 'pending'
  when exists (select from mirror.dead_letters d where d.id = ${deadLetterId('events')}) then 'given up'
  else 'fetched' end`;
const EVENT_COLUMNS = `id, company_id::text as "companyId", project_id::text as "projectId", resource,
  record_id as "recordId", kind, occurred_at as "occurredAt", received_at as "receivedAt",
  payload_version as "payloadVersion", outcome, ${RECORD_STATE} as "recordState", reason, deliveries`;

/** Events in the log, newest first. */
export async function listEvents(database: Database, filter: EventFilter): Promise<EventSummary[]> {
  const { rows } = await database.pool.query<EventSummary>(
    `select ${EVENT_COLUMNS} from mirror.events
      where ($1::bigint is null or company_id = $1) and ($2::bigint is null or project_id = $2)
        and ($3::text is null or lower(resource) = lower($3)) and ($4::text is null or record_id = $4)
        and ($5::text is null or outcome = $5) and ($6::timestamptz is null or received_at >= $6)
      order by received_at desc, id desc limit $7`,
    [filter.companyId, filter.projectId, filter.resource, filter.recordId, filter.outcome, filter.since, filter.limit],
  );
  return rows;
}

export type EventDetails = EventSummary & {
  /** Of its first delivery: which accepted secret came with it, and how the logs name it. */
  key: string | null;
  trace: string | null;
  /** The body as stored, JSON text. */
  raw: string;
  /** Set while its record has news that is not fetched. */
  pending: { generation: string; attempts: number; readyAt: string; lastError: string | null } | null;
};

/** One event with its body, and whether its record still waits for a fetch; null when the log has no such event. */
export async function showEvent(database: Database, id: string): Promise<EventDetails | null> {
  const { rows } = await database.pool.query<EventDetails>(
    `select e.*, (
        select jsonb_build_object('generation', p.generation::text, 'attempts', p.attempts, 'readyAt', p.ready_at,
          'lastError', p.last_error)
        from mirror.pending p
        where p.company_id::text = e."companyId" and p.resource = e.resource and p.record_id = e."recordId" limit 1
      ) as pending
      from (select ${EVENT_COLUMNS}, key, trace, raw::text as raw from mirror.events where id = $1) e`,
    [id],
  );
  return rows[0] ?? null;
}

export type DeadLetterSummary = {
  id: string;
  /** `delivery`: a body that we could not use. `record`: one record whose fetch was given up. */
  kind: 'delivery' | 'record';
  reason: string;
  detail: string | null;
  companyId: string | null;
  projectId: string | null;
  resource: string | null;
  recordId: string | null;
  attempts: number;
  tries: number;
  firstSeenAt: string;
  lastSeenAt: string;
  /** Null: it is not tried again by itself. */
  nextTryAt: string | null;
};

const DEAD_LETTER_COLUMNS = `id, kind, reason, detail, company_id::text as "companyId", project_id::text as "projectId",
  resource, record_id as "recordId", attempts, tries, first_seen_at as "firstSeenAt", last_seen_at as "lastSeenAt",
  next_try_at as "nextTryAt"`;

/** Dead letters, the last seen first. */
export async function listDeadLetters(
  database: Database,
  choice: DeadLetterChoice,
  limit: number,
): Promise<DeadLetterSummary[]> {
  const { rows } = await database.pool.query<DeadLetterSummary>(
    `select ${DEAD_LETTER_COLUMNS} from mirror.dead_letters where ${isChosen} order by last_seen_at desc, id desc limit $6`,
    [...choiceValues(choice), limit],
  );
  return rows;
}

export type DeadLetterDetails = DeadLetterSummary & {
  /** The newest event that told of the record. */
  eventId: string | null;
  occurredAt: string | null;
  deleteSeen: boolean;
  parentId: string | null;
  /** Its record waits for a fetch. */
  isPending: boolean;
  raw: string;
};

/** One dead letter with its body; null when there is none. */
export async function showDeadLetter(database: Database, id: string): Promise<DeadLetterDetails | null> {
  const { rows } = await database.pool.query<DeadLetterDetails>(
    `select ${DEAD_LETTER_COLUMNS}, event_id as "eventId", occurred_at as "occurredAt", delete_seen as "deleteSeen",
        parent_id as "parentId", raw, kind = 'record' and exists (select from mirror.pending p
          where p.company_id = d.company_id and p.project_id is not distinct from d.project_id
            and p.resource = d.resource and p.record_id = d.record_id) as "isPending"
      from mirror.dead_letters d where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

export type Pulse = {
  /** Received in the last ten seconds. */
  recentEvents: number;
  /** Rows of all mirrored tables, an estimate that lags behind by seconds: what Postgres's statistics say. */
  rows: string;
  pending: number;
  deadLetters: number;
  parkedScopes: number;
  last: { kind: string; resource: string; recordId: string } | null;
};

/** What goes on, cheap enough to ask every second: nothing is counted that may be large. */
export async function readPulse(database: Database): Promise<Pulse> {
  const { rows } = await database.pool.query<Pulse>(PULSE);
  const [pulse] = rows;
  if (pulse === undefined) throw new Error('the database gave no answer');
  return pulse;
}

const PULSE = `
select
  (select count(*)::int from (select from mirror.events where received_at > now() - interval '10 s' limit 100000) e)
    as "recentEvents",
  (select coalesce(sum(greatest(s.n_live_tup, c.reltuples)), 0)::bigint
    from pg_stat_user_tables s join pg_class c on c.oid = s.relid where s.schemaname = 'procore') as rows,
  (select count(*)::int from (select from mirror.pending limit 10000) p) as pending,
  (select count(*)::int from (select from mirror.dead_letters limit 10000) d) as "deadLetters",
  (select count(*)::int from mirror.scopes) as "parkedScopes",
  (select jsonb_build_object('kind', kind, 'resource', resource, 'recordId', record_id)
    from mirror.events order by received_at desc limit 1) as last`;

export type BackfillScope = { companyId: string; projectId: string | null; resource: string };

/** Notes how far the first fill of a resource in a scope has come. */
export async function noteBackfill(
  database: Database,
  scope: BackfillScope,
  news: { state: 'running' | 'done' | 'failed'; rows: number; detail: string | null },
): Promise<void> {
  await database.pool.query(
    `insert into mirror.backfills as b (company_id, project_id, resource, state, rows, detail, finished_at)
      values ($1, $2, $3, $4, $5, $6, case when $4 = 'done' then now() end)
      on conflict (company_id, project_id, resource) do update set state = excluded.state, rows = excluded.rows,
        detail = excluded.detail, finished_at = excluded.finished_at,
        started_at = case when excluded.state = 'running' then now() else b.started_at end`,
    [scope.companyId, scope.projectId, scope.resource, news.state, news.rows, news.detail],
  );
}

/** The scopes of a company that have been filled. */
export async function listBackfilled(database: Database, companyId: string): Promise<BackfillScope[]> {
  const { rows } = await database.pool.query<BackfillScope>(
    `select company_id::text as "companyId", project_id::text as "projectId", resource from mirror.backfills
      where company_id = $1 and state = 'done'`,
    [companyId],
  );
  return rows;
}
