import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Database } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { markPending, type News } from '../pending/mark-pending.ts';
import { noteBatch } from '../pending/note-batch.ts';
import { settleRecords } from '../pending/settle-records.ts';
import type { BatchKey } from '../schedule/batch.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { giveUpRecords, keepUnreadDelivery, takeDueTries } from './dead-letters.ts';
import { type LoggedEvent, recordEvent } from './record-event.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() => database.pool.query('truncate mirror.events, mirror.pending, mirror.batches, mirror.dead_letters'));

const HOUR = 3_600_000;
const retryAfterMs = [HOUR, 24 * HOUR];
const key: BatchKey = { companyId: '1', projectId: '7', resource: 'RFIs' };
const pace = { delayMs: 0, maxWaitMs: 60_000 };
const ofRecord = { ...key, parentId: null, isDelete: false, isRelative: false };

let eventNumber = 0;
async function hear(news: Partial<News> = {}, occurredAt: string | null = '2026-06-01T10:00:00Z'): Promise<string> {
  eventNumber += 1;
  const one = { ...ofRecord, recordId: '42', ...news };
  const event: LoggedEvent = {
    ...{ id: `EVENT${eventNumber}`, companyId: one.companyId, projectId: one.projectId, resource: one.resource },
    ...{ recordId: one.recordId, kind: one.isDelete ? 'delete' : 'update', occurredAt, receivedAt: new Date() },
    ...{ payloadVersion: 'v4.0', raw: `{"n": ${eventNumber}}`, key: null, trace: null, via: 'delivery' },
  };
  await recordEvent(database, { event, ignored: null, news: [one], pace });
  return event.id;
}
const note = (of = key) => noteBatch(database.pool, of, { delayMs: 0, absencePauseMs: 0, limit: 100 });
const giveUp = async (of = key, reason = 'answer_422') =>
  giveUpRecords(database, of, await note(of), { reason, detail: 'GET /x: HTTP 422', retryAfterMs });
const settle = async (of = key) => {
  const records = await note(of);
  await inTransaction(database, (client) => settleRecords(client, of, records, 0));
};
const takeDue = (limit = 10) => inTransaction(database, (client) => takeDueTries(client, { limit, retryAfterMs }));
const makeDue = () => database.pool.query(`update mirror.dead_letters set next_try_at = now() - interval '1 s'`);
const tryAgain = async () => {
  const news = (await takeDue()).map((record) => ({ ...record, parentId: null, isDelete: false, isRelative: true }));
  await markPending(database.pool, { news, lane: 'repair', pace });
};
async function letters(columns = 'id'): Promise<Record<string, unknown>[]> {
  const inHours = `round(extract(epoch from next_try_at - now()) / 3600)::int as hours`;
  return (await database.pool.query(`select ${columns}, ${inHours} from mirror.dead_letters order by id`)).rows;
}

test('a record has one dead letter, whichever of its events it fails with, and it knows what it is about', async () => {
  await hear();
  expect(await giveUp()).toEqual([{ id: '1/7/RFIs/42', recordId: '42' }]);
  const event = await hear();
  expect(await giveUp(key, 'malformed_answer')).toEqual([]);
  const columns = 'id, kind, company_id, project_id, resource, record_id, reason, event_id, attempts, tries';
  expect(await letters(columns)).toEqual([
    {
      ...{ id: '1/7/RFIs/42', kind: 'record', company_id: '1', project_id: '7', resource: 'RFIs', record_id: '42' },
      ...{ reason: 'malformed_answer', event_id: event, attempts: 2, tries: 0, hours: 1 },
    },
  ]);
  expect(await letters('raw')).toMatchObject([{ raw: `{"n": ${eventNumber}}` }]);
});

test('records of a company, of two projects and of two resources are not mixed up', async () => {
  const ofCompany: BatchKey = { companyId: '1', projectId: null, resource: 'Trades' };
  const places: BatchKey[] = [
    key,
    { ...key, projectId: '8' },
    { ...key, companyId: '2' },
    { ...key, resource: 'Submittals' },
  ];
  for (const place of [...places, ofCompany]) {
    await hear(place);
    await giveUp(place);
  }
  expect(await letters()).toHaveLength(5);
  await hear(ofCompany);
  await settle(ofCompany);
  await hear();
  await settle();
  expect(await letters()).toMatchObject([{ id: '1/7/Submittals/42' }, { id: '1/8/RFIs/42' }, { id: '2/7/RFIs/42' }]);
});

test('it is tried again after an hour and a day, counted from when it was given up, and then no more', async () => {
  await hear();
  await giveUp();
  expect(await takeDue()).toEqual([]);
  await makeDue();
  await tryAgain();
  expect(await note()).toMatchObject([{ id: '42', lane: 'repair' }]);
  await giveUp();
  expect(await letters('tries, attempts')).toEqual([{ tries: 1, attempts: 2, hours: 23 }]);
  await makeDue();
  await tryAgain();
  await giveUp();
  expect(await letters('tries, attempts')).toEqual([{ tries: 2, attempts: 3, hours: null }]);
  expect(await takeDue()).toEqual([]);
});

test('a try that came days late is not followed by the next at once', async () => {
  await hear();
  await giveUp();
  await database.pool.query(`update mirror.dead_letters set next_try_at = now() - interval '3 days'`);
  await takeDue();
  expect(await letters('tries')).toEqual([{ tries: 1, hours: 1 }]);
});

test('news since it was given up begins the times anew, a try does not', async () => {
  await hear();
  await giveUp();
  await database.pool.query('update mirror.dead_letters set tries = 2, next_try_at = null');
  await hear();
  await giveUp();
  expect(await letters('tries, attempts')).toEqual([{ tries: 0, attempts: 2, hours: 1 }]);
});

test('what is pending already is not marked again, but counts as tried', async () => {
  await hear();
  await giveUp();
  await hear();
  await makeDue();
  expect(await takeDue()).toEqual([]);
  expect(await letters('tries')).toEqual([{ tries: 1, hours: 23 }]);
});

test('two processes never take the same', async () => {
  for (let id = 1; id <= 20; id += 1) await hear({ recordId: String(id) });
  await giveUp();
  await makeDue();
  const taken = await inTransaction(database, async (client) => {
    const first = await takeDueTries(client, { limit: 15, retryAfterMs });
    return [...first, ...(await takeDue(15))]; // while the other has not committed
  });
  expect(new Set(taken.map(({ recordId }) => recordId)).size).toBe(20);
  expect(taken).toHaveLength(20);
});

test('a deletion among the news, the parent and the time are known to the fetch that tries again', async () => {
  const event = await hear({ isDelete: true, parentId: '99' });
  await giveUp();
  await makeDue();
  await tryAgain();
  const expected = { isDelete: true, isDeletedLast: true, parentId: '99', eventId: event };
  expect(await note()).toMatchObject([{ ...expected, occurredAt: '2026-06-01T10:00:00Z' }]);
  await giveUp(); // and once more
  await makeDue();
  await tryAgain();
  expect(await note()).toMatchObject([expected]);
});

test('an older change that is told later does not make the deletion forgotten, a newer one undoes it', async () => {
  await hear({ isDelete: true });
  await giveUp();
  await hear({}, '2026-06-01T09:00:00Z');
  expect(await note()).toMatchObject([{ isDelete: true, isDeletedLast: true }]);
  await hear({}, '2026-06-01T11:00:00Z');
  expect(await note()).toMatchObject([{ isDelete: true, isDeletedLast: false }]);
});

test('a record that is settled has no dead letter any more; one with news since has', async () => {
  for (const recordId of ['1', '2', '3']) await hear({ recordId });
  await giveUp();
  await hear({ recordId: '1' });
  await hear({ recordId: '2' });
  const noted = await note();
  await hear({ recordId: '2' });
  await inTransaction(database, (client) => settleRecords(client, key, noted, 0));
  expect(await letters()).toMatchObject([{ id: '1/7/RFIs/2' }, { id: '1/7/RFIs/3' }]);
});

test('a body is one dead letter however often it comes, and is new once', async () => {
  const letter = {
    id: 'abc',
    reason: 'bad_id',
    detail: 'a \0 in it',
    raw: '{}',
    occurredAt: null,
    receivedAt: new Date(),
    via: 'delivery',
  };
  const about = { companyId: '1', projectId: null, resource: 'RFIs', recordId: 'x' };
  expect(await keepUnreadDelivery(database.pool, { ...letter, about })).toBe(true);
  expect(await keepUnreadDelivery(database.pool, { ...letter, about: null })).toBe(false);
  expect(await letters('kind, company_id, resource, record_id, attempts')).toEqual([
    { kind: 'delivery', company_id: '1', resource: 'RFIs', record_id: 'x', attempts: 2, hours: null },
  ]);
});
