// What the control tells of events and their deliveries.
import type { Deliveries, EndpointReport } from './deliveries.ts';
import type { Events, LoggedEvent } from './events.ts';
import type { Hook } from './hooks.ts';

export type EventLine = {
  id: string;
  integerId: string;
  resource: string;
  recordId: string;
  companyId: string;
  projectId: string | null;
  kind: string;
  occurredAt: string;
  lost: boolean;
  deliveries: {
    hookId: string;
    url: string;
    status: string;
    attempts: { at: string; status: number | null; error: string | null }[];
  }[];
};

export type Summary = {
  /** Deliveries and duplicates that are not settled, and edits still to come. Zero: all is quiet. */
  outstanding: number;
  waiting: number;
  plannedEdits: number;
  events: number;
  lost: number;
  byStatus: Record<string, number>;
  endpoints: EndpointReport[];
};

export type HookLine = Omit<Hook, 'destinationHeaders' | 'createdAt' | 'updatedAt' | 'triggers'> & {
  triggers: { resource: string; kind: string }[];
};

/** The events of a resource or record, oldest first. */
export function* eventLines(
  events: Events,
  { resource, recordId }: { resource?: string; recordId?: string },
): Generator<EventLine> {
  for (const logged of events.log()) {
    const { event } = logged;
    if ((resource ?? event.resource) === event.resource && (recordId ?? event.recordId) === event.recordId) {
      yield eventLine(logged);
    }
  }
}

export function summarize(events: Events, deliveries: Deliveries, plannedEdits: number): Summary {
  const byStatus: Record<string, number> = {};
  let lost = 0;
  for (const logged of events.log()) {
    if (logged.lost) lost += 1;
    for (const { status } of logged.deliveries) byStatus[status] = (byStatus[status] ?? 0) + 1;
  }
  const waiting = deliveries.outstanding();
  const endpoints = deliveries.endpoints();
  return {
    outstanding: waiting + plannedEdits,
    waiting,
    plannedEdits,
    events: events.count(),
    lost,
    byStatus,
    endpoints,
  };
}

export function hookLine({ destinationHeaders, createdAt, updatedAt, triggers, ...hook }: Hook): HookLine {
  return { ...hook, triggers: triggers.map(({ resource, kind }) => ({ resource, kind })) };
}

function eventLine({ event, lost, deliveries }: LoggedEvent): EventLine {
  const { ulid, userId, related, ...rest } = event;
  return {
    id: ulid,
    ...rest,
    lost,
    deliveries: deliveries.map(({ hook, status, attempts }) => ({
      hookId: hook.id,
      url: hook.destinationUrl,
      status,
      attempts: attempts.map(({ startedAt, responseStatus, error }) => {
        return { at: new Date(startedAt).toISOString(), status: responseStatus, error };
      }),
    })),
  };
}
