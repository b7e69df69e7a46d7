// Fills beside everything else that goes on: news, projects that leave the selection, places that are forgotten.
import { claimBatch, forgetPlace, noteCompanies, noteProjects, requestNewProjects } from '@procore-mirror/database';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startFillLoop } from './fill-loop.ts';
import { requestFills } from './request-fills.ts';
import { scriptLists } from './testing/script-lists.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
let client: ProcoreClient;
let worker: ReturnType<typeof startFillLoop> | null = null;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
  // As another process: news does not wait for the answers that fills hold.
  client = createProcoreClient({
    ...{ apiUrl: new URL(procore.url), token: procore.token, refuseToken: () => {}, sleep: async () => {} },
  });
});
afterEach(() => worker?.close());
afterAll(async () => {
  await client.close();
  await mirror.close();
});
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const fills = () =>
  query('select project_id::int as project, resource, state, detail from mirror.backfills order by 1, position');
const lists = scriptLists({ '/locations': upTo(25), '/rfis': upTo(25) });
const asked = (path: string) => procore.calls.filter((call) => call.includes(path)).length;

/** Has project 7, and others, filled; the fill of project 7 stands at its second page until it is let go. */
async function startHeldFill(resources: readonly string[], projects = ['7']): Promise<{ release: () => void }> {
  const [isAsked, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  procore.answer = async (path, search) => {
    if (path.includes('/7/') && search.get('page') === '2') {
      isAsked.resolve();
      await release.promise;
    }
    return /\/\d+$/.test(path)
      ? { body: { id: Number(path.split('/').at(-1)), subject: 'whole' } }
      : lists(path, search);
  };
  const scopes = projects.map((projectId) => ({ companyId: '1', projectId, resources }));
  await requestFills(mirror.database, { catalogue: mirror.settings.catalogue, scopes });
  const none = () => {};
  worker = startFillLoop({
    settings: { ...mirror.settings, client, pageSize: 10 },
    ...{ holder: 'worker', resources: null, log: { info: none, warn: none, error: none }, idleMs: 5, leaseMs: 600 },
    canSignIn: async () => true,
  });
  await isAsked.promise;
  // A request that an earlier worker gave up may arrive late and look like this one's.
  const kept = () => query('select from mirror.backfills where project_id = 7 and rows > 0');
  await expect.poll(kept, { timeout: 20_000 }).not.toEqual([]);
  return { release: release.resolve };
}

const untilOver = () =>
  expect
    .poll(async () => (await fills()).every(({ state }) => state !== 'waiting' && state !== 'running'), {
      timeout: 20_000,
    })
    .toBe(true);

describe('while a fill is under way', () => {
  test('news is fetched, and settled', async () => {
    const { release } = await startHeldFill(['RFIs']);
    await mirror.hear('RFIs', [3, 99]);
    await mirror.run('RFIs');
    expect(await mirror.pendingIds()).toEqual(['1', '2', '4', '5', '6', '7', '8', '9', '10']);
    expect(await mirror.rows('rfis', 'id::int, subject')).toContainEqual({
      ...{ id: 99, subject: 'whole', deleted: false, hidden: false },
    });
    release();
    await untilOver();
  });

  test('news of a record that a fill left to be completed goes first', async () => {
    const { release } = await startHeldFill(['RFIs']);
    const due = () => claimBatch(mirror.database, { holder: 'a', leaseMs: 60_000, mostPerCompany: 8, onlyLive: false });
    expect(await due()).toMatchObject({ lane: 'backfill' });
    await query(`update mirror.batches set lease_until = null`);
    await mirror.hear('RFIs', [8]);
    expect(await due()).toMatchObject({ lane: 'live' });
    expect(await query(`select record_id from mirror.pending where lane = 'live'`)).toEqual([{ record_id: '8' }]);
    release();
    await untilOver();
  });

  test('news that waits is put off by no page of it', async () => {
    const { release } = await startHeldFill(['RFIs']);
    await mirror.hear('RFIs', [15]);
    const waits = () =>
      query(`select generation::text, lane, ready_at, (select due_at from mirror.batches b where b.lane = p.lane) as due_at
        from mirror.pending p where record_id = '15'`);
    const before = await waits();
    release();
    await untilOver();
    expect(await waits()).toEqual(before);
    expect(before).toMatchObject([{ lane: 'live' }]);
  });
});

const choice = (projectId: string, isSelected: boolean) => ({
  ...{ projectId, name: null, isActive: isSelected, isSelected, isSeen: true },
});
const note = (...projects: ReturnType<typeof choice>[]) =>
  noteProjects(mirror.database, { companyId: '1', projects, ageMs: 0 });

describe('a project that leaves the selection in the middle of its fill', () => {
  test('is read no further, and begins anew when it comes back; others go on', async () => {
    await note(choice('7', true), choice('8', true));
    const { release } = await startHeldFill(['Locations', 'RFIs'], ['7', '8']);
    await note(choice('7', false), choice('8', true));
    release();
    await untilOver();
    await worker?.close();
    const left = { project: 7, state: 'failed', detail: 'it is not selected any more' };
    const other = { project: 8, state: 'done', detail: null };
    expect(await fills()).toMatchObject([left, left, other, other]);
    expect(asked('/7/rfis')).toBe(0);
    expect(asked('/7/locations')).toBe(2);
    await note(choice('7', true), choice('8', true));
    const resources = [{ resource: 'Locations', position: 1 }];
    expect(await requestNewProjects(mirror.database, { request: 'again', resources })).toBe(1);
  });

  test('is read no further with its company', async () => {
    await note(choice('7', true));
    const { release } = await startHeldFill(['Locations', 'RFIs']);
    await noteCompanies(mirror.database, { holder: 'before', companyIds: ['1'], leaveAfterMs: null });
    await noteCompanies(mirror.database, { holder: 'test', companyIds: ['2'], leaveAfterMs: 0 });
    release();
    await untilOver();
    expect(await fills()).toMatchObject([{ state: 'failed' }, { state: 'failed' }]);
    expect(asked('/7/rfis')).toBe(0);
  });

  test('is filled when somebody asks for it after that', async () => {
    await note(choice('7', false));
    const { release } = await startHeldFill(['Locations']);
    await note(choice('7', false));
    release();
    await untilOver();
    expect(await fills()).toMatchObject([{ state: 'done' }]);
  });

  test('and refuses us, ends with that', async () => {
    const { release } = await startHeldFill(['Locations', 'RFIs']);
    procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
    release();
    await untilOver();
    expect(await fills()).toMatchObject([
      { state: 'failed', detail: expect.stringContaining('403') },
      { state: 'failed', detail: expect.stringContaining('403') },
    ]);
    expect(await mirror.rows('locations')).toHaveLength(20);
  });
});

test('what is forgotten beside its fill leaves nothing behind, and others are filled', async () => {
  await note(choice('7', true), choice('8', true));
  const { release } = await startHeldFill(['RFIs', 'Locations'], ['7', '8']);
  await note(choice('7', false), choice('8', true));
  await query(`update mirror.backfills set state = 'running' where project_id = 7 and resource = 'Locations'`);
  const place = { companyId: '1', projectId: '7' };
  let isLetGo = false;
  const onRemoved = () => {
    if (!isLetGo) release(); // in the middle of it
    isLetGo = true;
  };
  expect(await forgetPlace(mirror.database, place, { signal: AbortSignal.timeout(20_000), onRemoved })).toBe(true);
  expect(isLetGo).toBe(true);
  await untilOver();
  for (const table of ['mirror.backfills', 'mirror.pending', 'mirror.lists', 'procore.rfis', 'procore.locations'])
    expect(await query(`select from ${table} where project_id = 7`), table).toEqual([]);
  expect(await fills()).toMatchObject([
    { project: 8, state: 'done' },
    { project: 8, state: 'done' },
  ]);
});

test('what is forgotten while a worker has it in hand is stored no more', async () => {
  await note(choice('8', true));
  const { release } = await startHeldFill(['Locations'], ['7']);
  const place = { companyId: '1', projectId: '7' };
  const pause = async () => {
    release();
    await worker?.close();
  };
  const options = { signal: AbortSignal.timeout(20_000), pause, onRemoved: () => {} };
  expect(await forgetPlace(mirror.database, place, options)).toBe(true);
  expect(await mirror.rows('locations')).toEqual([]);
  expect(await fills()).toEqual([]);
});
