// What became of events by now.
import type { Catalogue } from '@procore-mirror/catalogue';
import { type Database, type LoggedEventSummary, readRecordStates } from '@procore-mirror/database';
import { at, counted, type EventOutcome, outcomeOfEvent } from '@procore-mirror/mirror';

export type EventNow<E extends LoggedEventSummary> = Omit<E, 'outcome' | 'reason'> & EventOutcome;

/** The same events, each with what became of it. */
export async function eventsNow<E extends LoggedEventSummary>(
  { pool }: Database,
  catalogue: Catalogue,
  events: readonly E[],
): Promise<EventNow<E>[]> {
  const became = new Map<string, EventOutcome>();
  for (const [name, own] of Map.groupBy(events, ({ resource }) => resource.toLowerCase())) {
    const entry = catalogue.find(name);
    const resource = { table: entry?.table ?? null, resource: entry?.resource ?? own[0]?.resource ?? name };
    const records = own.map((event) => ({ ...event, spelling: event.resource }));
    const states = await readRecordStates(pool, resource, records);
    for (const [place, event] of own.entries()) {
      const state = states[place];
      if (state !== undefined) became.set(event.id, outcomeOfEvent(event, state));
    }
  }
  return events.flatMap(({ outcome: _, reason: __, ...event }) => {
    const outcome = became.get(event.id);
    return outcome === undefined ? [] : [{ ...event, ...outcome }];
  });
}

/** `fetched: row version 18 of 2026-06-30 12:05 UTC`. */
export function outcomeInWords(event: EventOutcome): string {
  const { outcome, reason, dueAt, version, fetchedAt, attempts, lastError } = event;
  const by = event.supersededBy === null ? '' : ` by ${event.supersededBy}`;
  const failed = attempts === null || attempts === 0 ? '' : `, failed ${counted(attempts, 'time')} (${lastError})`;
  const row = version === null ? '' : `: row version ${version} of ${at(fetchedAt)}`;
  switch (outcome) {
    case 'ignored':
      return `ignored: ${reason}`;
    case 'pending':
      return `pending: due ${at(dueAt)}${failed}`;
    case 'superseded':
      return version === null ? `superseded${by}, due ${at(dueAt)}${failed}` : `superseded${by}${row}`;
    case 'given up':
      return `given up: dead letter ${event.deadLetter}${dueAt === null ? '' : `, tried again ${at(dueAt)}`}`;
    case 'gone':
      return 'fetched, and no row is there any more';
    default:
      return `${outcome}${row}`;
  }
}
