import type { Queryable } from '../connection/queryable.ts';
import { choiceValues, type DeadLetterChoice, IS_CHOSEN } from '../events/dead-letters.ts';

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
  client: Queryable,
  choice: DeadLetterChoice,
  limit: number,
): Promise<DeadLetterSummary[]> {
  const { rows } = await client.query<DeadLetterSummary>(
    `select ${DEAD_LETTER_COLUMNS} from mirror.dead_letters where ${IS_CHOSEN} order by last_seen_at desc, id desc limit $6`,
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
export async function showDeadLetter(client: Queryable, id: string): Promise<DeadLetterDetails | null> {
  const { rows } = await client.query<DeadLetterDetails>(
    `select ${DEAD_LETTER_COLUMNS}, event_id as "eventId", occurred_at as "occurredAt", delete_seen as "deleteSeen",
        parent_id as "parentId", raw, kind = 'record' and exists (select from mirror.pending p
          where p.company_id = d.company_id and p.project_id is not distinct from d.project_id
            and p.resource = d.resource and p.record_id = d.record_id) as "isPending"
      from mirror.dead_letters d where id = $1`,
    [id],
  );
  return rows[0] ?? null;
}
