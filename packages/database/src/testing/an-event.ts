import type { LoggedEvent } from '../events/record-event.ts';
import type { News, Pace } from '../pending/mark-pending.ts';

/** Without a pause before the fetch. */
export const pace: Pace = { delayMs: 0, maxWaitMs: 60_000 };

let eventNumber = 0;
export function anEvent(change: Partial<LoggedEvent> = {}): LoggedEvent {
  eventNumber += 1;
  return {
    id: `EVENT${eventNumber}`,
    companyId: '1',
    projectId: '7',
    resource: 'RFIs',
    recordId: '42',
    kind: 'update',
    occurredAt: '2026-06-01T10:00:00.123456Z',
    receivedAt: new Date(),
    payloadVersion: 'v4.0',
    raw: '{"id": 5982324300946918154}',
    key: null,
    trace: null,
    via: 'delivery',
    ...change,
  };
}

export function newsOf(event: LoggedEvent): News {
  const { companyId, projectId, resource, recordId, kind } = event;
  return { companyId, projectId, resource, recordId, parentId: null, isDelete: kind === 'delete', isRelative: false };
}
