import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Database } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { giveUpRecords } from '../events/dead-letters.ts';
import { type LoggedEvent, recordEvent } from '../events/record-event.ts';
import { claimBatch, releaseBatch } from '../schedule/batches.ts';
import { anEvent, newsOf, pace } from '../testing/an-event.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { markPending, type Pace } from './mark-pending.ts';
import { noteBatch } from './note-batch.ts';
import { noteFirstAbsence, noteListed, postponeRecords, postponeToDetail } from './postpone-records.ts';
import { settleRecords } from './settle-records.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() => database.pool.query('truncate mirror.events, mirror.pending, mirror.batches, mirror.dead_letters'));

const key = { companyId: '1', projectId: '7', resource: 'RFIs', lane: 'live' } as const;
const mine = { holder: 'me', leaseMs: 60_000, mostPerCompany: 16, onlyLive: false };

function record(event: LoggedEvent, change: Partial<Pace> = {}): ReturnType<typeof recordEvent> {
  return recordEvent(database, { event, ignored: null, news: [newsOf(event)], pace: { ...pace, ...change } });
}

const note = (delayMs = 0) => noteBatch(database.pool, key, { delayMs, absencePauseMs: 0, limit: 100 });
const settle = (records: Awaited<ReturnType<typeof note>>) =>
  inTransaction(database, (client) => settleRecords(client, key, records, 0));

test('news during a fetch keeps the record pending', async () => {
  await record(anEvent());
  const before = await note();
  await record(anEvent());
  await settle(before);
  expect(await note()).toMatchObject([{ id: '42' }]);
  await settle(await note());
  expect(await note()).toEqual([]);
});

test('news that is settled tells how long it took since the earliest of it arrived; what no event told of tells nothing', async () => {
  const agoMs = (ms: number) => new Date(Date.now() - ms);
  const waited = async (records: Awaited<ReturnType<typeof note>>) =>
    (await settle(records)).map(({ lane, ms }) => [lane, Math.floor(ms / 1_000)]);
  await record(anEvent({ receivedAt: agoMs(90_000) })); // it waited in the queue
  expect(await waited(await note())).toEqual([['live', 90]]);
  await record(anEvent());
  await database.pool.query(`update mirror.pending set first_seen_at = now() - interval '30 seconds'`);
  await record(anEvent({ id: 'later' }));
  expect(await waited(await note())).toEqual([['live', 30]]);
  await record(anEvent({ id: 'ahead', receivedAt: agoMs(-60_000) })); // by a clock that is ahead
  expect(await waited(await note())).toEqual([['live', 0]]);
  await record(anEvent({ id: 'again' }));
  const before = await note();
  await record(anEvent({ id: 'newer' }));
  expect(await waited(before)).toEqual([]); // it is not settled
  await settle(await note());
  await markPending(database.pool, { news: [newsOf(anEvent())], lane: 'backfill', pace });
  expect(await waited(await note())).toEqual([]);
});

test('a generation never comes again, whatever was settled, given up or put off meanwhile', async () => {
  await record(anEvent());
  const slow = await note();
  const quick = await note();
  await settle(quick);
  await record(anEvent());
  const again = await note();
  expect(again[0]?.generation).not.toBe(slow[0]?.generation);
  await settle(slow);
  await giveUpRecords(database, key, slow, { reason: 'test', detail: 'of older news', retryAfterMs: [] });
  await postponeToDetail(database.pool, key, slow, 60_000);
  await inTransaction(database, (client) => noteListed(client, key, slow, { pauseMs: 60_000, lane: 'detail' }));
  await noteFirstAbsence(database.pool, key, slow, { pauseMs: 60_000 });
  const reread = { pauseMs: 0, error: null, counts: 'attempt', reread: true } as const;
  await postponeRecords(database.pool, key, slow, reread);
  expect(await note()).toEqual(again);
});

test('an absence is sighted when it was noted for the newest news, and long enough ago', async () => {
  await record(anEvent());
  const sighted = async (absencePauseMs: number) =>
    (await noteBatch(database.pool, key, { delayMs: 0, absencePauseMs, limit: 1 }))[0]?.isSightedAbsent;
  expect(await sighted(0)).toBe(false);
  await noteFirstAbsence(database.pool, key, await note(), { pauseMs: 0 });
  expect(await sighted(0)).toBe(true);
  expect(await sighted(60_000)).toBe(false);
  await record(anEvent());
  expect(await sighted(0)).toBe(false);
});

test('a delete among the news is remembered whatever comes after it', async () => {
  await record(anEvent({ kind: 'delete' }));
  await record(anEvent({ kind: 'update' }));
  expect(await note()).toMatchObject([{ isDelete: true }]);
});

test('a record is ready only after the pause, and one edited without pause after the longest wait', async () => {
  await record(anEvent({ recordId: '1' }), { delayMs: 60_000 });
  await record(anEvent({ recordId: '2' }), { delayMs: 60_000, maxWaitMs: 0 });
  await record(anEvent({ recordId: '2' }), { delayMs: 60_000, maxWaitMs: 0 });
  const [only, ...others] = await note(60_000);
  expect(others).toEqual([]);
  expect(only).toMatchObject({ id: '2', settles: false });
  await inTransaction(database, (client) => settleRecords(client, key, [only!], 60_000));
  expect(await note(60_000)).toEqual([]); // fetched, still pending, and its wait starts anew
  const { rows } = await database.pool.query('select count(*)::int as count from mirror.pending');
  expect(rows).toEqual([{ count: 2 }]);
});

describe('a record whose fetch failed waits', () => {
  const failed = (pauseMs: number) => ({ pauseMs, error: 'boom', counts: 'attempt' as const, reread: false });
  const fail = (records: Awaited<ReturnType<typeof note>>, pauseMs: number) =>
    postponeRecords(database.pool, key, records, failed(pauseMs));
  /** In whole seconds from now: when the record may be fetched, and when its batch is due. */
  const readyIn = async () => {
    const { rows } = await database.pool.query(
      `select greatest(round(extract(epoch from p.ready_at - now())), 0)::int as ready,
          greatest(round(extract(epoch from b.due_at - now())), 0)::int as due
        from mirror.pending p join mirror.batches b using (company_id)`,
    );
    return rows[0];
  };
  const passTime = (seconds: number) =>
    database.pool.query(
      `update mirror.pending set ready_at = ready_at - $1 * interval '1 s', not_before = not_before - $1 * interval '1 s'`,
      [seconds],
    );

  test('until news of it comes, but for a moment', async () => {
    await record(anEvent());
    await claimBatch(database, mine);
    await fail(await note(), 3_600_000);
    await releaseBatch(database, key, { holder: 'me', restMs: 0 });
    expect(await readyIn()).toEqual({ ready: 3600, due: 3600 });
    await record(anEvent());
    expect(await readyIn()).toEqual({ ready: 10, due: 10 });
    await passTime(15);
    await record(anEvent(), { delayMs: 2_000 });
    expect(await readyIn()).toEqual({ ready: 2, due: 2 });
  });

  test('no longer for news than without', async () => {
    await record(anEvent());
    await fail(await note(), 1_000);
    await record(anEvent());
    expect((await readyIn()).ready).toBe(1);
  });

  test('ten seconds each time while it goes on to be edited and to fail', async () => {
    await record(anEvent());
    await fail(await note(), 1_000);
    for (let round = 1; round <= 3; round += 1) {
      await record(anEvent());
      await passTime(60);
      await fail(await note(), 1_000);
      await record(anEvent());
      expect((await readyIn()).ready).toBe(10);
    }
    await passTime(60);
    await record(anEvent(), { delayMs: 0 });
    await inTransaction(database, async (client) =>
      settleRecords(
        client,
        key,
        (await note()).map((one) => ({ ...one, settles: false })),
        0,
      ),
    );
    await fail(await note(), 1_000);
    await record(anEvent());
    expect((await readyIn()).ready).toBe(1);
  });

  test('no longer than that for news that came while it failed', async () => {
    await record(anEvent());
    const noted = await note();
    await record(anEvent());
    await fail(noted, 3_600_000);
    expect((await readyIn()).ready).toBe(10);
    expect(await database.pool.query('select attempts from mirror.pending')).toMatchObject({ rows: [{ attempts: 0 }] });
  });

  test('in any case, if it was answered and is to be read once more', async () => {
    await record(anEvent());
    await postponeRecords(database.pool, key, await note(), {
      ...{ pauseMs: 60_000, error: null, counts: 'nothing', reread: true },
    });
    await record(anEvent());
    expect((await readyIn()).ready).toBe(60);
  });
});
