import { catalogue } from '@procore-mirror/catalogue';
import { describe, expect, test } from 'vitest';
import { followUp, showInstead } from './follow-up.ts';
import type { FetchCall } from './plan-fetch.ts';

const rfis = catalogue.get('RFIs');
const replies = catalogue.get('RFI Replies');
const inside = catalogue.mirrored.find(({ parent }) => parent !== null && parent.embeddedAs !== null) ?? rfis;
const missing = (...records: [string, string | null][]) => records.map(([id, parentId]) => ({ id, parentId }));
const listed: FetchCall = { kind: 'list by ids', ids: ['1', '2', '3'], parentId: null };

describe('after a list that did not bring everything', () => {
  test('each record that is missing is shown, under its own parent or that of the list', () => {
    expect(followUp(rfis, listed, missing(['2', null], ['3', null]))).toEqual([
      { kind: 'show', id: '2', parentId: null },
      { kind: 'show', id: '3', parentId: null },
    ]);
    const ofOne: FetchCall = { ...listed, parentId: '9' };
    expect(followUp(replies, ofOne, missing(['2', '8']))).toEqual([{ kind: 'show', id: '2', parentId: '8' }]);
  });

  test('one whose parent nobody knows cannot be shown', () => {
    expect(followUp(replies, { kind: 'find parents', ids: ['1', '2'] }, missing(['1', null], ['2', '9']))).toEqual([
      { kind: 'show', id: '2', parentId: '9' },
    ]);
  });

  test('without a show they are looked for in the whole list, once', () => {
    const hasNone = { ...rfis, show: null };
    const all: FetchCall = { kind: 'list all', ids: ['2'], parentId: null };
    expect(followUp(hasNone, listed, missing(['2', null]))).toEqual([all]);
    expect(followUp(hasNone, listed, [])).toEqual([]);
    expect(followUp(hasNone, all, missing(['2', null]))).toEqual([]);
  });

  test('a show, and a list that only refreshes, lead to nothing', () => {
    expect(followUp(rfis, { kind: 'show', id: '2', parentId: null }, missing(['2', null]))).toEqual([]);
    expect(followUp(rfis, { ...listed, kind: 'refresh by ids' }, missing(['2', null]))).toEqual([]);
  });
});

describe('instead of a list that fails', () => {
  test('one of its records is shown, the first that can be', () => {
    expect(showInstead(rfis, listed, missing(['1', null], ['2', null]))).toEqual({
      kind: 'show',
      id: '1',
      parentId: null,
    });
    expect(showInstead(replies, listed, missing(['1', null], ['2', '9']))).toEqual({
      kind: 'show',
      id: '2',
      parentId: '9',
    });
  });

  test('the parent is shown where records live inside it', () => {
    expect(showInstead(inside, listed, missing(['1', '9']))).toEqual({ kind: 'parent', parentId: '9', ids: ['1'] });
    expect(showInstead({ ...inside, show: null }, listed, missing(['1', null]))).toBeNull();
  });

  test('nothing, where nothing can be shown', () => {
    expect(showInstead({ ...rfis, show: null }, listed, missing(['1', null]))).toBeNull();
    expect(showInstead(rfis, listed, [])).toBeNull();
  });
});
