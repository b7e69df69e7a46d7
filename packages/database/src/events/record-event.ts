import type { Database } from '../connection/open-database.ts';
import { afterConflicts } from '../connection/transaction.ts';
import { markNews, type News, newsColumns, newsTable, type Pace } from '../pending/mark-pending.ts';
import { happenedAt } from './happened-at.ts';

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
  via: 'delivery' | 'delivery log' | 'replay';
};

/** A table that lacks what happened; without a project the one of all projects of the company. */
export type Lacking = { projectId: string | null; resource: string };

export type RecordOptions = {
  event: LoggedEvent;
  /** Why nothing is fetched; null when something is. */
  ignored: string | null;
  /** Which tables lack it then. */
  lacking?: readonly Lacking[];
  news: readonly News[];
  /** The project that its record is in: where that is forgotten nothing is fetched, either. */
  projectId?: string | null;
  /** The dead letter that this body would be, or was until now: it could be read. */
  deadLetterId?: string;
  pace: Pace;
};

/** So long it stands for what follows that an event was ignored. */
const IGNORED_FOR = `interval '10 seconds'`;

/**
 * Writes the event to the log and marks its records pending, both or neither; its body is no dead letter any more. A second
 * delivery of the same event is counted and changes nothing else. Of one that is ignored it is noted what lacks it (`mirror.event_gaps`).
 * Idempotent. Returns whether the event was new,
 * `forgotten` where it was and is ignored because its project is forgotten (`project_not_selected`), or `differs` when the log already holds another event under this id: the caller must then record it under an id of its own.
 */
export async function recordEvent(
  database: Database,
  options: RecordOptions,
): Promise<'new' | 'forgotten' | 'known' | 'differs'> {
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
    ignored,
    ...newsColumns(options.news),
    options.pace.delayMs,
    options.pace.maxWaitMs,
    options.deadLetterId,
    event.key,
    event.trace,
    options.projectId,
    event.via,
    (options.lacking ?? []).map(({ projectId }) => projectId),
    (options.lacking ?? []).map(({ resource }) => resource.toLowerCase()),
  ];
  // A worker that stores locks pending rows in an order of its own.
  const { rows } = await afterConflicts(database, () =>
    database.pool.query<{ is_new: boolean | null; is_forgotten: boolean }>({
      name: 'record-event',
      text: RECORD_EVENT,
      values,
    }),
  );
  const isNew = rows[0]?.is_new ?? null;
  if (isNew === null) return 'differs';
  if (!isNew) return 'known';
  return rows[0]?.is_forgotten ? 'forgotten' : 'new';
}

// An event that does not say when is logged with the time of its receipt. Among the news of a record that would be a guess:
// a copy that was read in time would seem to lag, and which of two came last would be told by the way they took. So a change at
// an unknown time counts as later than any deletion, and a deletion as earlier than any change: the absence of a record that
// may have been restored is then sighted twice. A deletion alone is the last news, whenever it was.
//
// Why it is ignored may end, and then its change is lacking until it is read otherwise. A row for each table is enough: who looks for a proof
// that began after it was ignored finds none before.
const IS_LACKING = `g.company_id = $2::bigint and g.project_id is not distinct from l.project_id and g.resource = l.resource
    and g.because = 'ignored'`;
const RECORD_EVENT = `
with forgotten as (
  select from mirror.selection
  where company_id = $2 and project_id = $25::bigint and not is_selected and forgotten_at is not null
),
logged as (
  insert into mirror.events as e (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
    payload_version, raw, outcome, reason, key, trace, via)
  select $1, $2::bigint, $3::bigint, $4, $5, $6, coalesce($7::timestamptz, $8), $8, $9, $10::jsonb,
    case when reason is null then 'pending' else 'ignored' end, reason, $23, $24, $26
  from coalesce($11, case when exists (select from forgotten) then 'project_not_selected' end) as reason
  on conflict (id) do update set deliveries = e.deliveries + 1
  where (e.company_id, e.project_id, e.resource, e.record_id, e.kind)
    is not distinct from (excluded.company_id, excluded.project_id, excluded.resource, excluded.record_id, excluded.kind)
  returning (xmax = 0) as is_new
),
news as (
  select n.*, $1::text as event_id, coalesce($7, case when not is_delete then 'infinity'::timestamptz end) as occurred_at,
    coalesce($7, '-infinity') as deleted_at, ${happenedAt('$7::timestamptz', '$8::timestamptz', '$26::text')} as happened_at
  from ${newsTable(12)}
  where (select is_new from logged) and not exists (select from forgotten)
),
${markNews('$20', '$21', `'live'::mirror.lane`)},
read as (delete from mirror.dead_letters where id = $22),
lacking as (
  select distinct project_id, resource, ${happenedAt('$7::timestamptz', '$8::timestamptz', '$26::text')} as happened_at
  from unnest($27::bigint[], $28::text[]) as l(project_id, resource) where (select is_new from logged)
),
known as (
  select l.project_id, l.resource from lacking l join mirror.event_gaps g on ${IS_LACKING}
),
extended as (
  update mirror.event_gaps g set since = least(g.since, l.happened_at), until = now() + ${IGNORED_FOR}, heeded_at = null
  from lacking l where ${IS_LACKING} and (g.until < now() or g.since > l.happened_at)
),
added as (
  insert into mirror.event_gaps (company_id, project_id, resource, since, until, because)
  select $2::bigint, project_id, resource, happened_at, now() + ${IGNORED_FOR}, 'ignored' from lacking l
  where not exists (select from known k where k.project_id is not distinct from l.project_id and k.resource = l.resource)
)
select (select is_new from logged) as is_new, exists (select from forgotten) as is_forgotten`;
