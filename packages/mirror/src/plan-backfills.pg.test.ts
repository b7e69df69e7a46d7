// What a backfill is planned to cost, and what it then costs, in front of the simulator.
import { catalogue } from '@procore-mirror/catalogue';
import type { System } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFillLoop } from './fill-loop.ts';
import { type PlannedBackfills, planBackfills } from './plan-backfills.ts';
import { requestFills } from './request-fills.ts';
import type { Scope } from './scope.ts';
import { simulateProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let system: System;
let mirror: TestMirror;
let scopes: Scope[];

const sizes = { RFIs: 40, Submittals: 30, 'Manpower Logs': 210, 'RFI Replies': 2, Forms: 250, Meetings: 5 };

beforeAll(async () => {
  const procore = await simulateProcore();
  system = procore.system;
  const { companyId, projectIds } = await system.control<{ companyId: string; projectIds: [string] }>(
    ...(['POST', '/control/seed', { projects: 1, name: 'To plan', sizes }] as const),
  );
  const [projectId] = projectIds;
  mirror = await startTestMirror(procore, { companyId, projectId });
  const of = (scope: 'company' | 'project') =>
    catalogue.mirrored.filter((entry) => entry.scope === scope && entry.list !== null).map(({ resource }) => resource);
  scopes = [
    { companyId, projectId: null, resources: of('company') },
    { companyId, projectId, resources: of('project') },
  ];
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  await system.control('DELETE', '/control/faults');
  await turnOff([]);
  await system.control('DELETE', '/control/calls');
});

const { signal } = new AbortController();
const plan = (own: Scope[] = scopes): Promise<PlannedBackfills> =>
  planBackfills({ settings: mirror.settings, scopes: own, signal, pausesMs: [], now: new Date() });
const turnOff = (toolsOff: string[]) =>
  system.control('PATCH', `/control/projects/${scopes[1]?.projectId}`, { toolsOff });
const only = (...resources: string[]): Scope[] => scopes.slice(1).map((scope) => ({ ...scope, resources }));

type Calls = { total: number; recent: { path: string; status: number }[]; byKind: { login?: number } };
async function calls(): Promise<Calls> {
  const counted = await system.control<Calls>('GET', '/control/calls');
  return { ...counted, total: counted.total - (counted.byKind.login ?? 0) };
}

/** Fills as workers do, and completes what lists carry in part. */
async function fill(own: readonly Scope[]): Promise<void> {
  await requestFills(mirror.database, { catalogue, scopes: own });
  const worker = startFillLoop({
    ...{ settings: mirror.settings, holder: 'test', resources: null, canSignIn: async () => true, idleMs: 5 },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const states = async () => (await mirror.database.pool.query('select distinct state from mirror.backfills')).rows;
  await expect
    .poll(async () => (await states()).filter(({ state }) => state !== 'done' && state !== 'off'), { timeout: 300_000 })
    .toEqual([]);
  await worker.close();
  for (let left = await batches(); left.length > 0; left = await batches())
    for (const { projectId, resource } of left) await mirror.run(resource, { projectId, lane: 'backfill' });
}

async function batches(): Promise<{ projectId: string | null; resource: string }[]> {
  const { rows } = await mirror.database.pool.query(
    `select distinct project_id::text as "projectId", resource from mirror.pending order by resource`,
  );
  return rows;
}

const callsOf = ({ backfills }: PlannedBackfills) =>
  backfills.reduce((sum, { listCalls, shows }) => sum + listCalls + shows, 0);

test('a whole company costs what its plan says, give or take 15 %', async () => {
  const planned = await plan();
  expect((await calls()).total).toBe(planned.calls);
  await system.control('DELETE', '/control/calls');
  await fill(scopes);
  const made = (await calls()).total;
  expect(made).toBeGreaterThan(400);
  expect(Math.abs(callsOf(planned) - made) / made).toBeLessThan(0.15);
}, 400_000);

describe('a resource costs', { timeout: 400_000 }, () => {
  test.each([
    ['its pages, where they carry all', ['Forms']],
    ['its pages and a call a record, where they do not', ['RFIs']],
    ['a call a parent', ['RFIs', 'RFI Replies']],
    ['the lists of parents, too, where these are not filled along', ['RFI Replies']],
    ['the pages of each window, where it is by day', ['Manpower Logs']],
    ['a call a record, where its list has groups', ['Meetings']],
  ])('%s', async (_, resources) => {
    const planned = await plan(only(...resources));
    await system.control('DELETE', '/control/calls');
    await fill(only(...resources));
    expect(callsOf(planned) + 1).toBe((await calls()).total); // and its tools

    expect(planned.backfills.every(({ state }) => state === 'known')).toBe(true);
  });
});

test('what is off is not read, and says so', async () => {
  await turnOff(['RFIs', 'Daily Log']);
  await fill(only('RFIs', 'RFI Replies', 'Forms', 'Manpower Logs'));
  const { total, recent } = await calls();
  expect(total).toBe(4); // the tools, and the pages of the forms
  expect(recent.filter(({ status }) => status !== 200)).toEqual([]);
  const { rows } = await mirror.database.pool.query('select resource, state from mirror.backfills order by resource');
  expect(rows.map(({ resource, state }) => `${resource} ${state}`)).toEqual([
    ...['Forms done', 'Manpower Logs off', 'RFI Replies off', 'RFIs off'],
  ]);
});

test('nothing is stored by a plan', async () => {
  await plan(only('RFIs', 'RFI Replies', 'Manpower Logs'));
  expect(await mirror.rows('rfis')).toEqual([]);
  expect(await mirror.pendingIds()).toEqual([]);
  const { rows } = await mirror.database.pool.query('select from mirror.lists');
  expect(rows).toEqual([]);
});

test('a tool that is off costs nothing, and no call to find out', async () => {
  await turnOff(['RFIs', 'Daily Log']);
  const planned = await plan(only('RFIs', 'Submittals', 'Manpower Logs', 'RFI Replies'));
  expect(planned.backfills.map(({ resource, state, listCalls }) => [resource, state, listCalls])).toEqual([
    ['RFIs', 'off', 0],
    ['Submittals', 'known', 1],
    ['Manpower Logs', 'off', 0],
    ['RFI Replies', 'off', 0],
  ]);
  const { total, recent } = await calls();
  expect(total).toBe(2); // the tools, and the submittals
  expect(recent.filter(({ status }) => status !== 200)).toEqual([]);
});

test.each([403, 404, 500])(
  'where Procore answers %i instead of tools and counts all lists are asked',
  async (status) => {
    await system.control('POST', '/control/faults', { kind: 'other', status });
    const planned = await plan(only('RFIs', 'Manpower Logs'));
    expect(planned.backfills).toMatchObject([
      { state: 'known', records: 40, shows: 40, isEstimate: false },
      { state: 'known', listCalls: expect.any(Number) },
    ]);
  },
);

test('daily logs are counted, and estimated where no count tells of them', async () => {
  const logs = only('Manpower Logs', 'RFIs');
  expect((await plan(logs)).backfills).toMatchObject([
    { resource: 'Manpower Logs', records: 210, isEstimate: false },
    { resource: 'RFIs', isEstimate: false },
  ]);
  await system.control('POST', '/control/faults', { kind: 'other', status: 403 });
  expect((await plan(logs)).backfills).toMatchObject([
    { resource: 'Manpower Logs', isEstimate: true },
    { resource: 'RFIs', isEstimate: false },
  ]);
});

test('children of parents that refuse are estimated', async () => {
  await system.control('POST', '/control/faults', { resource: 'RFIs', status: 403 });
  expect((await plan(only('RFI Replies'))).backfills).toMatchObject([{ records: 0, isEstimate: true }]);
});

test('nonsense instead of tools tells nothing', async () => {
  await system.control('POST', '/control/faults', { kind: 'other', nonsense: true });
  expect((await plan(only('RFIs'))).backfills).toMatchObject([{ state: 'known', records: 40 }]);
});

test('a list that refuses has its trouble, and costs the call that it will refuse', async () => {
  await system.control('POST', '/control/faults', { resource: 'RFIs', status: 403 });
  const { backfills } = await plan(only('RFIs', 'Submittals'));
  expect(backfills).toMatchObject([
    { resource: 'RFIs', state: 'refused', listCalls: 1, shows: 0, trouble: expect.stringContaining('403') },
    { resource: 'Submittals', state: 'known', trouble: null },
  ]);
});
