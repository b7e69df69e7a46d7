// Who gets how many calls of an hour, in steps of half a minute: what waits asks in each of them, and the time is set.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Lane } from '../schedule/batch.ts';
import { type EmptyMirror, openEmptyMirror } from '../testing/empty-mirror.ts';
import { learnLimits, takeCalls } from './budget.ts';

let mirror: EmptyMirror;
beforeAll(async () => {
  mirror = await openEmptyMirror();
});
afterAll(() => mirror.close());
beforeEach(() =>
  mirror.database.pool.query(
    'truncate mirror.budget, mirror.budget_use, mirror.budget_owner, mirror.budget_lanes, mirror.callers',
  ),
);

const holder = 'a';
const companyId = '1';
const LIMIT = 600;
const STEPS = 120;
const HOUR_S = 3600;
const STEP_S = HOUR_S / STEPS;
/** Procore lets no more out in half a minute. */
const MOST_IN_A_STEP = 75;
const WITHOUT_END = 10_000;

/** Calls that a lane wants from a step on: so many at once, and so many more in each. */
type Wish = { from?: number; atOnce?: number; each?: number };
type Wishes = Partial<Record<Lane, Wish>>;
type Got = { calls: number /** Steps after which some still waited. */; late: number };

/** Lives through an hour of which nothing was used. */
async function liveThrough(wishes: Wishes): Promise<Record<string, Got>> {
  const report = { limit: LIMIT, remaining: LIMIT, resetInMs: 3_600_000 };
  await learnLimits(mirror.database, { holder, companyId, ageMs: 0, succeeded: true, report });
  const lanes = Object.entries(wishes) as [Lane, Wish][]; // its keys are those of Wishes
  const waiting = new Map<Lane, number>(lanes.map(([lane]) => [lane, 0]));
  const got = Object.fromEntries(lanes.map(([lane]) => [lane, { calls: 0, late: 0 }]));
  for (let step = 0; step < STEPS; step += 1) {
    // The last step is the end of the hour, when all of it is granted.
    await setTime(step === STEPS - 1 ? HOUR_S - 1 : step * STEP_S);
    for (const [lane, wish] of lanes) waiting.set(lane, (waiting.get(lane) ?? 0) + wantedIn(step, wish));
    let left = MOST_IN_A_STEP;
    for (const [lane, calls] of waiting) {
      const granted = await take(lane, Math.min(calls, left));
      left -= granted;
      waiting.set(lane, calls - granted);
      got[lane]!.calls += granted;
      got[lane]!.late += calls > granted ? 1 : 0;
    }
  }
  return got;
}

const wantedIn = (step: number, { from = 0, atOnce = 0, each = 0 }: Wish): number =>
  (step === from ? atOnce : 0) + (step < from ? 0 : Math.floor((step + 1) * each) - Math.floor(step * each));

/** How many of so many calls were granted. */
async function take(lane: Lane, calls: number): Promise<number> {
  if (calls === 0) return 0;
  const asked = Array.from({ length: calls }, () => ({ companyId, lane }));
  const { granted } = await takeCalls(mirror.database, { holder, underWay: new Map() }, asked);
  return granted.filter(Boolean).length;
}

/** So many seconds of the hour are over. */
const setTime = (seconds: number) =>
  mirror.database.pool.query(
    `update mirror.budget set opened_at = now() - $1 * interval '1 s', reset_at = now() + $2 * interval '1 s'`,
    [seconds, HOUR_S - seconds],
  );
const news: Wish = { each: 180 / STEPS };
const endless: Wish = { atOnce: WITHOUT_END };
const all: Wishes = {
  ...{ live: news, detail: { each: 0.1 }, repair: { each: 0.1 } },
  ...{ upkeep: endless, poll: endless, backfill: endless, verify: endless, files: endless },
};

/** That a call was asked for in these lanes at some time today, so that their shares are kept for them. */
const useToday = (...used: Lane[]) =>
  mirror.database.pool.query(
    `insert into mirror.budget_lanes (lane, asked_at) select lane, now() - interval '20 h' from unnest($1::mirror.lane[]) as lane`,
    [used],
  );

test('news never waits, each lane has its own share, and the fill has the rest', async () => {
  await useToday('upkeep', 'poll', 'verify', 'files');
  const got = await liveThrough(all);
  expect(got.live).toEqual({ calls: 180, late: 0 });
  expect(got.detail?.calls).toBe(12);
  expect(got.repair?.calls).toBeGreaterThanOrEqual(11); // the last one comes as the hour ends
  const { rows } = await mirror.database.pool.query<{ lane: Lane; calls: number }>(
    `select lane, own * ${LIMIT} as calls from mirror.lane_shares() where own > 0`,
  );
  expect(rows.map(({ lane }) => lane)).toEqual(['upkeep', 'poll', 'verify', 'files']);
  for (const { lane, calls } of rows) {
    expect(got[lane]?.calls, lane).toBeGreaterThanOrEqual(calls);
    expect(got[lane]?.calls, lane).toBeLessThanOrEqual(calls + 5);
  }
  expect(sum(got)).toBeGreaterThanOrEqual(LIMIT - 2);
  expect(sum(got)).toBeLessThanOrEqual(LIMIT);
});

test('a fill that is alone has the whole hour, most of it at once', async () => {
  const { backfill } = await liveThrough({ backfill: endless });
  expect(backfill?.calls).toBeGreaterThanOrEqual(LIMIT - 2);
  const { backfill: short } = await again({ backfill: { atOnce: LIMIT / 2 } });
  expect(short).toMatchObject({ calls: LIMIT / 2, late: 3 });
});

test('a proof that begins in the middle of the hour finds its share, beside news and a fill that took all else', async () => {
  await useToday('verify');
  const got = await liveThrough({ live: news, backfill: endless, verify: { from: STEPS / 2, ...endless } });
  expect(got.live).toEqual({ calls: 180, late: 0 });
  expect(got.verify?.calls).toBeGreaterThanOrEqual(LIMIT * 0.1 * 0.5);
  expect(sum(got)).toBeGreaterThanOrEqual(LIMIT - 2);
});

test('news that comes late finds its room, whatever upkeep took before', async () => {
  const upkeep = { upkeep: endless, poll: endless, verify: endless, files: endless };
  const got = await liveThrough({ ...upkeep, live: { from: STEPS / 2, atOnce: LIMIT * 0.4 * 0.5 - 1 } });
  expect(got.live).toEqual({ calls: LIMIT * 0.4 * 0.5 - 1, late: 1 });
  expect(sum(got)).toBeGreaterThanOrEqual(LIMIT - 2);
});

test('news may take everything', async () => {
  const got = await liveThrough({ ...all, live: endless });
  expect(got.live?.calls).toBe(LIMIT);
});

async function again(wishes: Wishes): Promise<Record<string, Got>> {
  await mirror.database.pool.query('truncate mirror.budget, mirror.budget_use, mirror.callers');
  return liveThrough(wishes);
}

const sum = (got: Record<string, Got>) => Object.values(got).reduce((total, { calls }) => total + calls, 0);
