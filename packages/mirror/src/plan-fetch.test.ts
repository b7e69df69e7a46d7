import { describe, expect, test } from 'vitest';
import { catalogue } from './catalogue/catalogue.ts';
import { type PlanFacts, planFetch, type WantedRecord } from './plan-fetch.ts';

const facts: PlanFacts = { records: 50, parents: 5, perPage: 1000, affordableCalls: 1000 };
const wanted = (count: number, change: Partial<WantedRecord> = {}): WantedRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    id: String(index + 1),
    parentId: null,
    isDelete: false,
    isListed: false,
    ...change,
  }));

function planned(resource: string, records: readonly WantedRecord[], change: Partial<PlanFacts> = {}) {
  const plan = planFetch(catalogue.get(resource), records, { ...facts, ...change });
  const kinds = Object.entries(Object.groupBy(plan.calls, ({ kind }) => kind)).map(
    ([kind, calls]) => [kind, calls?.length ?? 0] as const,
  );
  return { kinds: Object.fromEntries(kinds), calls: plan.estimatedCalls, nothing: plan.nothingToFetch };
}

describe('the cheapest calls for a batch', () => {
  test.each([
    ['a thin list completes nothing, so each record is shown', 'RFIs', wanted(3), {}, { show: 3 }, 3],
    [
      'when calls are short, a thin list refreshes what is to be shown later',
      'RFIs',
      [...wanted(120), { id: '999', parentId: null, isDelete: true, isListed: false }],
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
      [...wanted(5), { id: '9', parentId: null, isDelete: true, isListed: false }],
      {},
      { 'list by ids': 1, show: 1 },
      2,
    ],
    ['a short list without an id filter is read whole', 'Trades', wanted(5), { records: 900 }, { 'list all': 1 }, 1],
    ['a long one is not, for few records', 'Trades', wanted(5), { records: 9000 }, { show: 5 }, 5],
    ['a list that shows today only is no use', 'Manpower Logs', wanted(5), {}, { show: 5 }, 5],
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
    const records = ['5', '6', '7'].map((parentId, index) => ({
      id: String(index),
      parentId,
      isDelete: false,
      isListed: false,
    }));
    expect(planned('Change Event Line Items', records)).toMatchObject({ kinds: { 'all parents': 1 } });
    expect(planned('Change Event Line Items', records, { parents: 3000 })).toMatchObject({ kinds: { parent: 3 } });
  });

  test('a deleted child that nobody knows a parent of needs no call', () => {
    const records = [{ id: '1', parentId: null, isDelete: true, isListed: false }];
    expect(planned('RFI Replies', records)).toEqual({ kinds: {}, calls: 0, nothing: ['1'] });
  });

  test('every wanted record is in exactly one call or in none', () => {
    for (const resource of catalogue.resources) {
      const records = ['5', null].flatMap((parentId, part) =>
        [true, false].flatMap((isDelete, half) =>
          Array.from({ length: 130 }, (_, index) => ({
            id: `${part}${half}${index}`,
            parentId,
            isDelete,
            isListed: false,
          })),
        ),
      );
      const plan = planFetch(resource, records, { ...facts, affordableCalls: 1_000_000 });
      const ids = plan.calls.flatMap((call) => (call.kind === 'show' ? [call.id] : call.ids));
      expect([...ids, ...plan.nothingToFetch].toSorted(), resource.resource).toEqual(
        records.map(({ id }) => id).toSorted(),
      );
    }
  });
});
