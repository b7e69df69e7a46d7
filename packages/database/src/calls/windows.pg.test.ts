import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { listShortCompanies } from '../operators/metric-facts.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { learnLimits, takeCalls } from './budget.ts';
import { readCallWindows } from './windows.ts';

let mirror: EmptyMirror;

beforeAll(async () => {
  mirror = await openEmptyMirror();
});
afterAll(() => mirror.close());
beforeEach(() => mirror.database.pool.query('truncate mirror.budget, mirror.budget_use, mirror.callers'));

const read = (companyId = '1') => readCallWindows(mirror.database.pool, companyId);

async function window(name: string, companyId: string | null, limit: number, knownBy = 'header'): Promise<void> {
  await mirror.database.pool.query(
    `insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
      values ($1, $2, $3, $3, now() + interval '1 hour', $4)`,
    [name, companyId, limit, knownBy],
  );
}

async function use(companyId: string, live: number, liveBefore: number): Promise<void> {
  await mirror.database.pool.query(
    `insert into mirror.budget_use (window_name, company_id, used, used_live, used_live_before) values ('hour', $1, 500, $2, $3)`,
    [companyId, live, liveBefore],
  );
}

test('of windows of which nothing is known nothing is told, and then what is assumed', async () => {
  expect(await read()).toEqual({
    owner: null,
    hour: null,
    spike: null,
    isHourTold: false,
    isUnlimited: false,
    live: 0,
    kept: 0.4,
  });
  await takeCalls(mirror.database, { holder: 'a', underWay: new Map() }, [{ companyId: '1', lane: 'backfill' }]);
  expect(await read()).toMatchObject({ hour: 600, spike: null, isHourTold: false });
});

test('of shared windows the calls for news of all companies count, of the hour that had more', async () => {
  await window('hour', null, 3600);
  await window('spike', null, 25);
  await use('1', 10, 90);
  await use('2', 5, 30);
  expect(await read('2')).toEqual({
    owner: null,
    hour: 3600,
    spike: 25,
    isHourTold: true,
    isUnlimited: false,
    live: 120,
    kept: 0.4,
  });
});

test('windows of its own are those of a company alone', async () => {
  await window('hour', null, 3600);
  await window('hour', '2', 600, 'assumed');
  await use('1', 10, 0);
  await use('2', 7, 0);
  expect(await read('1')).toMatchObject({ owner: null, hour: 3600, live: 10 });
  expect(await read('2')).toEqual({
    owner: '2',
    hour: 600,
    spike: null,
    isHourTold: false,
    isUnlimited: false,
    live: 7,
    kept: 0.4,
  });
});

test('answers without limits are no limit, until one tells of some', async () => {
  const take = () =>
    takeCalls(mirror.database, { holder: 'a', underWay: new Map() }, [{ companyId: '1', lane: 'backfill' }]);
  const answered = { holder: 'a', companyId: '1', ageMs: 0 };
  await take();
  await learnLimits(mirror.database, { ...answered, succeeded: false, report: null });
  expect(await read()).toMatchObject({ hour: 600, isUnlimited: false });
  await learnLimits(mirror.database, { ...answered, succeeded: true, report: null });
  expect(await read()).toMatchObject({ hour: null, isHourTold: false, isUnlimited: true });
  await mirror.database.pool.query(`update mirror.budget set reset_at = now() - interval '1 hour'`);
  expect(await read()).toMatchObject({ isUnlimited: true });
  await take();
  expect(await read()).toMatchObject({ isUnlimited: true });
  const report = { limit: 3600, remaining: 3500, resetInMs: 1_800_000 };
  await learnLimits(mirror.database, { ...answered, succeeded: true, report });
  expect(await read()).toMatchObject({ hour: 3600, isHourTold: true, isUnlimited: false });
});

test('companies are short of calls where a window of theirs is used up, they pause, or their news rests', async () => {
  for (const companyId of ['1', '2', '3', '4', '5']) await use(companyId, 0, 0);
  const short = async () => (await listShortCompanies(mirror.database.pool)).toSorted();
  expect(await short()).toEqual([]);
  for (const companyId of ['1', '2', '3', '4']) await window('hour', companyId, 600);
  await window('spike', '4', 25, 'assumed');
  expect(await short()).toEqual([]);
  const { pool } = mirror.database;
  await pool.query(
    `update mirror.budget set remaining = 0 where company_id in (1, 4) and (company_id = 1 or window_name = 'spike')`,
  );
  await window('pause', '2', 0, 'refusal');
  await pool.query('update mirror.budget_use set used_live = 500 where company_id = 3');
  expect(await short()).toEqual(['1', '2', '3']);
  await pool.query(`update mirror.budget set reset_at = now() - interval '1 second'`);
  expect(await short()).toEqual([]);
});
