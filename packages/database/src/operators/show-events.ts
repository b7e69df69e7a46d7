import type { Queryable } from '../connection/queryable.ts';
import { deadLetterId } from '../events/dead-letters.ts';
import { isFittingId } from '../rows/look-up.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';

export type LoggedEventSummary = {
  id: string;
  companyId: string;
  projectId: string | null;
  resource: string;
  recordId: string;
  kind: string;
  occurredAt: string;
  receivedAt: string;
  payloadVersion: string;
  /** What was made of it at first: `pending` or `ignored`. */
  outcome: string;
  reason: string | null;
  deliveries: number;
};

export type EventFilter = {
  companyId?: string | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
  recordId?: string | undefined;
  /** `ignored`, or `pending`: it is the newest of a record that still waits for its fetch. */
  outcome?: string | undefined;
  /** Received at or after; anything Postgres reads as a timestamp with time zone. */
  since?: string | undefined;
  limit: number;
};

const EVENT_COLUMNS = `id, company_id::text as "companyId", project_id::text as "projectId", resource,
  record_id as "recordId", kind, occurred_at as "occurredAt", received_at as "receivedAt",
  payload_version as "payloadVersion", outcome, reason, deliveries`;

// In a mirror that is well nothing waits, and the whole log would be searched for it; so it is looked for from the other end.
const WAITING = `select event_id from mirror.pending p where event_id is not null and ($1::bigint is null or p.company_id = $1)
  and ($3::text is null or lower(p.resource) = lower($3)) and ($4::text is null or p.record_id = $4)
  order by last_seen_at desc limit 20000`;

/** Events in the log, newest first. Of those that wait 20,000 are looked at. */
export async function listEvents(client: Queryable, filter: EventFilter): Promise<LoggedEventSummary[]> {
  const waits = filter.outcome === 'pending' ? `and id = any(array(${WAITING}))` : '';
  const { rows } = await client.query<LoggedEventSummary>(
    `select ${EVENT_COLUMNS} from mirror.events
      where ($1::bigint is null or company_id = $1) and ($2::bigint is null or project_id = $2)
        and ($3::text is null or lower(resource) = lower($3)) and ($4::text is null or record_id = $4)
        and ($5::text is null or outcome = $5) and ($6::timestamptz is null or received_at >= $6) ${waits}
      order by received_at desc, id desc limit $7`,
    [filter.companyId, filter.projectId, filter.resource, filter.recordId, filter.outcome, filter.since, filter.limit],
  );
  return rows;
}

export type LoggedEventDetails = LoggedEventSummary & {
  /** Of its first delivery: which accepted secret came with it, and how the logs name it. */
  key: string | null;
  trace: string | null;
  /** `delivery`, `delivery log` or `replay`. */
  via: string;
  /** The body as stored, JSON text. */
  raw: string;
};

/** One event with its body; null when the log has no such event. */
export async function showEvent(client: Queryable, id: string): Promise<LoggedEventDetails | null> {
  const { rows } = await client.query<LoggedEventDetails>(
    `select ${EVENT_COLUMNS}, key, trace, via, raw::text as raw from mirror.events where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}

/** How the record of an event is now. */
export type RecordState = {
  pending: {
    eventId: string | null;
    dueAt: string;
    attempts: number;
    lastError: string | null;
  } | null;
  deadLetter: { id: string; eventId: string | null; nextTryAt: string | null } | null;
  row: {
    projectId: string | null;
    version: string;
    fetchedAt: string | null;
    deletedAt: string | null;
    hiddenAt: string | null;
    /** The newest event that was known when it was fetched, and when that came. */
    eventId: string | null;
    eventReceivedAt: string | null;
  } | null;
  /** The newest event of the record that led to a fetch. */
  newestEventId: string | null;
};

/** How these records are now, in the same order. `resource` as the catalogue spells it; null: no table mirrors it. */
export async function readRecordStates(
  client: Queryable,
  { table, resource }: { table: MirroredTable | null; resource: string },
  records: readonly { companyId: string; projectId: string | null; recordId: string; spelling: string }[],
): Promise<RecordState[]> {
  const { rows } = await client.query<{ state: string }>(statesStatement(table), [
    records.map(({ companyId }) => companyId),
    records.map(({ projectId }) => (table?.scope === 'company' ? null : projectId)),
    records.map(({ recordId }) => recordId),
    records.map(({ recordId }) => (table !== null && isFittingId(table, recordId) ? recordId : null)),
    records.map(({ spelling }) => spelling),
    resource,
  ]);
  return rows.map(({ state }) => JSON.parse(state) as RecordState); // made by the statement
}

function statesStatement(table: MirroredTable | null): string {
  const isSamePlace = (one: string) => `${one}.company_id = r.company_id and (${one}.project_id = r.project_id
    or (${one}.project_id is null and r.project_id is null))`;
  // An event may name a project though its resource is one of the company.
  const ofEvent = table?.scope === 'company' ? 'e.company_id = r.company_id' : isSamePlace('e');
  return `
select jsonb_build_object(
  'pending', (select jsonb_build_object('eventId', p.event_id, 'dueAt', greatest(p.ready_at, b.due_at), 'attempts', p.attempts,
      'lastError', p.last_error)
    from mirror.pending p left join mirror.batches b on ${isSamePlace('b')} and b.resource = p.resource and b.lane = p.lane
    where ${isSamePlace('p')} and p.resource = $6 and p.record_id = r.record_id),
  'deadLetter', (select jsonb_build_object('id', d.id, 'eventId', d.event_id, 'nextTryAt', d.next_try_at)
    from mirror.dead_letters d where d.id = ${deadLetterId('r')}),
  'row', ${table === null ? 'null' : stateOfRow(table)},
  'newestEventId', (select e.id from mirror.events e where ${ofEvent} and e.resource = r.spelling and e.record_id = r.record_id
    and e.outcome = 'pending' order by e.received_at desc, e.id desc limit 1))::text as state
from (select *, $6::text as resource from unnest($1::bigint[], $2::bigint[], $3::text[], $4::${table?.idType ?? 'text'}[], $5::text[])
  with ordinality as r(company_id, project_id, record_id, id, spelling, n)) r order by r.n`;
}

function stateOfRow(table: MirroredTable): string {
  const projectId = table.scope === 'project' ? `t.${quoteName('project_id')}` : 'null';
  const isHere = table.idRepeatsAcrossProjects ? 'and t.project_id = r.project_id' : '';
  return `(select jsonb_build_object('projectId', ${projectId}::text, 'version', t._version::text, 'fetchedAt', t._fetched_at,
      'deletedAt', t._deleted_at, 'hiddenAt', t._hidden_at, 'eventId', t._event_id,
      'eventReceivedAt', (select received_at from mirror.events where id = t._event_id))
    from ${tableName(table)} t where t.company_id = r.company_id and t.id = r.id ${isHere})`;
}
