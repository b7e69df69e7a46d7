import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Lane } from './batches.ts';
import { learnLimits, pauseCalls, takeLeave } from './budget.ts';
import { migrateDatabase } from './migrate-database.ts';
import { type Database, openDatabase } from './open-database.ts';

let test_: TestDatabase;
let database: Database;

beforeAll(async () => {
  test_ = await createTestDatabase();
  await migrateDatabase({ url: test_.url, tables: [] });
  database = openDatabase({ url: test_.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await test_.drop();
});
beforeEach(() => database.pool.query('truncate mirror.budget, mirror.budget_use, mirror.callers, mirror.batches'));

type Taker = { holder?: string; underWay?: number; lane?: Lane; companyId?: string };

/** Asks for so many calls of one kind: how many were granted, and the wait for the others. */
async function take(calls: number, { holder = 'a', underWay = 0, lane = 'live', companyId = '1' }: Taker = {}) {
  const asked = Array.from({ length: calls }, () => ({ companyId, lane }));
  const { granted, waitMs } = await takeLeave(database, { holder, underWay }, asked);
  return { granted: granted.filter(Boolean).length, waitMs };
}

const learn = (limit: number, remaining: number, resetInMs: number, ageMs = 0) =>
  learnLimits(database, { ageMs, answered: true, report: { limit, remaining, resetInMs } });
const noAnswer = () => learnLimits(database, { ageMs: 0, answered: false, report: null });
const expire = () => database.pool.query(`update mirror.budget set reset_at = now() - interval '1 ms'`);

test('before the first answer one call goes out, the others wait for it', async () => {
  expect(await take(1)).toEqual({ granted: 1, waitMs: 0 });
  expect(await take(16, { holder: 'b' })).toMatchObject({ granted: 0 });
  await learn(25, 24, 10_000);
  expect(await take(16)).toMatchObject({ granted: 16 });
});

test('no more calls are granted than the window has left, and the wait ends with the window', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  expect(await take(100)).toMatchObject({ granted: 24 });
  const { granted, waitMs } = await take(1);
  expect(granted).toBe(0);
  expect(waitMs).toBeGreaterThan(5_000);
  expect(waitMs).toBeLessThanOrEqual(10_000);
});

test('an answer that knows of more calls than we made lowers what is left, one that knows of fewer does not raise it', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await take(4);
  await learn(25, 10, 9_900);
  expect(await take(100)).toMatchObject({ granted: 10 });
  await learn(25, 9, 9_800);
  expect(await take(100)).toMatchObject({ granted: 0 });
});

test('in a new window one call goes out first, and its answer says how many may follow', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await take(24);
  await expire();
  expect(await take(100)).toMatchObject({ granted: 1 });
  const { granted, waitMs } = await take(100);
  expect({ granted, asksSoon: waitMs <= 50 }).toEqual({ granted: 0, asksSoon: true });
  await learn(25, 23, 9_900);
  expect(await take(100)).toMatchObject({ granted: 23 });
});

test('what other processes have under way is not granted again', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await take(1, { holder: 'b', underWay: 4 });
  await expire();
  await take(1, { holder: 'a', underWay: 3 });
  await learn(25, 24, 9_900);
  expect(await take(100, { holder: 'a', underWay: 3 })).toMatchObject({ granted: 17 });
});

test('when the first call of a window gets no answer, another one tries', async () => {
  await take(1);
  await noAnswer();
  expect(await take(100)).toMatchObject({ granted: 1 });
});

test('the late answer to a call of the window before says nothing of the new one', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await take(24);
  await expire();
  await take(1);
  await learn(25, 0, 100, 500);
  expect(await take(100)).toMatchObject({ granted: 0 });
  await learn(25, 24, 9_900);
  expect(await take(100)).toMatchObject({ granted: 24 });
});

test('a window that moves with every call is followed answer by answer', async () => {
  await take(1);
  await learn(25, 0, 10_000);
  await expire();
  await take(1);
  await learn(25, 3, 40);
  expect(await take(100)).toMatchObject({ granted: 3 });
});

test('an answer that tells of a later window replaces what we thought of the old one', async () => {
  await take(1);
  await learn(25, 0, 1_000);
  await learn(25, 20, 10_000);
  expect(await take(100)).toMatchObject({ granted: 20 });
});

test('a limit that changed is believed at once', async () => {
  await take(1);
  await learn(25, 0, 10_000);
  await learn(100, 90, 10_000);
  expect(await take(100)).toMatchObject({ granted: 90 });
});

test('both windows hold: the hour can stop what the ten seconds allow', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await learn(600, 2, 1_800_000);
  expect(await take(100)).toMatchObject({ granted: 2 });
  expect((await take(1)).waitMs).toBeGreaterThan(1_000_000);
});

test('backfill leaves a share of each window to live work', async () => {
  await take(1);
  await learn(100, 50, 3_600_000);
  expect(await take(100, { lane: 'backfill' })).toMatchObject({ granted: 21 });
  expect(await take(100, { lane: 'backfill' })).toMatchObject({ granted: 0 });
  expect(await take(100)).toMatchObject({ granted: 29 });
});

test('lanes go in their order, and what a lane leaves to others shrinks as the window passes', async () => {
  await take(1);
  await learn(100, 12, 3_600_000);
  const asked = (['verify', 'detail', 'live', 'detail'] as const).map((lane) => ({ companyId: '1', lane }));
  const { granted } = await takeLeave(database, { holder: 'a', underWay: 0 }, asked);
  expect(granted).toEqual([false, true, true, true]);
  expect((await take(1, { lane: 'detail' })).granted).toBe(0);
  await database.pool.query(`update mirror.budget set opened_at = now() - interval '35 hours'`);
  expect((await take(100, { lane: 'detail' })).granted).toBe(9);
});

test('a company that had many calls leaves a share to the others, if there are any', async () => {
  await take(1);
  await learn(100, 99, 3_600_000);
  expect((await take(89)).granted).toBe(89);
  await database.pool.query(
    `insert into mirror.batches (company_id, project_id, resource) values (1, 7, 'RFIs'), (2, 8, 'RFIs')`,
  );
  expect((await take(5)).granted).toBe(1);
  expect((await take(5, { companyId: '2' })).granted).toBe(5);
  await database.pool.query('delete from mirror.batches where company_id = 2');
  expect((await take(5)).granted).toBe(4);
});

test('when an hour is over and answers tell of the ten seconds, the new hour is counted, and only lanes are held to it', async () => {
  await take(1);
  await learn(600, 3, 1_800_000);
  await take(3);
  await expire();
  expect((await take(1)).granted).toBe(1);
  await learn(25, 24, 10_000);
  expect((await take(20)).granted).toBe(20);
  const { rows } = await database.pool.query(
    `select window_name, known_by, remaining from mirror.budget order by window_name`,
  );
  expect(rows).toEqual([
    { window_name: 'hour', known_by: 'count', remaining: 579 },
    { window_name: 'spike', known_by: 'header', remaining: 4 },
  ]);
  await database.pool.query(`update mirror.budget set remaining = case window_name when 'hour' then 100 else 24 end`);
  expect((await take(1, { lane: 'backfill' })).granted).toBe(0);
  await database.pool.query(`update mirror.budget set remaining = 0 where window_name = 'hour'`);
  expect((await take(1)).granted).toBe(1);
});

test('a window that opened with the call just answered is over ten seconds later, in whatever way its end was rounded', async () => {
  const endsIn = async () => {
    const { rows } = await database.pool.query(
      `select round(extract(epoch from reset_at - updated_at) * 1000)::int as ms from mirror.budget`,
    );
    return rows[0]?.ms;
  };
  await take(1);
  await learn(25, 24, 10_900);
  expect(await endsIn()).toBe(10_000);
  await database.pool.query('truncate mirror.budget');
  await learn(25, 24, 5_900);
  expect(await endsIn()).toBe(5_900);
});

test('after a 429 or 503 nobody calls until the pause is over', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await pauseCalls(database, 5_000);
  expect(await take(1)).toMatchObject({ granted: 0 });
  await database.pool.query(`update mirror.budget set reset_at = now() where window_name = 'pause'`);
  expect(await take(1)).toMatchObject({ granted: 1 });
});

test('a server without rate-limit headers does not slow us down', async () => {
  await take(1);
  await learnLimits(database, { ageMs: 0, answered: true, report: null });
  expect(await take(100)).toMatchObject({ granted: 100 });
});

test('many processes at once are never granted more than there is', async () => {
  await take(1);
  await learn(25, 25, 10_000);
  const leaves = await Promise.all(Array.from({ length: 40 }, (_, index) => take(1, { holder: `p${index}` })));
  expect(leaves.reduce((sum, { granted }) => sum + granted, 0)).toBe(25);
});

/** A session of its own, whose locks end with the test. */
async function connect(): Promise<pg.Client & AsyncDisposable> {
  const client = new pg.Client({ connectionString: test_.url });
  await client.connect();
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.end() });
}

test('no session of a reader holds up the calls', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await using reader = await connect();
  await reader.query('set role procore_reader');
  await reader.query(`select pg_advisory_lock(hashtextextended('mirror.budget', 0)), pg_advisory_lock(739104211)`);
  for (const lock of [
    'select * from mirror.turns for update',
    'select * from mirror.turns for key share',
    'lock table mirror.turns in access share mode',
    'lock table mirror.budget in share mode',
    `select mirror.take_turn('budget')`,
  ]) {
    await expect(reader.query(`begin; ${lock}`), lock).rejects.toMatchObject({ code: '42501' });
    await reader.query('rollback');
  }
  await reader.query('begin');
  await reader.query('select * from mirror.freshness');
  expect(await take(4)).toMatchObject({ granted: 4 });
  await learn(25, 7, 9_900);
  expect(await take(100)).toMatchObject({ granted: 7 });
}, 30_000);

test.each(['take_leave', 'learn_limits'])(
  '%s waits for the turn of another, also where its row got lost',
  async (name) => {
    await take(1);
    await database.pool.query('truncate mirror.turns');
    await learn(25, 24, 10_000);
    await using other = await connect();
    await other.query(`begin; select from mirror.turns where of = 'budget' for update`);
    let isDone = false;
    const done = (name === 'take_leave' ? take(1) : learn(25, 20, 9_900)).then(() => {
      isDone = true;
    });
    await vi.waitFor(async () => {
      const { rows } = await test_.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    }, 20_000);
    expect(isDone).toBe(false);
    await other.query('rollback');
    await done;
  },
);
