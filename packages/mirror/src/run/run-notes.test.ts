import type { NotedRecord } from '@procore-mirror/database';
import { expect, test } from 'vitest';
import { createRunNotes } from './run-notes.ts';

const own = { resource: 'RFIs', lane: 'live' } as const;
const replies = { resource: 'RFI Replies' };

const aNote = (id: string, own: Partial<NotedRecord> = {}): NotedRecord => ({
  id,
  generation: id,
  lane: 'live',
  eventId: null,
  occurredAt: null,
  happenedAt: null,
  parentId: null,
  isDelete: false,
  isDeletedLast: false,
  attempts: 0,
  ownFailures: 0,
  reread: false,
  isSightedAbsent: false,
  isListed: false,
  listsChildren: false,
  settles: true,
  ...own,
});

const idsOf = (records: readonly NotedRecord[]) => records.map(({ id }) => id);

test('a run is for the records of its lane, and knows those of the others and of what comes with them', () => {
  const notes = createRunNotes(own, [
    { ...own, records: [aNote('1'), aNote('2', { lane: 'verify' })] },
    { ...replies, records: [aNote('5')] },
  ]);
  expect(idsOf(notes.wanted())).toEqual(['1']);
  expect(idsOf(notes.allNoted())).toEqual(['1', '2']);
  expect(idsOf(notes.allNoted(replies))).toEqual(['5']);
  expect(notes.notedResources()).toEqual(['RFIs', 'RFI Replies']);
});

test('those of some ids come in the order of the ids; what nobody noted is left out', () => {
  const notes = createRunNotes(own, [{ ...own, records: [aNote('1'), aNote('2')] }]);
  expect(idsOf(notes.noted(['2', '3', '1']))).toEqual(['2', '1']);
  expect(notes.noted(['1'], replies)).toEqual([]);
  expect(notes.allNoted({ resource: 'Submittals' })).toEqual([]);
});

test('what is settled of one resource stays open under the same id of another', () => {
  const notes = createRunNotes(own, [
    { ...own, records: [aNote('1'), aNote('2')] },
    { ...replies, records: [aNote('1')] },
  ]);
  notes.settled([{ id: '1' }, { id: '9' }]);
  expect(idsOf(notes.wanted())).toEqual(['2']);
  expect(idsOf(notes.noted(['1'], replies))).toEqual(['1']);
  notes.settled(notes.noted(['1'], replies), replies);
  expect(notes.allNoted(replies)).toEqual([]);
  expect(notes.notedResources()).toEqual(['RFIs', 'RFI Replies']);
});

test('a record is placed under another parent as long as it is open; lists that were read before keep what they said', () => {
  const notes = createRunNotes(own, [{ ...own, records: [aNote('1', { parentId: '10' }), aNote('2')] }]);
  const before = notes.wanted();
  notes.placed('1', null);
  notes.placed('2', '20');
  notes.placed('3', '30');
  expect(notes.wanted().map(({ id, parentId }) => [id, parentId])).toEqual([
    ['1', null],
    ['2', '20'],
  ]);
  expect(before[0]?.parentId).toBe('10');
  notes.settled([{ id: '2' }]);
  notes.placed('2', '20');
  expect(notes.noted(['2'])).toEqual([]);
});

test('who was told of news is known from the first, and stays known when the news is settled', () => {
  const notes = createRunNotes(own, [{ ...own, records: [aNote('1', { parentId: '10' }), aNote('2')] }]);
  notes.placed('1', '11');
  notes.settled([{ id: '1' }]);
  expect(notes.toldParentOf(own, '1')).toBe('10');
  expect(notes.toldParentOf(own, '2')).toBeNull();
  expect(notes.toldParentOf(own, '3')).toBeUndefined();
  expect(notes.toldParentOf(replies, '1')).toBeUndefined();
  notes.parentTold(own, '2', '20');
  expect(notes.toldParentOf(own, '2')).toBe('20');
});

test('a child whose parent is hidden is known as one', () => {
  const notes = createRunNotes(own, [{ ...own, records: [aNote('1'), aNote('2')] }]);
  notes.hiddenWithParent('1');
  expect(notes.isHiddenWithParent('1')).toBe(true);
  expect(notes.isHiddenWithParent('2')).toBe(false);
});

test('parents learnt by this run go before those that an earlier one learnt', () => {
  const notes = createRunNotes(own, []);
  notes.learnParent(replies, '5', '1');
  notes.recallParents(new Map(Object.entries({ 'RFI Replies/5': '2', 'RFI Replies/6': '3' })));
  expect([notes.parentOf(replies, '5'), notes.parentOf(replies, '6'), notes.parentOf(own, '5')]).toEqual([
    '1',
    '3',
    null,
  ]);
  const learnt = notes.learntParents();
  notes.learnParent(replies, '5', '4');
  expect(Object.fromEntries(learnt)).toEqual({ 'RFI Replies/5': '1', 'RFI Replies/6': '3' });
  expect(notes.parentOf(replies, '5')).toBe('4');
});
