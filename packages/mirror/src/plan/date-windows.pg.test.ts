// Daily logs and timecards against the simulator: what windows of days cost, and that no wrong day makes a wrong row.
import { catalogue } from '@procore-mirror/catalogue';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { simulateProcore, startTestMirror, type TestMirror } from '../testing/test-mirror.ts';
import { dayOf } from './date-windows.ts';

type Made = { records: { id: string; companyId: string; projectId: string }[] };
type Truth = { id: string; deleted: boolean; text: string };
type Calls = { byKind: { list?: number; show?: number } };
type Edit = { resource: string; action: string; id?: string; fields?: Record<string, unknown> };

let system: Awaited<ReturnType<typeof simulateProcore>>['system'];
let mirror: TestMirror;
let place: { companyId: string; projectId: string };

beforeAll(async () => {
  const procore = await simulateProcore();
  ({ system } = procore);
  const [project] = await system.controlLines<{ id: string; companyId: string }>('/control/world?resource=Projects');
  place = { companyId: project!.companyId, projectId: project!.id };
  mirror = await startTestMirror(procore, place);
});
afterAll(() => mirror.close());

const today = new Date();

async function edit(edits: readonly Edit[]): Promise<string[]> {
  const placed = edits.map((one) => ({ ...one, ...place, silent: true }));
  const { records } = await system.control<Made>('POST', '/control/edits', { edits: placed });
  return records.map(({ id }) => id);
}

/** Logs that were entered for these days, counted from today. */
const enter = (resource: string, days: readonly number[], fields: Record<string, unknown> = {}) =>
  edit(days.map((day) => ({ resource, action: 'create', fields: { ...fields, date: dayOf(today, day) } })));

const hear = (resource: string, ids: readonly string[], reason = 'update') => mirror.hear(resource, ids, { reason });

/** Runs the batch until nothing is pending; returns the calls that took. */
async function run(resource: string): Promise<{ lists: number; shows: number }> {
  await system.control('DELETE', '/control/calls');
  for (let runs = 0; runs < 10; runs += 1) {
    await mirror.run(resource, {}, { pageSize: 1000 });
    if ((await mirror.pendingIds()).length === 0) break;
  }
  const { byKind } = await system.control<Calls>('GET', '/control/calls');
  return { lists: byKind.list ?? 0, shows: byKind.show ?? 0 };
}

/** The rows of these records are what Procore shows, and nothing of the resource is marked that Procore has. */
async function expectTruth(resource: string, ids: readonly string[]): Promise<void> {
  const world = await system.controlLines<Truth>(`/control/world?resource=${encodeURIComponent(resource)}`);
  const alive = new Map(world.filter(({ deleted }) => !deleted).map(({ id, text }) => [id, text]));
  const { rows } = await mirror.database.pool.query<{ id: string; marked: boolean; record: unknown }>(
    `select id::text, _data as record, _deleted_at is not null or _hidden_at is not null as marked
      from procore.${catalogue.get(resource).table.name}`,
  );
  for (const { id, marked } of rows) expect({ id, marked }).toEqual({ id, marked: !alive.has(id) });
  const byId = new Map(rows.map(({ id, record }) => [id, record]));
  for (const id of ids) expect(byId.get(id)).toEqual(JSON.parse(alive.get(id) ?? 'null'));
}

test.each(['Notes Logs', 'Timecard Entries'])('sixty new %s of several days cost one call', async (resource) => {
  const ids = await enter(
    resource,
    Array.from({ length: 60 }, (_, index) => -(index % 4)),
  );
  const [bystander] = await enter(resource, [-1]);
  await hear(resource, ids, 'create');
  expect(await run(resource)).toMatchObject({ lists: 1, shows: 0 });
  await expectTruth(resource, [...ids, bystander!]);
});

test('sixty edited logs of a week long ago cost one call, because our rows know their days', async () => {
  const ids = await enter(
    'Work Logs',
    Array.from({ length: 60 }, (_, index) => -400 - (index % 7)),
  );
  await hear('Work Logs', ids.slice(0, 1), 'create');
  await run('Work Logs');
  await hear('Work Logs', ids, 'create');
  await run('Work Logs');
  await edit(ids.map((id) => ({ resource: 'Work Logs', action: 'update', id, fields: { comments: 'seen' } })));
  await hear('Work Logs', ids);
  expect(await run('Work Logs')).toMatchObject({ lists: 1, shows: 0 });
  await expectTruth('Work Logs', ids);
});

test('a log of long ago, one moved to another day and one that is gone are asked for alone', async () => {
  const resource = 'Visitor Logs';
  const [far, moved, gone, ...near] = await enter(resource, [-300, -1, -2, 0, -1, -2, -3, 1]);
  await hear(resource, [moved!, gone!, ...near], 'create');
  await run(resource);
  await edit([
    { resource, action: 'update', id: moved!, fields: { date: dayOf(today, -200) } },
    { resource, action: 'delete', id: gone! },
  ]);
  await hear(resource, [far!, moved!, gone!, ...near]);
  expect(await run(resource)).toMatchObject({ lists: 1, shows: 4 }); // the one that is gone is looked for twice
  await expectTruth(resource, [far!, moved!, ...near]);
});

test('manpower logs that are not approved come with the others', async () => {
  const pending = await enter('Manpower Logs', [0, -1], { status: 'pending' });
  const approved = await enter('Manpower Logs', [0, -1], { status: 'approved' });
  await hear('Manpower Logs', [...pending, ...approved], 'create');
  expect(await run('Manpower Logs')).toEqual({ lists: 1, shows: 0 });
  await expectTruth('Manpower Logs', [...pending, ...approved]);
});

test('when one call a run is all there is, logs outside of their window are shown all the same', async () => {
  const ids = await enter('Call Logs', [-100, -200, -300]);
  await hear('Call Logs', ids, 'create');
  await mirror.database.pool.query('update mirror.budget set remaining = 0');
  await run('Call Logs');
  await mirror.database.pool.query('update mirror.budget set remaining = 1000000');
  await expectTruth('Call Logs', ids);
});
