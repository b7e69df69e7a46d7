import { catalogue } from '@procore-mirror/catalogue';
import { describe, expect, test } from 'vitest';
import { type PlanFacts, planFetch } from './plan-fetch.ts';
import type { WantedRecord } from './wanted-record.ts';

const facts: PlanFacts = {
  records: 50,
  parents: 5,
  perPage: 1000,
  affordableCalls: 1000,
  days: new Map(),
  recordsPerDay: 0,
};
const aRecord = (change: Partial<WantedRecord> = {}): WantedRecord => ({
  id: '1',
  parentId: null,
  isDelete: false,
  isListed: false,
  occurredAt: null,
  ...change,
});
const wanted = (count: number, change: Partial<WantedRecord> = {}): WantedRecord[] =>
  Array.from({ length: count }, (_, index) => aRecord({ id: String(index + 1), ...change }));
/** The days of records 1 to n. */
const daysOf = (...days: string[]) => new Map(days.map((day, index) => [String(index + 1), day]));

function planned(resource: string, records: readonly WantedRecord[], change: Partial<PlanFacts> = {}) {
  const plan = planFetch(catalogue.get(resource), records, { ...facts, ...change });
  const kinds = Object.entries(Object.groupBy(plan.calls, ({ kind }) => kind)).map(
    ([kind, calls]) => [kind, calls?.length ?? 0] as const,
  );
  return { kinds: Object.fromEntries(kinds), calls: plan.estimatedCalls };
}

describe('the cheapest calls for a batch', () => {
  test.each([
    ['a thin list completes nothing, so each record is shown', 'RFIs', wanted(3), {}, { show: 3 }, 3],
    [
      'when calls are short, a thin list refreshes what is to be shown later',
      'RFIs',
      [...wanted(120), aRecord({ id: '999', isDelete: true })],
      { affordableCalls: 25 },
      { 'refresh by ids': 2 },
      2,
    ],
    [
      'what a list has refreshed is shown',
      'RFIs',
      wanted(12, { isListed: true }),
      { affordableCalls: 0 },
      { show: 12 },
      12,
    ],
    ['a few shows need no list', 'RFIs', wanted(6), { affordableCalls: 25 }, { show: 6 }, 6],
    [
      'a list that cannot be asked for ids is no help',
      'Company Users',
      wanted(30),
      { affordableCalls: 0 },
      { show: 30 },
      30,
    ],
    ['one record is shown', 'Locations', wanted(1), {}, { show: 1 }, 1],
    ['a complete list is asked for up to a hundred ids', 'Locations', wanted(250), {}, { 'list by ids': 3 }, 3],
    [
      'records with a delete event are asked for alone',
      'Locations',
      [...wanted(5), aRecord({ id: '9', isDelete: true })],
      {},
      { 'list by ids': 1, show: 1 },
      2,
    ],
    ['a short list without an id filter is read whole', 'Trades', wanted(5), { records: 900 }, { 'list all': 1 }, 1],
    ['a long one is not, for few records', 'Trades', wanted(5), { records: 9000 }, { show: 5 }, 5],
    ['a list by date is no use where nobody knows a day', 'Manpower Logs', wanted(5), {}, { show: 5 }, 5],
    [
      'logs of a few days come with a window of these days',
      'Manpower Logs',
      [...wanted(60), aRecord({ id: '999', isDelete: true })],
      { days: new Map(wanted(60).map(({ id }, index) => [id, `2026-06-${10 + (index % 6)}`])), recordsPerDay: 40 },
      { 'list by dates': 1, show: 1 },
      2,
    ],
    ['one log is shown', 'Manpower Logs', wanted(1), { days: daysOf('2026-06-01') }, { show: 1 }, 1],
    [
      'a window is no use where its pages are as many as the shows',
      'Manpower Logs',
      wanted(3),
      { days: daysOf('2026-06-01', '2026-06-01', '2026-06-01'), recordsPerDay: 2500 },
      { show: 3 },
      3,
    ],
    [
      'days far apart have windows of their own',
      'Manpower Logs',
      wanted(4),
      { days: daysOf('2026-03-01', '2026-03-02', '2026-05-20', '2026-05-21'), recordsPerDay: 100 },
      { 'list by dates': 2 },
      2,
    ],
    [
      'days between that are nearly empty are read along',
      'Manpower Logs',
      wanted(4),
      { days: daysOf('2026-03-01', '2026-03-02', '2026-05-20', '2026-05-21'), recordsPerDay: 2 },
      { 'list by dates': 1 },
      1,
    ],
    [
      'what is no day of the calendar we know is none',
      'Manpower Logs',
      wanted(2),
      { days: daysOf('10000-01-01', '') },
      { show: 2 },
      2,
    ],
    ['without a show the list is read', 'Change Order Change Reasons', wanted(1), {}, { 'list all': 1 }, 1],
    ['without a show, ids are asked for in the list', 'Drawing Areas', wanted(1), {}, { 'list by ids': 1 }, 1],
    ['a known parent gives the path', 'RFI Replies', wanted(1, { parentId: '5' }), {}, { show: 1 }, 1],
    ['children of one parent come in one list', 'RFI Replies', wanted(7, { parentId: '5' }), {}, { 'list all': 1 }, 1],
    [
      'children of one parent can be asked for by id',
      'Purchase Order Contract Line Items',
      wanted(120, { parentId: '5' }),
      {},
      { 'list by ids': 2 },
      2,
    ],
    [
      'an unknown parent that a list of the project names is asked for by ids',
      'Potential Change Orders',
      wanted(130),
      {},
      { 'find parents': 2 },
      132,
    ],
    [
      'once it is known each record is shown',
      'Potential Change Orders',
      wanted(2, { parentId: '5' }),
      {},
      { show: 2 },
      2,
    ],
    ['lists of one contract are walked', 'Change Order Requests', wanted(2), {}, { 'walk parents': 1 }, 1],
    ['a list that is of another record is no use', 'Specification Section Revisions', wanted(3), {}, { show: 3 }, 3],
    ['a list of several resources is read whole', 'Budget Change Adjustments', wanted(3), {}, { 'list all': 1 }, 1],
    ['an unknown parent is looked for once for all', 'RFI Replies', wanted(4), {}, { 'walk parents': 1 }, 1],
    [
      'children inside their parent come with it',
      'Change Event Line Items',
      wanted(3, { parentId: '5' }),
      {},
      { parent: 1 },
      1,
    ],
    [
      'children inside an unknown parent come with all parents',
      'Change Event Line Items',
      wanted(3),
      { parents: 2500 },
      { 'all parents': 1 },
      3,
    ],
  ])('%s', (_, resource, records, change, kinds, calls) => {
    expect(planned(resource, records, change)).toMatchObject({ kinds, calls });
  });

  test('children of more parents than the listing has pages come with the listing', () => {
    const records = ['5', '6', '7'].map((parentId, index) => aRecord({ id: String(index), parentId }));
    expect(planned('Change Event Line Items', records)).toMatchObject({ kinds: { 'all parents': 1 } });
    expect(planned('Change Event Line Items', records, { parents: 3000 })).toMatchObject({ kinds: { parent: 3 } });
  });

  test('a deleted child that nobody knows a parent of is looked for: it may be there again', () => {
    const records = [aRecord({ isDelete: true })];
    expect(planned('RFI Replies', records)).toEqual({ kinds: { 'walk parents': 1 }, calls: 1 });
  });

  test('windows of a list by date reach from the first day to the last, and stay within 13 weeks', () => {
    const days = daysOf('2026-06-30', '2026-06-28', '2026-04-02', '2026-04-01', '2025-01-01');
    const { calls } = planFetch(catalogue.get('Timecard Entries'), wanted(5), { ...facts, days });
    expect(calls).toEqual([
      { kind: 'list by dates', parentId: null, ids: ['4', '3', '2'], from: '2026-04-01', to: '2026-06-28' },
      { kind: 'show', id: '1', parentId: null },
      { kind: 'show', id: '5', parentId: null },
    ]);
  });

  test('the day of a new log is guessed, whichever time zone the site is in', () => {
    const { calls } = planFetch(
      catalogue.get('Notes Logs'),
      wanted(2, { occurredAt: '2026-03-01 23:30:00+00' }),
      facts,
    );
    expect(calls).toMatchObject([{ ids: ['1', '2'], from: '2026-02-26', to: '2026-03-02' }]);
  });

  test('every wanted record is in exactly one call', () => {
    const occurredAt = '2026-06-01T10:00:00Z';
    for (const entry of catalogue.mirrored) {
      const records = ['5', null].flatMap((parentId, part) =>
        [true, false].flatMap((isDelete, half) =>
          Array.from({ length: 130 }, (_, index) =>
            aRecord({ id: `${part}${half}${index}`, parentId, isDelete, occurredAt }),
          ),
        ),
      );
      const plan = planFetch(entry, records, { ...facts, affordableCalls: 1_000_000 });
      const ids = plan.calls.flatMap((call) => (call.kind === 'show' ? [call.id] : call.ids));
      expect(ids.toSorted(), entry.resource).toEqual(records.map(({ id }) => id).toSorted());
    }
  });
});
