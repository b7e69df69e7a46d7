// The bodies of webhook deliveries, in the three formats that Procore sends (docs/procore.md: Payload versions).
import { numberOf } from '../json.ts';

export const payloadVersions = ['v2.0', 'v3.0', 'v4.0'] as const;
export type PayloadVersion = (typeof payloadVersions)[number];

export type SimulatedEvent = {
  ulid: string;
  /** Digits beyond 2^53. */
  integerId: string;
  companyId: string;
  projectId: string | null;
  resource: string;
  recordId: string;
  kind: 'create' | 'update' | 'delete';
  /** ISO, with microseconds. */
  occurredAt: string;
  userId: string;
  /** The parent, for children of contracts and costs. */
  related: readonly { id: string; name: string }[];
};

/** The resources whose v3.0 events name their parent; those of others carry an empty list. */
export const namesParent = [
  'Purchase Order Contract Line Items',
  'Work Order Contract Line Items',
  'Prime Contract Line Items',
  'Direct Cost Line Items',
  'Potential Change Order Line Items',
] as const;

const idOf = (id: string): unknown => (/^\d+$/.test(id) ? numberOf(id) : id);

/** The event in the format of a hook, ready for JSON.stringify. */
export function eventBody(event: SimulatedEvent, version: PayloadVersion): Record<string, unknown> {
  return version === 'v4.0' ? version4(event) : version2(event, version);
}

function version4(event: SimulatedEvent): Record<string, unknown> {
  return {
    id: event.ulid,
    timestamp: event.occurredAt,
    reason: event.kind,
    company_id: event.companyId,
    project_id: event.projectId ?? '',
    user_id: event.userId,
    resource_type: event.resource,
    resource_id: event.recordId,
    payload_version: 'v4.0',
  };
}

function version2(event: SimulatedEvent, version: 'v2.0' | 'v3.0'): Record<string, unknown> {
  const projectId = event.projectId === null ? null : numberOf(event.projectId);
  // What stands in the event itself is now and then left out here (docs/procore.md: Payload versions).
  const repeats = !event.integerId.endsWith('7');
  return {
    id: numberOf(event.integerId),
    ulid: event.ulid,
    timestamp: event.occurredAt,
    metadata: {
      source_user_id: repeats ? numberOf(event.userId) : null,
      source_project_id: repeats ? projectId : null,
      source_operation_id: null,
      source_company_id: repeats ? numberOf(event.companyId) : null,
      source_application_id: null,
    },
    user_id: numberOf(event.userId),
    company_id: numberOf(event.companyId),
    project_id: projectId,
    api_version: version,
    event_type: event.kind,
    resource_name: event.resource,
    resource_id: idOf(event.recordId),
    ...(version === 'v3.0' && { related_resources: event.related.map(({ id, name }) => ({ id: idOf(id), name })) }),
  };
}
