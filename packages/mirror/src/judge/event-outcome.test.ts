import type { RecordState } from '@procore-mirror/database';
import { expect, test } from 'vitest';
import { type EventOutcome, outcomeOfEvent } from './event-outcome.ts';

const at = (minute: number) => `2026-06-30T12:${String(minute).padStart(2, '0')}:00Z`;
/** The second event of its record. */
const event = { id: 'E2', receivedAt: at(2), outcome: 'pending', reason: null };
const pending = { eventId: 'E2', dueAt: at(9), attempts: 1, lastError: 'HTTP 500' };
const deadLetter = { id: '5/7/RFIs/42', eventId: 'E2', nextTryAt: at(50) };
const row = {
  ...{ projectId: '7', version: '18', fetchedAt: at(5), deletedAt: null, hiddenAt: null },
  ...{ eventId: 'E2', eventReceivedAt: at(2) },
};
const state = (change: Partial<RecordState>): RecordState => ({
  ...{ pending: null, deadLetter: null, row: null, newestEventId: 'E2', ...change },
});

const cases: [title: string, state: RecordState, is: Partial<EventOutcome>][] = [
  ['waits', state({ pending }), { outcome: 'pending', dueAt: at(9), attempts: 1, lastError: 'HTTP 500' }],
  [
    'waits for a record that is there',
    state({ pending, row: { ...row, eventId: 'E1', eventReceivedAt: at(1) } }),
    { outcome: 'pending' },
  ],
  ['waits for the rest of what a list brought', state({ pending, row }), { outcome: 'pending', version: null }],
  [
    'newer news waits',
    state({ pending: { ...pending, eventId: 'E3' } }),
    { outcome: 'superseded', supersededBy: 'E3', dueAt: at(9), version: null },
  ],
  [
    'was fetched, and newer news waits',
    state({ pending: { ...pending, eventId: 'E3' }, row }),
    { outcome: 'fetched', version: '18', dueAt: null },
  ],
  [
    'was fetched, and the record is looked at again',
    state({ pending: { ...pending, eventId: null }, row }),
    { outcome: 'fetched' },
  ],
  [
    'waits without being known by name',
    state({ pending: { ...pending, eventId: null } }),
    { outcome: 'pending', supersededBy: null },
  ],
  ['was fetched', state({ row }), { outcome: 'fetched', version: '18', fetchedAt: at(5) }],
  [
    'was fetched with newer news',
    state({ row: { ...row, eventId: 'E3', eventReceivedAt: at(3) } }),
    { outcome: 'superseded', supersededBy: 'E3', version: '18' },
  ],
  [
    'was fetched, and the log forgot which was the newest',
    state({ row: { ...row, eventId: null, eventReceivedAt: null } }),
    { outcome: 'fetched' },
  ],
  [
    'was fetched, and its record is deleted',
    state({ row: { ...row, deletedAt: at(5) } }),
    { outcome: 'buried', version: '18' },
  ],
  ['was fetched, and its record is hidden', state({ row: { ...row, hiddenAt: at(5) } }), { outcome: 'hidden' }],
  [
    'was given up',
    state({ deadLetter }),
    { outcome: 'given up', deadLetter: '5/7/RFIs/42', dueAt: at(50), supersededBy: null },
  ],
  [
    'was given up with newer news',
    state({ deadLetter: { ...deadLetter, eventId: 'E3' } }),
    { outcome: 'given up', supersededBy: 'E3' },
  ],
  [
    'was fetched before a later one was given up',
    state({ deadLetter: { ...deadLetter, eventId: 'E3' }, row }),
    { outcome: 'fetched' },
  ],
  ['is tried again', state({ deadLetter, pending }), { outcome: 'pending' }],
  ['left no row', state({}), { outcome: 'gone' }],
];

test.each(cases)('an event that %s', (_, now, is) => {
  expect(outcomeOfEvent(event, now)).toMatchObject({ reason: null, ...is });
});

test('an event that was ignored stays so, whatever became of its record', () => {
  const ignored = { ...event, outcome: 'ignored', reason: 'company_not_selected' };
  expect(outcomeOfEvent(ignored, state({ pending, row }))).toMatchObject({
    outcome: 'ignored',
    reason: 'company_not_selected',
    dueAt: null,
  });
});
