import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../connection/open-database.ts';
import type { Lane } from '../schedule/batch.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { learnLimits, pauseCalls, readAffordableCalls, takeCalls } from './budget.ts';

let mirror: EmptyMirror;
let database: Database;

beforeAll(async () => {
  mirror = await openEmptyMirror();
  database = mirror.database;
});
afterAll(() => mirror.close());
beforeEach(() =>
  database.pool.query(
    'truncate mirror.budget, mirror.budget_use, mirror.budget_owner, mirror.budget_lanes, mirror.callers, mirror.batches',
  ),
);

type Taker = { holder?: string; underWay?: number; lane?: Lane; companyId?: string };

/** Asks for so many calls of one kind: how many were granted, and the wait for the others. */
async function take(calls: number, { holder = 'a', underWay = 0, lane = 'live', companyId = '1' }: Taker = {}) {
  const asked = Array.from({ length: calls }, () => ({ companyId, lane }));
  const { granted, waitMs } = await takeCalls(database, { holder, underWay: new Map([[companyId, underWay]]) }, asked);
  return { granted: granted.filter(Boolean).length, waitMs };
}

const learn = (limit: number, remaining: number, resetInMs: number | null, ageMs = 0, companyId = '1') =>
  learnLimits(database, { holder: 'a', companyId, ageMs, succeeded: true, report: { limit, remaining, resetInMs } });
const answered = (succeeded: boolean, companyId = '1', ageMs = 0) =>
  learnLimits(database, { holder: 'a', companyId, ageMs, succeeded, report: null });
const noAnswer = () => answered(false);

/** A 429 without rate-limit headers; `isTold`: with a Retry-After. */
async function refuse({ companyId = '1', pauseMs = 10_000, isTold = false, ageMs = 0 } = {}): Promise<void> {
  await pauseCalls(database, { companyId, ageMs, pauseMs, isTold });
  await answered(false, companyId, ageMs);
}

/** How long the company is paused from now, whole seconds; null when it is not. */
async function pausedFor(companyId: string | null = '1'): Promise<number | null> {
  const { rows } = await database.pool.query<{ seconds: number }>(
    `select round(extract(epoch from reset_at - now()))::int as seconds from mirror.budget
      where window_name = 'pause' and known_by = 'refusal' and company_id is not distinct from $1::bigint`,
    [companyId],
  );
  return rows[0]?.seconds ?? null;
}
const endPause = () =>
  database.pool.query(`update mirror.budget set reset_at = now() - interval '1 ms' where window_name = 'pause'`);
const expire = () => database.pool.query(`update mirror.budget set reset_at = now() - interval '1 ms'`);

test('before the first answer one call goes out, the others wait for it', async () => {
  expect(await take(1)).toEqual({ granted: 1, waitMs: 0 });
  expect(await take(16, { holder: 'b' })).toMatchObject({ granted: 0 });
  await learn(25, 24, 10_000);
  expect(await take(16)).toMatchObject({ granted: 16 });
});

describe('while nothing is known', () => {
  const takeOfEach = async (companies: string[]) => {
    const asked = companies.map((companyId) => ({ companyId, lane: 'live' as const }));
    const { granted } = await takeCalls(database, { holder: 'a', underWay: new Map() }, asked);
    return companies.filter((_, index) => granted[index]);
  };
  const passTime = (seconds: number) =>
    database.pool.query(`update mirror.first_calls set called_at = called_at - $1 * interval '1 s'`, [seconds]);

  test('a call of each of five companies goes out, whatever of one waits before', async () => {
    expect(await takeOfEach(['1', '1', '1', '2', '3', '4', '5', '6', '1'])).toEqual(['1', '2', '3', '4', '5']);
    expect(await takeOfEach(['1', '6'])).toEqual([]);
    await answered(false, '3');
    expect(await takeOfEach(['1', '6'])).toEqual(['6']);
  });

  test('a call that is not answered within two seconds holds up nobody, and not more than 25 go out in ten', async () => {
    const sick = Array.from({ length: 40 }, () => '1');
    expect(await takeOfEach(sick)).toEqual(['1']);
    expect(await takeOfEach([...sick, '2'])).toEqual(['2']);
    await passTime(0.5);
    expect(await takeOfEach(sick)).toEqual([]);
    let calls = 2;
    for (let second = 2; second < 10; second += 2) {
      await passTime(2);
      calls += (await takeOfEach(sick)).length;
    }
    expect(calls).toBeLessThanOrEqual(25);
    await passTime(2);
    expect(await takeOfEach([...sick, '3'])).toContain('3');
  });

  test('the first answer ends that, and what is under way is not granted again', async () => {
    expect(await takeOfEach(['1', '2', '3', '4'])).toHaveLength(4);
    await learn(25, 24, 10_000);
    expect(await take(100)).toMatchObject({ granted: 21 });
  });

  test('nobody waits for the calls of a process that was killed', async () => {
    await takeOfEach(['1', '2', '3']);
    await passTime(61);
    await expire();
    expect(await takeOfEach(['1'])).toEqual(['1']);
    const { rows } = await database.pool.query('select from mirror.first_calls');
    expect(rows).toHaveLength(1);
  });

  test('in a window that began anew one call goes out, and another one each two seconds until one is answered', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await take(24);
    await expire();
    expect(await takeOfEach(['1', '1', '2'])).toEqual(['1']);
    expect(await takeOfEach(['1', '2'])).toEqual([]);
    await passTime(2);
    expect(await takeOfEach(['1', '2'])).toEqual(['2']);
    expect(await takeOfEach(['1', '2'])).toEqual([]);
    await learn(25, 24, 10_000, 0, '2');
    expect(await take(100)).toMatchObject({ granted: 23 });
  });
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
  expect(await take(100, { holder: 'a', underWay: 3 })).toMatchObject({ granted: 16 });
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

test('of limits that differ, as routes may have their own, the lowest counts for all until the window is over', async () => {
  await take(1);
  await learn(100, 90, 10_000);
  await learn(25, 20, 10_000);
  expect(await take(5)).toMatchObject({ granted: 5 });
  await learn(100, 88, 9_900);
  expect(await take(100)).toMatchObject({ granted: 15 });
  await expire();
  await take(1);
  await learn(100, 99, 10_000);
  expect(await take(100)).toMatchObject({ granted: 99 });
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
  expect(await take(100, { lane: 'backfill' })).toMatchObject({ granted: 11 });
  expect(await take(100, { lane: 'backfill' })).toMatchObject({ granted: 0 });
  expect(await take(100)).toMatchObject({ granted: 39 });
});

test('lanes go in their order, and what a lane leaves to others shrinks as the window passes', async () => {
  await take(1);
  await learn(100, 12, 3_600_000);
  const asked = (['verify', 'detail', 'live', 'detail'] as const).map((lane) => ({ companyId: '1', lane }));
  const { granted } = await takeCalls(database, { holder: 'a', underWay: new Map() }, asked);
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
      `select round(extract(epoch from reset_at - updated_at) * 1000)::int as ms from mirror.budget where window_name = 'spike'`,
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

describe('after a 429', () => {
  test('that company makes no call until the pause is over, and others do', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await refuse({ pauseMs: 5_000, isTold: true });
    const { granted, waitMs } = await take(1);
    expect({ granted, waits: waitMs > 3_000 && waitMs <= 5_000 }).toEqual({ granted: 0, waits: true });
    expect(await take(4, { companyId: '2' })).toEqual({ granted: 4, waitMs: 0 });
    await endPause();
    expect(await take(1)).toEqual({ granted: 1, waitMs: 0 });
  });

  test('one call asks whether the pause is over, and its answer lets the others go', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await refuse();
    await endPause();
    expect(await take(5)).toMatchObject({ granted: 1 });
    expect(await take(5, { companyId: '2' })).toMatchObject({ granted: 5 });
    await answered(false);
    expect(await take(5)).toMatchObject({ granted: 1 });
    await learn(25, 16, 9_000);
    expect(await take(5)).toMatchObject({ granted: 5 });
  });

  test('a pause whose length nobody told is doubled with each call that asks in vain, up to an hour; a success ends that', async () => {
    await take(1);
    await answered(true);
    await refuse();
    const pauses = [await pausedFor()];
    for (let refusals = 2; refusals <= 12; refusals += 1) {
      await endPause();
      expect(await take(3)).toMatchObject({ granted: 1 });
      await refuse();
      pauses.push(await pausedFor());
    }
    expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
    expect(await pausedFor('2')).toBeNull();
    await endPause();
    await take(1);
    await refuse({ pauseMs: 7_000, isTold: true });
    expect(await pausedFor()).toBe(7);
    await endPause();
    await take(1);
    await answered(true);
    await refuse();
    expect(await pausedFor()).toBe(10);
  });

  test('calls that were under way when the pause began make it no longer, and their success ends it not', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await take(16);
    for (let call = 1; call <= 15; call += 1) await refuse({ ageMs: 300 });
    expect(await pausedFor()).toBe(10);
    await answered(true, '1', 300);
    expect(await pausedFor()).toBe(10);
    await endPause();
    await take(1);
    await refuse({ ageMs: 20_000 });
    expect(await pausedFor()).toBe(10);
  });

  test('the company that nobody names are all', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await pauseCalls(database, { companyId: null, ageMs: 0, pauseMs: 5_000, isTold: true });
    expect(await pausedFor(null)).toBe(5);
    expect((await take(1)).granted + (await take(1, { companyId: '2' })).granted).toBe(0);
    await endPause();
    expect((await take(1, { companyId: '2' })).granted + (await take(1)).granted).toBe(1);
    await answered(true, '2');
    expect((await take(1)).granted + (await take(1, { companyId: '2' })).granted).toBe(2);
  });

  test('a shared window that it tells to be used up stops all until its reset', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await refuse({ pauseMs: 20_000, isTold: true });
    await learn(25, 0, 5_000);
    const { granted, waitMs } = await take(1, { companyId: '2' });
    expect({ granted, waits: waitMs > 3_000 && waitMs <= 5_000 }).toEqual({ granted: 0, waits: true });
    await database.pool.query(`update mirror.budget set reset_at = now() where window_name = 'spike'`);
    expect((await take(1)).granted).toBe(0);
    expect((await take(1, { companyId: '2' })).granted).toBe(1);
  });

  test('without headers it is no sign that there is no limit, nor is any other failure; a success is, and later headers count', async () => {
    await take(1);
    await refuse({ companyId: '2' });
    expect(await take(100)).toMatchObject({ granted: 1 });
    await answered(false);
    expect(await take(100)).toMatchObject({ granted: 1 });
    await answered(true);
    expect(await take(100)).toMatchObject({ granted: 100 });
    await take(0); // they are answered
    await learn(25, 3, 9_000);
    expect(await take(100)).toMatchObject({ granted: 3 });
  });

  test('a pause that nobody asked about for an hour is forgotten', async () => {
    await take(1);
    await refuse();
    await database.pool.query(`update mirror.budget set reset_at = now() - interval '61 min'`);
    await take(1, { companyId: '2' });
    const { rows } = await database.pool.query(`select from mirror.budget where window_name = 'pause'`);
    expect(rows).toEqual([]);
  });
});

test('a company with windows of its own is held to these alone, and the others to the shared ones', async () => {
  await take(1);
  await learn(25, 20, 10_000);
  await database.pool.query(
    `insert into mirror.budget (window_name, company_id, call_limit, remaining, reset_at, known_by)
      values ('hour', 2, 600, 3, now() + interval '30 min', 'header')`,
  );
  expect((await take(100, { companyId: '2' })).granted).toBe(3);
  expect(await readAffordableCalls(database.pool, { lane: 'live', companyId: '2' })).toBe(0);
  expect(await readAffordableCalls(database.pool, { lane: 'live', companyId: '1' })).toBe(20);
  expect((await take(100)).granted).toBe(20);
  await learn(600, 500, 3_000_000, 0, '2');
  expect((await take(5, { companyId: '2' })).granted).toBe(5);
  expect((await take(1)).granted).toBe(0);
  await learn(25, 24, 19_000);
  const { rows } = await database.pool.query(
    `select window_name, company_id, used from mirror.budget_use where used > 0 order by company_id, window_name`,
  );
  expect(rows).toEqual([
    { window_name: 'hour', company_id: '1', used: 21 },
    { window_name: 'hour', company_id: '2', used: 5 },
  ]);
});

/** The windows that there are, pauses left out. */
async function windows(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query(
    `select window_name, company_id, known_by, call_limit, remaining, calls, calls_of_others as others from mirror.budget
      where window_name <> 'pause' order by company_id nulls first, window_name`,
  );
  return rows;
}
const owner = async () => (await database.pool.query('select owner, because from mirror.budget_owner')).rows[0];

describe('an hour that no answer told of', () => {
  test('is taken for 600 calls, of which a fill leaves a share, and to which news is not held', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    const leave = (calls: number) =>
      database.pool.query(`update mirror.budget set remaining = $1 where window_name = 'hour'`, [calls]);
    await leave(235);
    expect((await take(5, { lane: 'backfill' })).granted).toBe(0);
    await leave(300);
    expect((await take(5, { lane: 'backfill' })).granted).toBe(5);
    await leave(0);
    expect((await take(1, { lane: 'detail' })).granted).toBe(0);
    expect((await take(2)).granted).toBe(2);
    expect(await readAffordableCalls(database.pool, { lane: 'live', companyId: '1' })).toBe(17);
  });

  test('allows more when an answer tells of ten seconds that have more left, and less when it is told', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await take(4);
    await database.pool.query(`update mirror.budget set remaining = 20 where window_name = 'hour'`);
    await learn(25, 20, 9_900);
    expect(await windows()).toMatchObject([{ known_by: 'assumed', call_limit: 600, remaining: 20 }, {}]);
    await learn(25, 22, 9_900);
    expect(await windows()).toMatchObject([{ known_by: 'assumed', call_limit: 600, remaining: 20 }, {}]);
    await take(0); // the others are answered
    await learn(25, 21, 9_900);
    expect(await windows()).toMatchObject([{ known_by: 'assumed', call_limit: 1200, remaining: 620 }, {}]);
    await learn(600, 15, 1_800_000);
    expect(await windows()).toMatchObject([
      { window_name: 'hour', known_by: 'header', call_limit: 600, remaining: 15 },
      {},
    ]);
  });

  test('begins anew when it is over, and is forgotten where there is no limit', async () => {
    await take(1);
    await learn(25, 24, 10_000);
    await take(3);
    await expire();
    await take(1);
    expect(await windows()).toMatchObject([{ window_name: 'hour', known_by: 'assumed', remaining: 599 }, {}]);
    await database.pool.query('truncate mirror.budget');
    await take(1);
    await answered(true);
    expect(await windows()).toMatchObject([{ window_name: 'unknown', known_by: 'header' }]);
  });
});

test('calls that are not ours are counted where Procore counts more than we made', async () => {
  await take(1);
  await learn(25, 24, 10_000);
  await take(4);
  await learn(25, 20, 9_900);
  expect(await windows()).toMatchObject([{}, { window_name: 'spike', calls: 5, others: 0 }]);
  await learn(25, 11, 9_800);
  await learn(25, 14, 9_800);
  expect(await windows()).toMatchObject([{}, { window_name: 'spike', calls: 5, others: 9 }]);
  await learn(25, 24, 19_000);
  expect(await windows()).toMatchObject([{}, { window_name: 'spike', others: 0 }]);
});

describe('whose the limits are', () => {
  /** An answer to a call that goes out now. */
  const answer = async (companyId: string, remaining: number, resetInMs = 10_000) => {
    await take(1, { companyId });
    await learn(25, remaining, resetInMs, 0, companyId);
  };

  test('two answers of two companies that hear the same settle that each has its own', async () => {
    await answer('1', 24);
    await answer('2', 24);
    expect(await owner()).toMatchObject({ owner: null });
    await answer('1', 23);
    await answer('2', 23);
    expect(await owner()).toEqual({ owner: 'company', because: 'answers' });
    expect((await windows()).every((one) => one.company_id !== null)).toBe(true);
    expect([(await take(100)).granted, (await take(100, { companyId: '2' })).granted]).toEqual([23, 23]);
    expect((await take(100, { companyId: '3' })).granted).toBe(1);
    await pauseCalls(database, { companyId: '1', ageMs: 0, pauseMs: 5_000, isTold: true });
    expect([await pausedFor('1'), await pausedFor(null)]).toEqual([5, null]);
  });

  test('two answers that show what the other company made settle that they share one', async () => {
    await answer('1', 24);
    await answer('2', 23);
    expect(await owner()).toMatchObject({ owner: null });
    await answer('1', 22);
    await answer('2', 21);
    expect(await owner()).toEqual({ owner: 'all', because: 'answers' });
    await answer('1', 24);
    await answer('2', 24);
    expect(await owner()).toMatchObject({ owner: 'all' });
    await pauseCalls(database, { companyId: '1', ageMs: 0, pauseMs: 5_000, isTold: true });
    expect([await pausedFor('1'), await pausedFor(null)]).toEqual([null, 5]);
  });

  const settle = (whose: 'all' | 'company') =>
    database.pool.query(`insert into mirror.budget_owner (owner, because) values ($1, 'answers')`, [whose]);

  test('one answer that speaks against windows of their own has all held to them together', async () => {
    await settle('company');
    await answer('1', 24);
    await answer('2', 23);
    expect(await owner()).toEqual({ owner: null, because: null });
    expect((await windows()).every((one) => one.company_id === null)).toBe(true);
    expect((await take(100)).granted).toBe(23);
    expect((await take(100, { companyId: '2' })).granted).toBe(0);
  });

  test('a refusal while its own window had calls left settles that they share one, if others made calls', async () => {
    await settle('company');
    await answer('1', 24);
    await refuse({ pauseMs: 5_000, isTold: true });
    expect(await owner()).toMatchObject({ owner: 'company' });
    await database.pool.query(`delete from mirror.budget where window_name = 'pause'`);
    await take(1, { companyId: '2' });
    await learn(100, 90, 10_000, 0, '2');
    await refuse({ pauseMs: 5_000, isTold: true });
    expect(await owner()).toEqual({ owner: 'all', because: 'refusal' });
    expect(await pausedFor(null)).toBe(5);
  });
});

test('limits and remainders of any size are believed', async () => {
  await take(1);
  await learn(2 ** 40, 2 ** 41, 10_000);
  expect(await take(100)).toMatchObject({ granted: 100 });
});

test('where an answer does not tell when a window ends, it ends when it did, or in ten seconds', async () => {
  await take(1);
  await learn(600, 0, null);
  expect((await take(1)).waitMs).toBeGreaterThan(5_000);
  expect((await take(1)).waitMs).toBeLessThanOrEqual(10_000);
  await database.pool.query('truncate mirror.budget');
  await learn(600, 5, 1_800_000);
  await learn(600, 0, null);
  expect((await take(1)).waitMs).toBeGreaterThan(1_000_000);
});

test('a server without rate-limit headers does not slow us down', async () => {
  await take(1);
  await answered(true);
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
  const client = new pg.Client({ connectionString: mirror.test.url });
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

test.each(['take_calls', 'learn_limits'])(
  '%s waits for the turn of another, also where its row got lost',
  async (name) => {
    await take(1);
    await database.pool.query('truncate mirror.turns');
    await learn(25, 24, 10_000);
    await using other = await connect();
    await other.query(`begin; select from mirror.turns where of = 'budget' for update`);
    let isDone = false;
    const done = (name === 'take_calls' ? take(1) : learn(25, 20, 9_900)).then(() => {
      isDone = true;
    });
    await vi.waitFor(async () => {
      const { rows } = await mirror.test.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      expect(rows).toHaveLength(1);
    }, 20_000);
    expect(isDone).toBe(false);
    await other.query('rollback');
    await done;
  },
);
