// What became of an event by now. Pure.
import type { RecordState } from '@procore-mirror/database';

/**
 * `pending`: its record waits for a fetch because of it. `superseded`: newer news of the record counts. `fetched`, `buried`, `hidden`: what a fetch
 * after it found, and the row says. `given up`: it is a dead letter. `ignored`: none was to follow. `gone`: it was fetched, and there is no
 * row any more, or it is in another project.
 */
export type EventOutcome = {
  outcome: 'pending' | 'superseded' | 'fetched' | 'buried' | 'hidden' | 'given up' | 'ignored' | 'gone';
  /** Of an ignored one: why. */
  reason: string | null;
  /** The event that counts instead. */
  supersededBy: string | null;
  /** Of what waits: when its fetch is due. Of a dead letter: its next try; null: none by itself. */
  dueAt: string | null;
  /** Of what waits: failures, and the last one. */
  attempts: number | null;
  lastError: string | null;
  /** Of what was fetched: the row that came of it. */
  version: string | null;
  fetchedAt: string | null;
  deadLetter: string | null;
};

type Logged = { id: string; receivedAt: string; outcome: string; reason: string | null };

/** Settled is what is not pending any more, and what the row knew of when it was fetched. */
export function outcomeOfEvent(event: Logged, state: RecordState): EventOutcome {
  if (event.outcome === 'ignored') return { ...NOTHING, outcome: 'ignored', reason: event.reason };
  // A list may have brought a part of the row, and the rest waits still.
  const isSettled = state.row !== null && state.pending?.eventId !== event.id && knows(state.row, event);
  return (isSettled ? null : (ofPending(event, state) ?? ofDeadLetter(event, state))) ?? ofRow(event, state);
}

function ofPending({ id }: Logged, { pending, row }: RecordState): EventOutcome | null {
  // What a relative, a list or a comparison told of it alone says nothing of its events.
  if (pending === null || (pending.eventId === null && row !== null)) return null;
  const { dueAt, attempts, lastError } = pending;
  const supersededBy = otherThan(id, pending.eventId);
  const outcome = supersededBy === null ? 'pending' : 'superseded';
  return { ...NOTHING, outcome, supersededBy, dueAt, attempts, lastError };
}

function ofDeadLetter({ id }: Logged, { pending, deadLetter }: RecordState): EventOutcome | null {
  if (pending !== null || deadLetter === null) return null;
  const supersededBy = otherThan(id, deadLetter.eventId);
  return { ...NOTHING, outcome: 'given up', supersededBy, dueAt: deadLetter.nextTryAt, deadLetter: deadLetter.id };
}

function ofRow({ id }: Logged, { row, newestEventId }: RecordState): EventOutcome {
  if (row === null) return { ...NOTHING, outcome: 'gone' };
  const supersededBy = otherThan(id, row.eventId ?? newestEventId);
  const { version, fetchedAt } = row;
  return { ...NOTHING, outcome: outcomeOfRow(row, supersededBy), supersededBy, version, fetchedAt };
}

function otherThan(id: string, other: string | null): string | null {
  return other === id ? null : other;
}

const NOTHING = {
  ...{ reason: null, supersededBy: null, dueAt: null, attempts: null, lastError: null, version: null },
  ...{ fetchedAt: null, deadLetter: null },
};

type Row = NonNullable<RecordState['row']>;

/** Did the fetch that the row comes from know of it? Of two events the one that came first counts as recorded first. */
function knows({ eventId, eventReceivedAt }: Row, { id, receivedAt }: Logged): boolean {
  return eventId === id || (eventReceivedAt !== null && Date.parse(receivedAt) <= Date.parse(eventReceivedAt));
}

function outcomeOfRow({ deletedAt, hiddenAt }: Row, supersededBy: string | null): EventOutcome['outcome'] {
  if (deletedAt !== null) return 'buried';
  if (hiddenAt !== null) return 'hidden';
  return supersededBy === null ? 'fetched' : 'superseded';
}
