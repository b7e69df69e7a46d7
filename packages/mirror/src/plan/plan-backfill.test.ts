import { catalogue } from '@procore-mirror/catalogue';
import { describe, expect, test } from 'vitest';
import { CAREFUL, costOfBackfill, type KnownLists, minutesFor } from './plan-backfill.ts';

const lists = (...totals: (number | null)[]): KnownLists => ({
  state: 'known',
  totals,
  isEstimate: false,
  pageSize: 1000,
  isFilled: true,
});
const unfilled = (...totals: number[]): KnownLists => ({ ...lists(...totals), isFilled: false });
const cost = (resource: string, known: Record<string, KnownLists>) =>
  costOfBackfill(catalogue, catalogue.get(resource), new Map(Object.entries(known)));

const quiet = { ...CAREFUL, live: 0, kept: 0.4 };

describe('a backfill costs', () => {
  test.each([
    ['one call, where there is nothing', 'Forms', { Forms: lists(0) }, 1, 0],
    ['a call a page', 'Forms', { Forms: lists(2001) }, 3, 0],
    ['a call a record more, where the list carries a part', 'RFIs', { RFIs: lists(308) }, 1, 308],
    ['a call a window at least', 'Notes Logs', { 'Notes Logs': lists(0, 1500, 0, 0) }, 5, 0],
    [
      'a call a parent, where these are filled along',
      'RFI Replies',
      { RFIs: lists(1500), 'RFI Replies': lists(2) },
      1500,
      0,
    ],
    [
      'the lists of the parents, too, where they are not',
      ...(['RFI Replies', { RFIs: unfilled(1500), 'RFI Replies': lists(2) }, 1502, 0] as const),
    ],
    [
      'the lists of the parents, where there are none',
      'RFI Replies',
      { RFIs: unfilled(0), 'RFI Replies': lists(0) },
      1,
      0,
    ],
    ['a call for a list that tells no Total', 'Forms', { Forms: lists(null) }, 1, 0],
  ] as const)('%s', (_, resource, known, listCalls, shows) => {
    expect(cost(resource, known)).toMatchObject({ listCalls, shows });
  });

  test('of children the lists of parents and of those above them, where these are not filled along', () => {
    const contracts = { 'Purchase Order Contracts': unfilled(3), 'Work Order Contracts': unfilled(2) };
    // 5 lists of RFQs and 2 of contracts; then 10 of quotes, and all of these again.
    expect(cost('RFQs', { ...contracts, RFQs: lists(2) })).toMatchObject({
      listCalls: 7,
      records: 10,
      isEstimate: true,
    });
    const quotes = { ...contracts, 'RFQ Quotes': lists(1) };
    expect(cost('RFQ Quotes', { ...quotes, RFQs: unfilled(2) })).toMatchObject({ listCalls: 17 });
    expect(cost('RFQ Quotes', { ...quotes, RFQs: lists(2) })).toMatchObject({ listCalls: 10 });
  });

  test('nothing where the tool is off or there is no list, and the refused call where it refuses', () => {
    expect(cost('RFIs', { RFIs: { ...lists(), state: 'off' } })).toMatchObject({ state: 'off', listCalls: 0 });
    expect(cost('File Versions', {})).toMatchObject({ state: 'no list', listCalls: 0 });
    expect(cost('RFIs', { RFIs: { ...lists(), state: 'refused' } })).toMatchObject({ listCalls: 1, records: null });
  });
});

describe('records are', () => {
  const refused: KnownLists = { ...lists(), state: 'refused' };
  const off: KnownLists = { ...lists(), state: 'off' };
  test.each([
    ['counted, of a list of the scope', 'Forms', { Forms: lists(7) }, 7, false],
    ['counted, of one parent', 'RFI Replies', { RFIs: lists(1), 'RFI Replies': lists(2) }, 2, false],
    ['counted, where there are no parents', 'RFI Replies', { RFIs: lists(0), 'RFI Replies': lists(0) }, 0, false],
    ['counted, where the tool of the parents is off', 'RFI Replies', { RFIs: off, 'RFI Replies': lists(0) }, 0, false],
    ['counted, of days', 'Notes Logs', { 'Notes Logs': lists(4, 3, 0, 0) }, 7, false],
    ['estimated, of the newest days', 'Notes Logs', { 'Notes Logs': { ...lists(4, 4), isEstimate: true } }, 8, true],
    ['estimated, of several parents', 'RFI Replies', { RFIs: lists(3), 'RFI Replies': lists(2) }, 6, true],
    ['estimated, of parents that refuse', 'RFI Replies', { RFIs: refused, 'RFI Replies': lists(0) }, 0, true],
    ['estimated, of parents without Total', 'RFI Replies', { RFIs: lists(1, null), 'RFI Replies': lists(2) }, 2, true],
    ['estimated, of a list that refuses', 'Forms', { Forms: refused }, null, true],
    ['estimated, where one of several lists tells no Total', 'Forms', { Forms: lists(7, null) }, 7, true],
    ['not known, where none does', 'Forms', { Forms: lists(null) }, null, true],
  ] as const)('%s', (_, resource, known, records, isEstimate) => {
    expect(cost(resource, known)).toMatchObject({ records, isEstimate });
  });
});

test.each([
  ['nothing', 0, quiet, 0],
  ['what is had at once, as fast as ten seconds allow', 360, quiet, 2.4],
  ['half of what news leaves by and by', 480, quiet, 30],
  ['a whole hour', 600, quiet, 60],
  ['an hour, and what is had at once of the next', 750, quiet, 61],
  ['longer, where news takes its share', 780, { ...quiet, live: 180 }, 62.4],
  ['no less than ten seconds allow', 3000, { hour: 1_000_000, spike: 25, live: 0, kept: 0.4 }, 20],
])('takes %s', (_, calls, windows, minutes) => {
  expect(minutesFor(calls, windows)).toBeCloseTo(minutes, 5);
});
