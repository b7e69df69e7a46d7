import type { Queryable } from '../connection/queryable.ts';
import { deadLetterId } from '../events/dead-letters.ts';

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
export async function listEvents(client: Queryable, filter: EventFilter): Promise<EventSummary[]> {
  const { rows } = await client.query<EventSummary>(
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
  /** `delivery`, `delivery log` or `replay`. */
  via: string;
  /** The body as stored, JSON text. */
  raw: string;
  /** Set while its record has news that is not fetched. */
  pending: { generation: string; attempts: number; readyAt: string; lastError: string | null } | null;
};

/** One event with its body, and whether its record still waits for a fetch; null when the log has no such event. */
export async function showEvent(client: Queryable, id: string): Promise<EventDetails | null> {
  const { rows } = await client.query<EventDetails>(
    `select e.*, (
        select jsonb_build_object('generation', p.generation::text, 'attempts', p.attempts, 'readyAt', p.ready_at,
          'lastError', p.last_error)
        from mirror.pending p
        where p.company_id::text = e."companyId" and p.resource = e.resource and p.record_id = e."recordId" limit 1
      ) as pending
      from (select ${EVENT_COLUMNS}, key, trace, via, raw::text as raw from mirror.events where id = $1) e`,
    [id],
  );
  return rows[0] ?? null;
}
