// Comparisons that climb: what a simulated Procore says of changes and deletions that no event told.
import { type CataloguedResource, catalogue } from '@procore-mirror/catalogue';
import type { ComparisonTask } from '@procore-mirror/database';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfillResource } from './backfill-resource.ts';
import { orderFills } from './plan/order-fills.ts';
import { requestVerification } from './request-verification.ts';
import { simulateProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';
import { startVerifyLoop } from './verify-loop.ts';

let procore: Awaited<ReturnType<typeof simulateProcore>>;
let mirror: TestMirror;
const companyId = '598134325683880';
let projectId = '';

const control = <T>(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown) =>
  procore.system.control<T>(method, `/control/${path}`, body);
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const scopeOf = ({ scope }: Pick<CataloguedResource, 'scope'>) => (scope === 'project' ? projectId : null);
type Edit = { id?: string; fields?: Record<string, unknown> };
type Action = 'create' | 'update' | 'delete' | 'restore';

/** Behind the mirror's back. Returns the id of the record. */
async function edit(entry: CataloguedResource, action: Action, own: Edit = {}): Promise<string> {
  const place = entry.scope === 'project' ? { companyId, projectId } : { companyId };
  const edits = [{ resource: entry.resource, action, silent: true, ...place, ...own }];
  const { records } = await control<{ records: [{ id: string }] }>('POST', 'edits', { edits });
  return records[0].id;
}

beforeAll(async () => {
  procore = await simulateProcore();
  const [project] = await procore.system.controlLines<{ id: string }>('/control/world?resource=Projects');
  projectId = project?.id ?? '';
  mirror = await startTestMirror(procore, { companyId, projectId });
  const order = orderFills(catalogue);
  const placeOf = (entry: CataloguedResource) => order.get(entry.resource) ?? 0;
  const listed = catalogue.mirrored.filter(({ list }) => list !== null && !list.shared);
  for (const entry of listed.toSorted((a, b) => placeOf(a) - placeOf(b))) await fill(entry);
}, 300_000);
afterAll(async () => {
  await mirror.close();
});
beforeEach(async () => {
  await query('truncate mirror.proofs, mirror.comparisons, mirror.differences');
});
afterEach(async () => {
  await control('PATCH', 'settings', { binsKeepMs: null, binsShowLive: false });
  await control('DELETE', 'faults');
});

async function settle(entry: CataloguedResource): Promise<void> {
  const { resource } = entry;
  const left = async () =>
    (await mirror.database.pool.query('select from mirror.pending where resource = $1', [resource])).rowCount;
  for (let runs = 0; runs < 20 && (await left()) !== 0; runs += 1)
    for (const lane of ['repair', 'backfill'] as const) await mirror.run(resource, { projectId: scopeOf(entry), lane });
  expect(await left(), `pending of ${resource}`).toBe(0);
}

/** Fills it, as a worker notes that it did. */
async function fill(entry: CataloguedResource): Promise<void> {
  const { resource } = entry;
  const key = { companyId, projectId: scopeOf(entry), resource };
  await mirror.database.pool.query(
    `insert into mirror.backfills (company_id, project_id, resource, state) values ($1, $2, $3, 'done')
      on conflict (company_id, project_id, resource) do update set started_at = now()`,
    Object.values(key),
  );
  const options = { signal: AbortSignal.timeout(60_000), now: new Date() };
  await backfillResource(mirror.settings, key, options);
  await settle(entry);
}

const log = { info: () => {}, warn: () => {} };
type Difference = { id: string; kind: string; fields: string[] | null };
type Proof = { rung: string; outcome: string; detail: string | null; extra: number; calls: number };

type Client = TestMirror['settings']['client'];

/** The client, with `before` each call; it may ask for something else. */
function clientWith(before: (search: [string, string][]) => Promise<[string, string][]> | [string, string][]): Client {
  const { client } = mirror.settings;
  const asked = async (given: readonly (readonly [string, string])[] = []) =>
    before(given.map(([name, value]) => [name, value]));
  return {
    ...client,
    get: async (path, options) => client.get(path, { ...options, searchParams: await asked(options.searchParams) }),
    pages: async function* (path, options) {
      yield* client.pages(path, { ...options, searchParams: await asked(options.searchParams) });
    },
  };
}

async function verify(
  entry: CataloguedResource,
  own: Partial<ComparisonTask> = {},
  { client = mirror.settings.client, workers = 1 }: { client?: Client; workers?: number } = {},
): Promise<{ differences: Difference[]; proof: Proof }> {
  const scopes = [{ companyId, projectId: scopeOf(entry), resources: [entry.resource] }];
  const task = { rung: 'bin', sample: null, repairs: false, buriesAll: false, ...own } as const;
  await requestVerification(mirror.database, { catalogue, scopes, task });
  const settings = { ...mirror.settings, client };
  const loops = Array.from({ length: workers }, (_, index) =>
    startVerifyLoop({
      ...{ settings, holder: `worker ${index}`, log, canSignIn: async () => true, idleMs: 5, pausesMs: [0, 0] },
      ...{ everyMs: 0, leaseMs: 60_000 },
    }),
  );
  const isOver = async () =>
    (await query(`select from mirror.comparisons where state in ('waiting', 'running')`)).length === 0;
  await expect.poll(isOver, { timeout: 60_000, interval: 10 }).toBe(true);
  for (const loop of loops) await loop.close();
  const [proof] = await query(`select rung, outcome, detail, extra::int, calls::int from mirror.proofs
    order by proved_at desc limit 1`);
  return {
    differences: await query(
      'select record_id as id, kind, fields from mirror.differences where is_sure order by kind',
    ),
    proof,
  };
}

async function isLive(entry: CataloguedResource, id: string): Promise<boolean | undefined> {
  const { rows } = await mirror.database.pool.query(
    `select _deleted_at is null as live from procore.${entry.table.name} where id = $1`,
    [id],
  );
  return rows[0]?.live;
}

const named = (entries: readonly CataloguedResource[]) => entries.map((entry) => [entry.resource, entry] as const);
const withWindow = named(catalogue.mirrored.filter(({ list }) => list?.filterByUpdate === true));
const withBin = named(catalogue.mirrored.filter(({ bin }) => bin !== null));
const get = (resource: string) => catalogue.get(resource);

test('there are lists that tell what changed, thin ones among them, and bins of every kind', () => {
  expect(withWindow).toHaveLength(37);
  expect(withWindow.filter(([, { list }]) => list?.carries !== 'whole record').length).toBeGreaterThan(5);
  expect(withBin).toHaveLength(21);
});

describe.each(withWindow)('%s', (resource, entry) => {
  test('what was created and updated behind its back is named by the window, and repaired', {
    timeout: 60_000,
  }, async () => {
    // An edit of a person or firm changes others, too.
    await verify(entry, { rung: 'window', repairs: true });
    await settle(entry);
    const { rows } = await mirror.database.pool.query<{ id: string }>(
      `select id::text as id from procore.${entry.table.name} where company_id = $1 and _deleted_at is null order by id limit 1`,
      [companyId],
    );
    const id = rows[0]?.id;
    if (id === undefined) throw new Error(`no ${resource}`);
    await edit(entry, 'update', { id, fields: { odd_field: 'new' } });
    // People who are in every project already cannot be added.
    const added = resource === 'Project Users' ? null : await edit(entry, 'create');
    const { differences, proof } = await verify(entry, { rung: 'window', repairs: true });
    // Of a thin list only the fields count that the row has, too.
    const field = entry.list?.carries === 'whole record' ? 'odd_field' : 'updated_at';
    expect(differences).toEqual([
      { id, kind: 'changed', fields: expect.arrayContaining([field]) },
      ...(added === null ? [] : [{ id: added, kind: 'missing', fields: null }]),
    ]);
    expect(proof).toMatchObject({ rung: 'window', outcome: 'differs' });
    await settle(entry);
    expect(await verify(entry, { rung: 'window' })).toMatchObject({
      ...{ differences: [], proof: { rung: 'window', outcome: 'equal', detail: null } },
    });
    if (added !== null) expect(await isLive(entry, added)).toBe(true);
  });
});

describe.each(withBin)('%s', (_, entry) => {
  test('what is deleted behind its back is named by the bin and buried; not what was restored, nor what a bin shows though it is there', {
    timeout: 60_000,
  }, async () => {
    const [gone, restored] = [await edit(entry, 'create'), await edit(entry, 'create')];
    await fill(entry);
    await control('PATCH', 'settings', { binsShowLive: true });
    expect(await verify(entry, { repairs: true, buriesAll: true })).toMatchObject({
      differences: [],
      proof: { outcome: 'not proved', detail: 'its recycle bin shows records that are there' },
    });
    await control('PATCH', 'settings', { binsShowLive: false });
    expect(await isLive(entry, gone)).toBe(true);
    for (const id of [gone, restored]) await edit(entry, 'delete', { id });
    await edit(entry, 'restore', { id: restored });
    const extra = { id: gone, kind: 'extra', fields: null };
    const first = await verify(entry);
    expect(first.differences.filter(({ kind }) => kind === 'extra')).toEqual([extra]);
    expect(first.proof).toMatchObject({ rung: 'bin', outcome: 'differs', detail: null, extra: 1 });
    expect(await isLive(entry, gone)).toBe(true);
    const healed = await verify(entry, { repairs: true });
    expect(healed.differences.filter(({ kind }) => kind === 'extra')).toEqual([extra]);
    expect([await isLive(entry, gone), await isLive(entry, restored)]).toEqual([false, true]);
    await settle(entry);
    const isProved = entry.list?.filterByUpdate === true;
    expect((await verify(entry)).proof).toMatchObject(
      isProved
        ? { outcome: 'equal', detail: null }
        : { outcome: 'not proved', detail: expect.stringContaining('verify --full') },
    );
    // What was restored has another `updated_at`, if a second has passed.
    await verify(entry, { rung: 'climb', repairs: true });
    await settle(entry);
    expect((await verify(entry, { rung: 'climb' })).proof).toMatchObject({
      ...{ rung: isProved ? 'bin' : 'listing', outcome: 'equal', detail: null },
    });
    await edit(entry, 'restore', { id: gone });
    await mirror.hear(entry.resource, [gone], { project_id: scopeOf(entry) ?? '' });
    await mirror.run(entry.resource, { projectId: scopeOf(entry) });
    expect(await isLive(entry, gone)).toBe(true);
  });
});

test.each<[string, object]>([
  ['answers 500', { status: 500 }],
  ['answers 403', { status: 403 }],
  ['answers 404', { status: 404 }],
  ['makes no sense', { nonsense: true }],
])('a bin that %s is told, buries nothing, and keeps what the window found', async (_, effect) => {
  const entry = get('RFIs');
  const [id, gone] = [await edit(entry, 'create'), await edit(entry, 'create')];
  await fill(entry);
  await edit(entry, 'update', { id, fields: { subject: 'new' } });
  await edit(entry, 'delete', { id: gone });
  await control('POST', 'faults', { kind: 'bin', ...effect });
  const { differences, proof } = await verify(entry, { repairs: true });
  expect(differences).toMatchObject([{ id, kind: 'changed' }]);
  expect(proof).toMatchObject({ rung: 'window', outcome: 'differs', detail: expect.stringContaining('recycle bin') });
  expect(await isLive(entry, gone)).toBe(true);
  await settle(entry);
  await control('DELETE', 'faults');
  await verify(entry, { repairs: true });
  expect(await isLive(entry, gone)).toBe(false);
});

test('where nothing was compared or filled before, a window proves nothing, and says what would', async () => {
  const entry = get('RFIs');
  await query(`delete from mirror.backfills where resource = 'RFIs'`);
  expect(await verify(entry)).toMatchObject({
    ...{ differences: [] },
    proof: { rung: 'count', outcome: 'not proved', detail: 'nothing was compared before: verify --full' },
  });
  expect((await verify(entry, { rung: 'climb' })).proof).toMatchObject({
    rung: 'listing',
    outcome: 'equal',
    detail: null,
  });
  for (const rung of ['bin', 'climb'] as const)
    expect((await verify(entry, { rung })).proof).toMatchObject({ rung: 'bin', outcome: 'equal' });
  await fill(entry);
});

test('what was deleted and is in no bin any more is told by the count, which a window alone does not outvote', async () => {
  const entry = get('RFIs');
  const id = await edit(entry, 'create');
  await fill(entry);
  await edit(entry, 'delete', { id });
  await control('PATCH', 'settings', { binsKeepMs: 0 });
  expect(await verify(entry, { repairs: true })).toMatchObject({
    ...{ differences: [], proof: { rung: 'bin', outcome: 'differs', extra: 0 } },
  });
  expect(await isLive(entry, id)).toBe(true);
  // Who climbs as high as it takes is told which record it is.
  expect(await verify(entry, { rung: 'climb' })).toMatchObject({
    ...{ differences: [{ id, kind: 'extra' }], proof: { rung: 'listing', outcome: 'differs', extra: 1, detail: null } },
  });
  await control('PATCH', 'settings', { binsKeepMs: null });
  await verify(entry, { repairs: true });
  expect(await isLive(entry, id)).toBe(false);
});

test('a record that is new makes up for none that was lost', async () => {
  const entry = get('Locations');
  const gone = await edit(entry, 'create');
  await fill(entry);
  await edit(entry, 'delete', { id: gone });
  const added = await edit(entry, 'create');
  await mirror.hear('Locations', [added]);
  expect(await verify(entry)).toMatchObject({
    differences: [],
    proof: { rung: 'window', outcome: 'not proved', detail: expect.stringContaining('changed while it was counted') },
  });
  expect(await verify(entry, { rung: 'climb' })).toMatchObject({
    ...{ differences: [{ id: gone, kind: 'extra' }], proof: { rung: 'listing', outcome: 'differs' } },
  });
  await mirror.run('Locations');
  expect(await verify(entry)).toMatchObject({ differences: [], proof: { rung: 'window', outcome: 'differs' } });
  expect((await verify(entry, { rung: 'listing', repairs: true })).differences).toMatchObject([
    { id: gone, kind: 'extra' },
  ]);
  expect((await verify(entry)).proof).toMatchObject({ outcome: 'equal' });
});

test('a resource without a window and without a bin is proved by its list, and by nothing less', async () => {
  expect((await verify(get('Departments'))).proof).toMatchObject({
    ...{ rung: 'count', outcome: 'not proved', detail: expect.stringContaining('verify --full') },
  });
  expect((await verify(get('Departments'), { rung: 'climb' })).proof).toMatchObject({
    ...{ rung: 'listing', outcome: 'equal', detail: null, calls: 1 },
  });
});

test('who climbs as high as it takes reads no list because a rung was refused: that is told', async () => {
  await control('POST', 'faults', { kind: 'bin', status: 403 });
  const { proof } = await verify(get('RFIs'), { rung: 'climb' });
  expect(proof).toMatchObject({
    rung: 'window',
    outcome: 'not proved',
    detail: expect.stringContaining('recycle bin'),
  });
});

test('more than the cap is named and stays, unless somebody says yes', async () => {
  const entry = get('RFIs');
  const ids: string[] = [];
  for (let count = 0; count < 21; count += 1) ids.push(await edit(entry, 'create'));
  await fill(entry);
  for (const id of ids) await edit(entry, 'delete', { id });
  const { proof } = await verify(entry, { repairs: true });
  expect(proof).toMatchObject({ extra: 21, detail: expect.stringContaining('DELETE_CAP (20)') });
  expect(await isLive(entry, ids[0] ?? '')).toBe(true);
  await verify(entry, { repairs: true, buriesAll: true });
  expect(await isLive(entry, ids[0] ?? '')).toBe(false);
});

test('a worker that is killed on any rung leaves the comparison to another one, which finds the same', async () => {
  const entry = get('RFIs');
  const [changed, gone] = [await edit(entry, 'create'), await edit(entry, 'create')];
  await fill(entry);
  await edit(entry, 'update', { id: changed, fields: { subject: 'new' } });
  await edit(entry, 'delete', { id: gone });
  const [missing] = [await edit(entry, 'create'), await edit(entry, 'create')];
  const rungs = new Set<unknown>();
  let all = 0;
  for (let kills = 0; kills <= all; kills += 1) {
    let made = 0;
    const client = clientWith(async (search) => {
      made += 1;
      if (kills === 0) all = made;
      if (made === kills) {
        rungs.add((await query(`select place ->> 'rung' as rung from mirror.comparisons`))[0]?.rung);
        await query('update mirror.comparisons set lease_until = now(), lease_holder = null');
      }
      return search;
    });
    const { differences, proof } = await verify(entry, {}, { client, workers: 2 });
    expect(differences.map(({ id, kind }) => [kind, id])).toEqual(
      expect.arrayContaining([
        ['changed', changed],
        ['extra', gone],
        ['missing', missing],
      ]),
    );
    expect(differences).toHaveLength(4);
    expect(proof).toMatchObject({ rung: 'bin', outcome: 'differs', extra: 1, detail: null });
  }
  expect(rungs).toEqual(new Set([null, 'count', 'window', 'bin']));
  await verify(entry, { repairs: true });
  await settle(entry);
});

test('a list that shows nothing when it is asked for what changed proves nothing', async () => {
  const entry = get('RFIs');
  const id = await edit(entry, 'create');
  await fill(entry);
  await query(`update mirror.backfills set started_at = now() - interval '1 hour' where resource = 'RFIs'`);
  const client = clientWith((search) =>
    search.map(([name, value]) => [name, name === 'filters[updated_at]' ? '2001-01-01...2001-01-02' : value]),
  );
  expect(await verify(entry, {}, { client })).toMatchObject({
    ...{ differences: [] },
    proof: { outcome: 'not proved', detail: 'asked for what changed, its list lacks a record that did' },
  });
  // Where it is gone, nothing is to be shown.
  await edit(entry, 'delete', { id });
  const { proof } = await verify(entry, { repairs: true });
  expect(proof).toMatchObject({ outcome: 'differs', detail: null });
});
