import type { Database } from '../connection/open-database.ts';
import { afterConflicts } from '../connection/transaction.ts';
import type { Lane, NotedRecord } from '../schedule/batch.ts';

/** An event as the log keeps it. Ids are decimal text (record ids may be ULIDs); `occurredAt` is ISO 8601, null when the event does not say. */
export type LoggedEvent = {
  id: string;
  companyId: string;
  projectId: string | null;
  resource: string;
  recordId: string;
  kind: string;
  occurredAt: string | null;
  receivedAt: Date;
  payloadVersion: string;
  /** The body as JSON text that jsonb takes. */
  raw: string;
  /** Of the delivery that brought it (see `Envelope` in packages/queue). */
  key: string | null;
  trace: string | null;
};

/** A record to fetch because of an event, its own or a relative's. */
export type News = {
  companyId: string;
  projectId: string | null;
  resource: string;
  recordId: string;
  parentId: string | null;
  isDelete: boolean;
  /** The event tells of a relative of this record: its own `updated_at` may well be older than the event. */
  isRelative: boolean;
};

export type RecordOptions = {
  event: LoggedEvent;
  /** Why nothing is fetched; null when something is. */
  ignored: string | null;
  news: readonly News[];
  /** The dead letter that this body would be, or was until now: it could be read. */
  deadLetterId?: string;
  delayMs: number;
  maxWaitMs: number;
};

/**
 * Writes the event to the log and marks its records pending, both or neither; its body is no dead letter any more. A second
 * delivery of the same event is counted and changes nothing else. Idempotent. Returns whether the event was new, or
 * `differs` when the log already holds another event under this id: the caller must then record it under an id of its own.
 */
export async function recordEvent(database: Database, options: RecordOptions): Promise<'new' | 'known' | 'differs'> {
  const { event, ignored } = options;
  const values = [
    event.id,
    event.companyId,
    event.projectId,
    event.resource,
    event.recordId,
    event.kind,
    event.occurredAt,
    event.receivedAt,
    event.payloadVersion,
    event.raw,
    ignored === null ? 'pending' : 'ignored',
    ignored,
    ...newsColumns(options.news),
    options.delayMs,
    options.maxWaitMs,
    options.deadLetterId,
    event.key,
    event.trace,
  ];
  // A worker that stores locks pending rows in an order of its own.
  const { rows } = await afterConflicts(database, () =>
    database.pool.query<{ is_new: boolean | null }>({ name: 'record-event', text: RECORD_EVENT, values }),
  );
  const isNew = rows[0]?.is_new ?? null;
  if (isNew === null) return 'differs';
  return isNew ? 'new' : 'known';
}

type Queryable = Pick<Database['pool'], 'query'>;

export type MarkOptions = {
  news: readonly News[];
  /** A record that is pending in an earlier lane stays there. */
  lane: Lane;
  eventId: string | null;
  occurredAt: string | null;
  delayMs: number;
  maxWaitMs: number;
};

/**
 * Marks records pending without an event of their own, as backfill and relatives do. Part of the caller's transaction if it
 * passes a client. Returns the records with their generations.
 */
export async function markPending(
  client: Queryable,
  options: MarkOptions,
): Promise<Pick<NotedRecord, 'id' | 'generation'>[]> {
  if (options.news.length === 0) return [];
  const { rows } = await client.query<Pick<NotedRecord, 'id' | 'generation'>>({
    name: 'mark-pending',
    text: `with news as (select *, $8::text as event_id, $9::timestamptz as occurred_at, $9::timestamptz as deleted_at
        from ${newsTable(1)}),
      ${markNews('$10', '$11', '$12::mirror.lane')} select record_id as id, generation::text from marked`,
    values: [
      ...newsColumns(options.news),
      options.eventId,
      options.occurredAt,
      options.delayMs,
      options.maxWaitMs,
      options.lane,
    ],
  });
  return rows;
}

function newsColumns(news: readonly News[]): unknown[][] {
  return [
    news.map((one) => one.companyId),
    news.map((one) => one.projectId),
    news.map((one) => one.resource),
    news.map((one) => one.recordId),
    news.map((one) => one.parentId),
    news.map((one) => one.isDelete),
    news.map((one) => one.isRelative),
  ];
}

function newsTable(first: number): string {
  const parameter = (offset: number) => `$${first + offset}`;
  return `unnest(${parameter(0)}::bigint[], ${parameter(1)}::bigint[], ${parameter(2)}::text[], ${parameter(3)}::text[],
    ${parameter(4)}::text[], ${parameter(5)}::boolean[], ${parameter(6)}::boolean[])
    as n(company_id, project_id, resource, record_id, parent_id, is_delete, is_relative)`;
}

// Rows are locked in one order everywhere, so that two recorders of the same records do not block each other for ever.
// The batch is always written, even when it is due already: the lock makes the worker that is just about to call the
// batch idle wait for this news.
function markNews(delayMs: string, maxWaitMs: string, lane: string): string {
  return `
  marked as (
    insert into mirror.pending as p (company_id, project_id, resource, record_id, parent_id, delete_seen, lane,
      event_id, occurred_at, delete_occurred_at, ready_at)
    select company_id, project_id, resource, record_id, parent_id, is_delete, ${lane}, event_id,
      case when not is_relative then occurred_at end, case when is_delete then deleted_at end,
      now() + ${delayMs}::float8 * interval '1 ms'
    from news order by company_id, project_id, resource, record_id
    on conflict (company_id, project_id, resource, record_id) do update set
      generation = excluded.generation,
      parent_id = coalesce(excluded.parent_id, p.parent_id),
      delete_seen = p.delete_seen or excluded.delete_seen,
      lane = least(p.lane, excluded.lane),
      event_id = coalesce(excluded.event_id, p.event_id),
      occurred_at = greatest(p.occurred_at, excluded.occurred_at),
      delete_occurred_at = greatest(p.delete_occurred_at, excluded.delete_occurred_at),
      last_seen_at = now(),
      attempts = 0,
      own_failures = 0,
      reread = false,
      ready_at = greatest(p.not_before,
        least(excluded.ready_at, p.first_seen_at + ${maxWaitMs}::float8 * interval '1 ms'))
    returning company_id, project_id, resource, record_id, generation, lane, ready_at
  ),
  due as (
    insert into mirror.batches as b (company_id, project_id, resource, lane, due_at, first_due_at)
    select company_id, project_id, resource, lane, min(ready_at) + mirror.pause_for_news(company_id, lane),
      min(ready_at) + mirror.pause_for_news(company_id, lane) from marked
    group by company_id, project_id, resource, lane order by company_id, project_id, resource, lane
    on conflict (company_id, project_id, resource, lane) do update set
      due_at = case when b.due_at < excluded.due_at
        then greatest(b.due_at, least(excluded.due_at, b.first_due_at + ${delayMs}::float8 * interval '2 ms'))
        else excluded.due_at end,
      first_due_at = case when b.due_at < excluded.due_at then b.first_due_at else excluded.due_at end
  )`;
}

// An event that does not say when is logged with the time of its receipt. Among the news of a record that would be a guess:
// a copy that was read in time would seem to lag, and which of two came last would be told by the way they took. So a change at
// an unknown time counts as later than any deletion, and a deletion as earlier than any change: the absence of a record that
// may have been restored is then sighted twice. A deletion alone is the last news, whenever it was.
const RECORD_EVENT = `
with logged as (
  insert into mirror.events as e (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
    payload_version, raw, outcome, reason, key, trace)
  values ($1, $2, $3, $4, $5, $6, coalesce($7::timestamptz, $8), $8, $9, $10::jsonb, $11, $12, $23, $24)
  on conflict (id) do update set deliveries = e.deliveries + 1
  where (e.company_id, e.project_id, e.resource, e.record_id, e.kind)
    is not distinct from (excluded.company_id, excluded.project_id, excluded.resource, excluded.record_id, excluded.kind)
  returning (xmax = 0) as is_new
),
news as (
  select n.*, $1::text as event_id, coalesce($7, case when not is_delete then 'infinity'::timestamptz end) as occurred_at,
    coalesce($7, '-infinity') as deleted_at
  from ${newsTable(13)}
  where (select is_new from logged)
),
${markNews('$20', '$21', `'live'::mirror.lane`)},
read as (delete from mirror.dead_letters where id = $22)
select (select is_new from logged) as is_new`;
