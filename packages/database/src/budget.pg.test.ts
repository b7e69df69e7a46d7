import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
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
beforeEach(() => database.pool.query('truncate mirror.budget, mirror.callers'));

const take = (calls: number, { holder = 'a', underWay = 0, keepShare = 0 } = {}) =>
  takeLeave(database, { holder, underWay, calls, keepShare });
const learn = (limit: number, remaining: number, resetInMs: number, ageMs = 0) =>
  learnLimits(database, { ageMs, answered: true, report: { limit, remaining, resetInMs } });
const noAnswer = () => learnLimits(database, { ageMs: 0, answered: false, report: null });
const expire = () => database.pool.query(`update mirror.budget set reset_at = now() - interval '1 ms'`);

test('before the first answer one call goes out, the others wait for it', async () => {
  expect(await take(16)).toEqual({ granted: 1, waitMs: 0 });
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
  await learn(100, 50, 10_000);
  expect(await take(100, { keepShare: 0.3 })).toMatchObject({ granted: 20 });
  expect(await take(100, { keepShare: 0.3 })).toMatchObject({ granted: 0 });
  expect(await take(100)).toMatchObject({ granted: 30 });
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
