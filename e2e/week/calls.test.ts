// Who gets calls and when, lived through in virtual time: the real budget, database, client and simulator.
import { ProcoreBusyError } from '@procore-mirror/procore';
import { startSystem } from '@procore-mirror/testing';
import { expect, test, vi } from 'vitest';
import { chance } from './plan-week.ts';
import { createVirtualDatabase } from './virtual-database.ts';
import { connectProcore, followTime } from './virtual-procore.ts';
import { createVirtualTime } from './virtual-time.ts';

vi.setConfig({ testTimeout: 300_000 });

const wideHour = { callsPerHour: 100_000, callsPerTenSeconds: 25 };

type Lane = 'live' | 'detail' | 'repair' | 'upkeep' | 'poll' | 'backfill' | 'verify' | 'files';
type Made = { at: number; companyId: string; status: number | null };

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

async function openStage(simulator: Record<string, unknown>, { companies = 1 } = {}) {
  const nowhere = 'postgres://localhost/nowhere'; // of the system, only the simulator is started
  const system = await startSystem({ databaseUrl: nowhere, queueUrl: nowhere, projects: 0, simulator });
  const companyIds: string[] = [];
  for (let company = 0; company < companies; company += 1) {
    const seeded = await system.control<{ companyId: string }>('POST', '/control/seed', { projects: 0 });
    companyIds.push(seeded.companyId);
  }
  const { nowMs } = await system.control<{ nowMs: number }>('GET', '/control/clock');
  const time = createVirtualTime(nowMs + DAY_MS); // the simulator's clock goes on until it is stopped
  const { database, close } = await createVirtualDatabase(time);
  const made: Made[] = [];
  const onError = (error: unknown): void => time.fail(error);
  const onAnswer = (status: number | null, companyId: string): void =>
    void made.push({ at: time.now(), companyId, status });
  const tellTime = await followTime(system, time);
  await tellTime();
  const procore = connectProcore({ system, database, time, tellTime, onCall: () => {}, onAnswer, onError });

  /** One call; how long it took, waiting for leave included. */
  async function call(companyId: string, lane: Lane, signal?: AbortSignal): Promise<number> {
    const startedAt = time.now();
    const purpose = { projectId: null, resource: 'Projects', lane };
    try {
      await procore.client.get('/rest/v1.1/projects', {
        companyId,
        searchParams: [['company_id', companyId]],
        purpose,
        signal,
      });
    } catch (error) {
      if (!(error instanceof ProcoreBusyError)) throw error;
    }
    return time.now() - startedAt;
  }

  /** Calls one after the other, so many at a time, until the signal. */
  async function callOn(companyId: string, lane: Lane, signal: AbortSignal, atOnce = 16): Promise<void> {
    const work = async (): Promise<void> => {
      while (!signal.aborted)
        await call(companyId, lane, signal).catch((error) => signal.aborted || Promise.reject(error));
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }

  return {
    ...{ time, database, companyIds, made, call, callOn },
    /** Whose the limits are, as far as is known. */
    owner: async () => (await database.pool.query('select owner, because from mirror.budget_owner')).rows[0],
    [Symbol.asyncDispose]: async () => {
      await procore.close();
      await close();
      await system.close();
    },
  };
}

test('in the first hour of a company news does not wait, though a fill takes what it can get, and no call is refused', async () => {
  await using stage = await openStage({ callsPerHour: 600, callsPerTenSeconds: 25 });
  const { time, companyIds, call, callOn, made } = stage;
  const companyId = companyIds[0]!;
  const random = chance(1);
  const start = time.now();
  const waits: Promise<number>[] = [];
  const ending = new AbortController();
  const edits = async (): Promise<void> => {
    const times = Array.from({ length: 180 }, () => start + random() * HOUR_MS);
    for (const at of times.toSorted((a, b) => a - b)) {
      await time.until(at);
      waits.push(call(companyId, 'live'));
    }
    await time.until(start + HOUR_MS);
    ending.abort();
    await Promise.all(waits);
  };
  await time.run(Promise.all([edits(), callOn(companyId, 'backfill', ending.signal)]));
  const sorted = (await Promise.all(waits)).toSorted((a, b) => a - b);
  expect(sorted[Math.ceil(sorted.length * 0.95) - 1]).toBeLessThan(30_000);
  expect(countOf(made, 429)).toBe(0);
  expect(made.filter(({ at }) => at < start + HOUR_MS).length).toBeGreaterThanOrEqual(600 * 0.95);
});

test.each([
  ['companies with windows of their own', 'company', 2],
  ['companies that share one', 'client', 1],
])('%s use what they are given, and no call is refused', async (_, limitsOf, windows) => {
  await using stage = await openStage({ ...wideHour, limitsOf }, { companies: 2 });
  const { time, companyIds, callOn, made, owner } = stage;
  const start = time.now();
  const ending = new AbortController();
  const end = async (): Promise<void> => {
    await time.until(start + MINUTE_MS);
    ending.abort();
  };
  await time.run(Promise.all([end(), ...companyIds.map((id) => callOn(id, 'live', ending.signal))]));
  const inTime = made.filter(({ at }) => at < start + MINUTE_MS);
  // Whose the limits are, answers tell within the first ten seconds, or not: until then one company's calls count for both.
  const finding = (windows - 1) * 25;
  expect(inTime.length).toBeGreaterThanOrEqual((6 * 25 * windows - finding) * 0.95);
  for (const id of companyIds) {
    const own = inTime.filter(({ companyId }) => companyId === id).length;
    expect(own).toBeGreaterThanOrEqual(windows === 2 ? (6 * 25 - finding) * 0.95 : 6 * 25 * 0.25);
  }
  expect(countOf(made, 429)).toBe(0);
  expect(await owner()).toMatchObject({ owner: windows === 2 ? 'company' : 'all', because: 'answers' });
});

test('windows that turn out to be shared after all cost two refusals at most', async () => {
  await using stage = await openStage({ ...wideHour, limitsOf: 'client' }, { companies: 2 });
  const { time, companyIds, callOn, made, owner, database } = stage;
  const start = time.now();
  const ending = new AbortController();
  const end = async (): Promise<void> => {
    await database.pool.query(`insert into mirror.budget_owner (owner, because) values ('company', 'answers')`);
    await time.until(start + MINUTE_MS);
    ending.abort();
  };
  await time.run(Promise.all([end(), ...companyIds.map((id) => callOn(id, 'live', ending.signal))]));
  expect(await owner()).toMatchObject({ owner: 'all' });
  expect(countOf(made, 429)).toBeLessThanOrEqual(2);
  expect(made.filter(({ at }) => at < start + MINUTE_MS).length).toBeGreaterThanOrEqual(6 * 25 * 0.95);
});

const countOf = (made: readonly Made[], status: number) => made.filter((one) => one.status === status).length;
