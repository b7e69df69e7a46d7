// Samples, with a Procore that a test scripts: records chosen at random are compared with their shows.
import type { ComparisonTask } from '@procore-mirror/database';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requestSample } from './request-verification.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';
import { startVerifyLoop } from './verify-loop.ts';

type Fields = Record<string, unknown>;
const patience = { timeout: 30_000, interval: 10 };
let procore: ScriptedProcore;
let mirror: TestMirror;
const workers: ReturnType<typeof startVerifyLoop>[] = [];
/** What Procore shows of RFIs and submittals, by the end of the path. */
let world: Map<string, Fields>;

const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const shows = () => procore.calls.filter((call) => /\/(rfis|submittals)\/\d+/.test(call));
const answerOf = (path: string) => {
  if (path.endsWith('/tools')) return { body: [] };
  if (path.endsWith('/me')) return { body: { id: 1 } };
  const found = world.get(path.split('/').slice(-2).join('/'));
  return found === undefined ? { status: 404 } : { body: found };
};

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
  procore.answer = answerOf;
  world = new Map();
  await fill('rfis', 20);
  await fill('submittals', 5);
});

/** So many records, equal in Procore and in the mirror. */
async function fill(table: string, count: number): Promise<void> {
  for (const id of upTo(count)) world.set(`${table}/${id}`, { id, subject: `subject ${id}`, title: `title ${id}` });
  await query(`insert into procore.${table} (company_id, project_id, id, _data, _version, _complete, _fetched_at)
    select 1, 7, n, jsonb_build_object('id', n, 'subject', 'subject ' || n, 'title', 'title ' || n), nextval('mirror.fetch_version'), true, now()
    from generate_series(1, ${count}) n`);
}

function work(own: Partial<Parameters<typeof startVerifyLoop>[0]> = {}): (typeof workers)[number] {
  const log = { info: () => {}, warn: () => {} };
  const common = {
    settings: mirror.settings,
    holder: 'worker',
    log,
    canSignIn: async () => true,
    everyMs: 0,
    idleMs: 5,
    pausesMs: [0, 0],
  };
  const worker = startVerifyLoop({ ...common, ...own });
  workers.push(worker);
  return worker;
}

const ask = (size: number, own: Partial<Omit<ComparisonTask, 'sample'>> = {}) =>
  requestSample(mirror.database, {
    ...{ catalogue: mirror.settings.catalogue, random: Math.random },
    scopes: [{ companyId: '1', projectId: '7', resources: ['RFIs', 'Submittals', 'Locations'] }],
    task: { rung: 'sample', repairs: false, buriesAll: false, ...own, sample: size },
  });
const isOver = async () =>
  (await query(`select from mirror.comparisons where state in ('waiting', 'running')`)).length === 0;

/** What a sample of this size shows. */
async function sample(size: number, own: Partial<Omit<ComparisonTask, 'sample'>> = {}) {
  await ask(size, own);
  const worker = work();
  await expect.poll(isOver, patience).toBe(true);
  await worker.close();
  const proofs = await query(
    `select resource, ours::int, theirs::int, outcome, detail from mirror.proofs where rung = 'sample' order by as_of desc limit 2`,
  );
  return {
    proofs: proofs.toSorted((a, b) => a.resource.localeCompare(b.resource)),
    compared: proofs.reduce((sum, { ours }) => sum + ours, 0),
    differences: await query(
      'select resource, record_id::int as id, kind, fields from mirror.differences where is_sure order by 1, 2',
    ),
  };
}

test('a sample of an equal mirror takes a show of each record, and is equal', async () => {
  expect(await sample(10)).toMatchObject({ compared: 10, differences: [] });
  expect(shows()).toHaveLength(10);
  expect(new Set(shows()).size).toBe(10);
  await query('truncate mirror.comparisons, mirror.proofs');
  expect(await sample(1000)).toMatchObject({
    proofs: [
      { resource: 'RFIs', ours: 20, theirs: 20, outcome: 'equal' },
      { resource: 'Submittals', ours: 5, theirs: 5, outcome: 'equal' },
    ],
    differences: [],
  });
});

test('a sample as large as the mirror names what changed and what is gone, and with repair has it fetched; nothing is buried', async () => {
  world.set('rfis/3', { id: 3, subject: 'another', title: 'title 3' });
  world.set('submittals/2', { ...world.get('submittals/2'), permissions: { can_edit: true } });
  world.delete('rfis/7');
  const named = [
    { resource: 'RFIs', id: 3, kind: 'changed', fields: ['subject'] },
    { resource: 'RFIs', id: 7, kind: 'extra', fields: null },
  ];
  const { differences, proofs } = await sample(25);
  expect(differences).toEqual(named);
  expect(proofs).toMatchObject([
    { ours: 20, theirs: 19, outcome: 'differs' },
    { ours: 5, outcome: 'equal' },
  ]);
  expect(await mirror.pendingIds()).toEqual([]);
  expect((await sample(25, { repairs: true })).differences).toEqual(named);
  expect(await query('select record_id, lane from mirror.pending order by record_id')).toEqual([
    { record_id: '3', lane: 'repair' },
    { record_id: '7', lane: 'repair' },
  ]);
  expect(await query('select from procore.rfis where _deleted_at is not null or _hidden_at is not null')).toEqual([]);
});

describe.each([
  ['Locations, whose list is said to carry whole records', 'locations', true],
  ['RFIs, of which a list that carries part was stored', 'rfis', false],
])('of %s', (_, table, isComplete) => {
  test.each<[string, Fields, Fields, string[]]>([
    ['a field that only the show has', {}, { permits: 1 }, []],
    ['one within', { of: { id: 1 } }, { of: { id: 1, name: 'x' } }, []],
    ['one within an element', { all: [{ id: 1 }] }, { all: [{ id: 1, name: 'x' }] }, []],
    ['one that only the list has', { listed: 1 }, {}, []],
    ['a field that both have', { note: 'a' }, { note: 'b', permits: 1 }, ['note']],
    ['one within that both have', { of: { id: 1, a: 1 } }, { of: { id: 1, a: 2, b: 3 } }, ['of']],
    ['an element', { all: [{ id: 1 }] }, { all: [{ id: 1, name: 'x' }, { id: 2 }] }, ['all']],
    ['what became null', { note: 'a' }, { note: null }, ['note']],
  ])('%s differs only where both have it', async (_, listed, shown, fields) => {
    await query('truncate procore.rfis, procore.submittals');
    await fill(table, 3);
    for (const id of upTo(3)) Object.assign(world.get(`${table}/${id}`) ?? {}, shown);
    await mirror.database.pool.query(`update procore.${table} set _data = _data || $1::jsonb, _complete = $2`, [
      JSON.stringify(listed),
      isComplete,
    ]);
    const { differences, compared } = await sample(100);
    expect(compared).toBe(3);
    expect(differences.map((one) => one.fields)).toEqual(fields.length === 0 ? [] : [fields, fields, fields]);
  });
});

test('what is hidden, deleted or waits for its fetch is not chosen, and what comes meanwhile is no difference', async () => {
  await query('update procore.rfis set _hidden_at = now() where id <= 5');
  await query('update procore.rfis set _deleted_at = now() where id between 6 and 10');
  await mirror.hear('RFIs', [11, 12]);
  for (const id of upTo(12)) world.delete(`rfis/${id}`);
  for (const id of [13, 14, 15]) world.set(`rfis/${id}`, { id, subject: 'new' });
  world.delete('rfis/16');
  procore.answer = async (path) => {
    // An event tells of it, a fetch brings it, before the second look.
    if (path.endsWith('/rfis/13')) await mirror.hear('RFIs', [13]);
    if (path.endsWith('/rfis/14'))
      await query(`update procore.rfis set _data = '{"id":14,"subject":"new"}', _hash = null where id = 14`);
    if (path.endsWith('/rfis/16')) await mirror.hear('RFIs', [16]);
    return answerOf(path);
  };
  const { differences } = await sample(100);
  expect(differences).toEqual([{ resource: 'RFIs', id: 15, kind: 'changed', fields: ['subject', 'title'] }]);
  expect(shows().some((call) => /rfis\/([1-9]|1[0-2])$/.test(call))).toBe(false);
});

test.each([
  ['is not found', 404],
  ['is refused', 403],
])('where all that is asked for %s nothing is told to be gone, and nothing is proved', async (_, status) => {
  procore.answer = (path) => (path.endsWith('/tools') ? { body: [] } : { status });
  const { differences, proofs } = await sample(100);
  expect(differences).toEqual([]);
  expect(proofs.map(({ outcome }) => outcome)).toEqual(['not proved', 'not proved']);
  expect(proofs.every(({ detail }) => detail !== null)).toBe(true);
  expect(shows().length).toBeLessThanOrEqual(status === 403 ? 15 : 50);
});

test('a worker that is killed leaves the same records to another one, and who asks again joins', async () => {
  world.set('rfis/3', { id: 3, subject: 'another' });
  let left = 12;
  procore.answer = async (path) => {
    left -= 1;
    if (left === 0) await query('update mirror.comparisons set lease_until = now(), lease_holder = null');
    return answerOf(path);
  };
  const requests = await ask(25);
  expect(await ask(25)).toEqual(requests);
  expect(await ask(24)).not.toEqual(requests);
  await query('truncate mirror.comparisons');
  await ask(25);
  work({ leaseMs: 60_000 });
  work({ leaseMs: 60_000, holder: 'second' });
  await expect.poll(isOver, patience).toBe(true);
  expect(await query('select record_id::int as id, kind from mirror.differences where is_sure')).toEqual([
    { id: 3, kind: 'changed' },
  ]);
  expect(shows().length).toBeLessThanOrEqual(25 + 1 + 1);
});
