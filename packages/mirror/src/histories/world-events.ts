// The events that the scripted Procore sends, in two of its formats: v4.0, and v3.0, which names the parents of some
// records (docs/procore.md: Payload versions).
import type { WorldRecord } from './world-record.ts';

export type EventKind = 'create' | 'update' | 'delete';
export type Payload = 'v3.0' | 'v4.0';

export type WorldEvent = {
  body: Buffer;
  recordId: string;
  projectId: string | null;
  isDelete: boolean;
  isDelivered: boolean;
};

/** Contract line items and cost line items; of these, histories know one. */
const NAMES_PARENT: ReadonlySet<string> = new Set(['Purchase Order Contract Line Items']);
const FIRST_EVENT = Date.parse('2026-06-01T10:00:00.000Z');
const MS_BETWEEN_EVENTS = 7;

type Head = { number: number; kind: EventKind; companyId: string; payload: Payload };

/** The event of an edit of the record, which is where the edit left it. */
export function eventOf(record: WorldRecord, head: Head): WorldEvent {
  const body = head.payload === 'v3.0' ? v3Body(record, head) : v4Body(record, head);
  return {
    body: Buffer.from(JSON.stringify(body)),
    recordId: record.id,
    projectId: record.projectId,
    isDelete: head.kind === 'delete',
    isDelivered: false,
  };
}

function v4Body({ entry, id, projectId }: WorldRecord, head: Head): object {
  return {
    id: idOf(head),
    timestamp: timeOf(head),
    reason: head.kind,
    company_id: head.companyId,
    project_id: projectId ?? '',
    resource_type: entry.resource,
    resource_id: id,
  };
}

function v3Body({ entry, id, projectId, parentId }: WorldRecord, head: Head): object {
  const isNamed = NAMES_PARENT.has(entry.resource) && parentId !== null;
  return {
    ulid: idOf(head),
    timestamp: timeOf(head),
    api_version: 'v3.0',
    event_type: head.kind,
    company_id: Number(head.companyId),
    project_id: projectId === null ? null : Number(projectId),
    resource_name: entry.resource,
    resource_id: Number(id),
    related_resources: isNamed ? [{ id: Number(parentId), name: entry.parent?.resource }] : [],
  };
}

const idOf = ({ number, companyId }: Head) => `EVENT${number}OF${companyId}`;
const timeOf = ({ number }: Head) => new Date(FIRST_EVENT + number * MS_BETWEEN_EVENTS).toISOString();
