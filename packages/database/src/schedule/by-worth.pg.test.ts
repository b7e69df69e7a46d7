// Records of a backfill go by worth: the schedule takes worthy ones first, whatever resource and project they are of.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { inTransaction } from '../connection/transaction.ts';
import { markPending } from '../pending/mark-pending.ts';
import { noteBatch } from '../pending/note-batch.ts';
import { noteListed, postponeRecords } from '../pending/postpone-records.ts';
import { settleRecords } from '../pending/settle-records.ts';
import { pace } from '../testing/an-event.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import type { BatchKey, Lane } from './batch.ts';
import { claimBatch, releaseBatch, rescheduleBatches } from './batches.ts';

let mirror: EmptyMirror;

beforeAll(async () => {
  mirror = await openEmptyMirror();
});
afterAll(() => mirror.close());
beforeEach(() => mirror.database.pool.query('truncate mirror.pending, mirror.batches'));

const rfis = { companyId: '1', projectId: '7', resource: 'RFIs' };
const submittals = { companyId: '1', projectId: '8', resource: 'Submittals' };
const photos = { companyId: '2', projectId: '9', resource: 'Images' };

async function mark(key: BatchKey, recordId: string, worth: 0 | 1 | undefined, lane: Lane = 'backfill') {
  const news = [{ ...key, recordId, parentId: null, isDelete: false, isRelative: false, worth }];
  return markPending(mirror.database.pool, { news, lane, pace: { ...pace, delayMs: 0 } });
}

const mine = { holder: 'me', leaseMs: 60_000, mostPerCompany: 16, onlyLive: false };
const claim = async () => (await claimBatch(mirror.database, mine))?.resource ?? null;
const note = async (key: BatchKey, limit = 100) =>
  noteBatch(mirror.database.pool, key, { delayMs: 0, absencePauseMs: 0, limit });
const release = (key: BatchKey) =>
  releaseBatch(mirror.database, { ...key, lane: 'backfill' }, { holder: 'me', restMs: 0 });
const settle = async (key: BatchKey, id: string) => {
  const records = (await note(key)).filter((one) => one.id === id);
  await inTransaction(mirror.database, (client) => settleRecords(client, key, records, 0));
};
async function worths(): Promise<unknown[]> {
  const { rows } = await mirror.database.pool.query('select resource, worth from mirror.batches order by resource');
  return rows.map(({ resource, worth }) => [resource, worth]);
}

test('worthy batches go first, whichever were due before, and whoever has batches in hand', async () => {
  await mark(photos, '1', 1);
  await mark(rfis, '1', 0);
  await mark(submittals, '1', 0);
  expect([await claim(), await claim(), await claim(), await claim()]).toEqual(['RFIs', 'Submittals', 'Images', null]);
});

test('news of events goes before all of them', async () => {
  await mark(rfis, '1', 0);
  await mark(photos, '1', undefined, 'live');
  expect([await claim(), await claim()]).toEqual(['Images', 'RFIs']);
});

test('of a batch the worthy records are noted first, however many are ready', async () => {
  for (const id of ['1', '2', '3']) await mark(rfis, id, 1);
  for (const id of ['4', '5']) await mark(rfis, id, 0);
  expect((await note(rfis)).map(({ id }) => id)).toEqual(['4', '5', '1', '2', '3']);
  expect((await note(rfis, 1)).map(({ id }) => id)).toEqual(['4', '1']);
});

test('a batch is worth as much as what is ready in it, and lets others go first when that is done', async () => {
  await mark(rfis, '1', 0);
  await mark(rfis, '2', 1);
  await mark(photos, '1', 0);
  expect(await worths()).toEqual([
    ['Images', 0],
    ['RFIs', 0],
  ]);
  expect(await claim()).toBe('RFIs');
  await settle(rfis, '1');
  await release(rfis);
  expect(await worths()).toContainEqual(['RFIs', 1]);
  expect([await claim(), await claim()]).toEqual(['Images', 'RFIs']);
});

test('a worthy record that waits holds up nobody, and nothing holds it up when it is ready', async () => {
  await mark(rfis, '2', 1);
  await claim();
  const waiting = await mark(rfis, '1', 0);
  const pause = { error: 'test', counts: 'attempt', reread: false } as const;
  await postponeRecords(mirror.database.pool, rfis, waiting, { ...pause, pauseMs: 3_600_000 });
  await release(rfis);
  expect(await worths()).toEqual([['RFIs', 1]]);
  expect(await claim()).toBe('RFIs');
  await mirror.database.pool.query('update mirror.pending set ready_at = now()');
  await release(rfis);
  expect(await worths()).toEqual([['RFIs', 0]]);
});

test('who is worth more makes its batch so, also when a list named it before or the schedule is made anew', async () => {
  await mark(rfis, '1', 1);
  const worthy = await mark(rfis, '2', 0);
  expect(await worths()).toEqual([['RFIs', 0]]);
  await inTransaction(mirror.database, (client) => noteListed(client, rfis, worthy, { pauseMs: 0, lane: 'backfill' }));
  expect(await worths()).toEqual([['RFIs', 0]]);
  await mirror.database.pool.query('delete from mirror.batches');
  await rescheduleBatches(mirror.database);
  expect(await worths()).toEqual([['RFIs', 0]]);
  await mark(rfis, '1', 0);
  expect(await note(rfis, 1)).toHaveLength(1);
});
