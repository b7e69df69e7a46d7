// Comparisons with a Procore that a test scripts: what differs is named, once it was seen twice, and nothing else is.
import type { ComparisonTask } from '@procore-mirror/database';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backfillResource } from './backfill-resource.ts';
import { requestVerification } from './request-verification.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';
import { startVerifyLoop } from './verify-loop.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
type Scripted = Awaited<ReturnType<ScriptedProcore['answer']>>;
type Fields = Record<string, unknown>;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.close();
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const workers: ReturnType<typeof startVerifyLoop>[] = [];
const log = { info: () => {}, warn: () => {} };
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Procore's records, by the end of their list's path. Of those in `thin` the list carries no detail. */
type World = Record<string, Map<number, Fields>>;
const record = (id: number): Fields => ({
  id,
  subject: `subject ${id}`,
  holder: { id: 5, name: 'x' },
  detail: `d${id}`,
});
const worldOf = (...paths: string[]): World =>
  Object.fromEntries(paths.map((path) => [path, new Map(upTo(45).map((id) => [id, record(id)]))]));

function answerOf(
  world: World,
  thin: readonly string[] = ['/rfis'],
): (path: string, search: URLSearchParams) => Scripted {
  return (path, search) => {
    if (path.endsWith('/me')) return { body: { id: 1 } };
    const list = Object.keys(world).find((end) => path.endsWith(end));
    if (list === undefined) {
      const id = Number(/\/(\d+)$/.exec(path)?.[1]);
      const of = Object.keys(world).find((end) => path.includes(end)) ?? '';
      const found = world[of]?.get(id);
      return found === undefined ? { status: 404 } : { body: found };
    }
    const records = [...(world[list]?.values() ?? [])];
    const number = Number(search.get('page') ?? 1);
    const next = `<${path}?page=${number + 1}&per_page=10>; rel="next"`;
    const listed = ({ detail, ...fields }: Fields) => ({ ...fields, only_here: [] });
    return {
      body: records.slice((number - 1) * 10, number * 10).map(thin.includes(list) ? listed : (one) => one),
      headers: { total: String(records.length), ...(number * 10 < records.length && { link: next }) },
    };
  };
}

const task: ComparisonTask = { rung: 'listing', sample: null, repairs: false, buriesAll: false };
const settings = () => ({ ...mirror.settings, pageSize: 10 });
async function fill(resource: string, projectId: string | null = '7'): Promise<void> {
  await backfillResource(
    settings(),
    { companyId: '1', projectId, resource },
    { signal: AbortSignal.timeout(30_000), now: new Date() },
  );
  for (let runs = 0; runs < 5 && (await mirror.pendingIds()).length > 0; runs += 1)
    await mirror.run(resource, { projectId, lane: 'backfill' });
  expect(await mirror.pendingIds()).toEqual([]);
}
const heal = async (resource: string) => {
  for (let runs = 0; runs < 5 && (await mirror.pendingIds()).length > 0; runs += 1)
    await mirror.run(resource, { lane: 'repair' });
};
function work(holder = 'worker', own: Partial<Parameters<typeof startVerifyLoop>[0]> = {}): (typeof workers)[number] {
  const worker = startVerifyLoop({
    ...{ settings: settings(), holder, log, canSignIn: async () => true, idleMs: 5, everyMs: 0, pausesMs: [0, 0] },
    ...own,
  });
  workers.push(worker);
  return worker;
}
const isOver = async () =>
  (await query(`select from mirror.comparisons where state in ('waiting', 'running')`)).length === 0;

/** What a comparison of these says. */
async function verify(resources: readonly string[], own: Partial<ComparisonTask> = {}, projectId: string | null = '7') {
  const scopes = [{ companyId: '1', projectId, resources }];
  await requestVerification(mirror.database, {
    ...{ catalogue: mirror.settings.catalogue, scopes, task: { ...task, ...own } },
  });
  const worker = work();
  await expect.poll(isOver, { timeout: 30_000, interval: 10 }).toBe(true);
  await worker.close();
  return {
    differences: await query(`select resource, record_id::int as id, kind, fields from mirror.differences where is_sure
      order by resource, record_id::int`),
    outcomes: (await query('select outcome from mirror.comparisons order by position')).map(({ outcome }) => outcome),
    proofs:
      await query(`select resource, rung, ours::int, theirs::int, missing::int, changed::int, extra::int, calls::int,
      outcome, detail from mirror.proofs order by proved_at`),
  };
}

test.each([
  ['whole', 'Locations', '/locations'],
  ['thin', 'RFIs', '/rfis'],
])(
  'in a table with a %s list it names exactly what was added, changed and deleted behind its back, and repairs it',
  async (_, resource, path) => {
    const world = worldOf(path);
    procore.answer = answerOf(world);
    await fill(resource);
    procore.calls = [];
    expect(await verify([resource])).toMatchObject({ differences: [], outcomes: ['equal'] });
    expect(procore.calls.filter((call) => !call.includes('/tools'))).toHaveLength(5);
    const own = world[path] ?? new Map();
    for (const id of upTo(10)) own.delete(id);
    for (const id of upTo(10)) own.set(id + 20, { ...record(id + 20), subject: 'another' });
    for (const id of upTo(10)) own.set(id + 100, record(id + 100));
    const named = [
      ...upTo(10).map((id) => ({ resource, id, kind: 'extra', fields: null })),
      ...upTo(10).map((id) => ({ resource, id: id + 20, kind: 'changed', fields: ['subject'] })),
      ...upTo(10).map((id) => ({ resource, id: id + 100, kind: 'missing', fields: null })),
    ];
    const before = await query(`select * from procore.${resource.toLowerCase()} order by id`);
    const { differences, outcomes, proofs } = await verify([resource]);
    expect(differences).toEqual(named);
    expect(outcomes).toEqual(['differs']);
    expect(proofs.at(-1)).toMatchObject({ rung: 'listing', ours: 45, theirs: 45, missing: 10, changed: 10, extra: 10 });
    expect(await query(`select * from procore.${resource.toLowerCase()} order by id`)).toEqual(before);
    expect(await mirror.pendingIds()).toEqual([]);
    expect((await verify([resource], { repairs: true })).differences).toEqual(named);
    expect(await query('select distinct lane from mirror.pending')).toEqual([{ lane: 'repair' }]);
    await heal(resource);
    expect(await verify([resource])).toMatchObject({ differences: [], outcomes: ['equal'] });
    const live = (await mirror.rows(resource.toLowerCase(), 'id::int')).filter(({ deleted }) => !deleted);
    expect(live.map(({ id }) => Number(id))).toEqual([...own.keys()].toSorted((a, b) => a - b));
  },
);

test.each([
  ['changed', (replies: Map<number, Fields>) => replies.set(11, { ...record(11), subject: 'another' })],
  ['added', (replies: Map<number, Fields>) => replies.set(19, record(19))],
  ['deleted', (replies: Map<number, Fields>) => replies.delete(11)],
])('a child that was %s behind its back is repeated by its parent, which is repaired, too', async (_, change) => {
  const replies = (id: number) => new Map([id * 10 + 1, id * 10 + 2].map((reply) => [reply, record(reply)]));
  const world: World = {
    ...Object.fromEntries(upTo(3).map((id) => [`/rfis/${id}/replies`, replies(id)])),
    '/rfis': new Map(upTo(3).map((id) => [id, record(id)])),
  };
  procore.answer = answerOf(world);
  await fill('RFIs');
  await fill('RFI Replies');
  change(world['/rfis/1/replies'] ?? new Map());
  expect(await verify(['RFI Replies'], { repairs: true })).toMatchObject({ outcomes: ['differs'] });
  const waiting = await query(
    `select distinct record_id::int as id, lane from mirror.pending where resource = 'RFIs' order by 1`,
  );
  expect(waiting).toEqual([{ id: 1, lane: 'repair' }]);
});

test('numbers that differ are told for a call or two, and equal ones prove nothing', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  procore.calls = [];
  expect(await verify(['Locations'], { rung: 'count' })).toMatchObject({
    ...{ differences: [], outcomes: ['not proved'] },
    proofs: [{ rung: 'count', ours: 45, theirs: 45, detail: 'equal numbers prove nothing', calls: 1 }],
  });
  world['/locations']?.delete(3);
  const { proofs } = await verify(['Locations'], { rung: 'count' });
  expect(proofs.at(-1)).toMatchObject({ ours: 45, theirs: 44, outcome: 'differs', calls: 2 });
  await mirror.hear('Locations', [3]);
  expect((await verify(['Locations'], { rung: 'count' })).outcomes).toEqual(['not proved']);
});

test('more rows than the cap are told and stay, unless somebody says yes', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  for (const id of upTo(21)) world['/locations']?.delete(id);
  const deleted = async () => (await query('select from procore.locations where _deleted_at is not null')).length;
  const { proofs, differences } = await verify(['Locations'], { repairs: true });
  expect(differences).toHaveLength(21);
  expect(proofs[0]?.detail).toContain('more than DELETE_CAP (20)');
  expect(await deleted()).toBe(0);
  await verify(['Locations'], { repairs: true, buriesAll: true });
  expect(await deleted()).toBe(21);
});

test('children are compared under their parents, those of parents that are missing, too, and one that moved has another place', async () => {
  const ids = (...all: number[]) => new Map(all.map((id) => [id, record(id)]));
  const world: World = { '/1/replies': ids(11, 12), '/2/replies': ids(21), '/rfis': ids(1, 2) };
  procore.answer = answerOf(world, []);
  await fill('RFIs');
  await fill('RFI Replies');
  world['/rfis'] = ids(1, 2, 3);
  world['/3/replies'] = ids(31);
  world['/1/replies'] = ids(11);
  world['/2/replies'] = ids(12);
  const { differences } = await verify(['RFIs', 'RFI Replies']);
  expect(differences).toEqual([
    { resource: 'RFI Replies', id: 12, kind: 'changed', fields: ['rfi_id'] },
    { resource: 'RFI Replies', id: 21, kind: 'extra', fields: null },
    { resource: 'RFI Replies', id: 31, kind: 'missing', fields: null },
    { resource: 'RFIs', id: 3, kind: 'missing', fields: null },
  ]);
});

const idsOf = (...all: number[]) => new Map(all.map((id) => [id, record(id)]));
/** RFIs with replies, of which we lack the last RFI. */
async function fillAllButOne(): Promise<World> {
  const world: World = { '/1/replies': idsOf(11), '/2/replies': idsOf(21), '/rfis': idsOf(1, 2) };
  procore.answer = answerOf(world, []);
  await fill('RFIs');
  await fill('RFI Replies');
  return Object.assign(world, { '/3/replies': idsOf(31, 32), '/rfis': idsOf(1, 2, 3) });
}
const ofReplies = (id: number, kind: string) => ({ resource: 'RFI Replies', id, kind, fields: null });

test.each<ComparisonTask['rung']>(['listing', 'climb'])(
  'children of a parent that we lack are missing, though nobody compares the parents (%s)',
  async (rung) => {
    const world = await fillAllButOne();
    procore.calls = [];
    const lacking = [ofReplies(31, 'missing'), ofReplies(32, 'missing')];
    expect(await verify(['RFI Replies'], { rung })).toMatchObject({ differences: lacking, outcomes: ['differs'] });
    expect(procore.calls.filter((call) => /\/rfis\?/.test(call))).toHaveLength(1);
    world['/rfis']?.delete(3);
    expect(await verify(['RFI Replies'], { rung })).toMatchObject({ differences: [], outcomes: ['equal'] });
  },
);

test('the lists of parents that are compared along with their children are read once', async () => {
  await fillAllButOne();
  procore.calls = [];
  await verify(['RFIs', 'RFI Replies']);
  // Once more because the RFI differs.
  expect(procore.calls.filter((call) => /\/rfis\?/.test(call))).toHaveLength(2);
});

test.each<[string, (answer: Scripted) => Scripted]>([
  ['is refused', () => ({ status: 403 })],
  ['is not found', () => ({ status: 404 })],
  ['is cut off', (answer) => ({ ...total(answer, 3), body: [record(1)] })],
  ['shows nothing any more', (answer) => ({ ...total(answer, 0), body: [] })],
])('where the list of their parents %s children are not proved', async (_, spoil) => {
  const world = await fillAllButOne();
  procore.answer = (path, search) => {
    const answer = answerOf(world, [])(path, search);
    return path.endsWith('/rfis') ? spoil(answer) : answer;
  };
  const { outcomes, proofs } = await verify(['RFI Replies']);
  expect(outcomes).toEqual(['not proved']);
  expect(proofs.at(-1)?.detail).toContain('the list of its parents (RFIs) proves nothing');
});

test('children are looked for under parents whose own parents we lack, whoever is killed meanwhile', async () => {
  const world: World = {
    '/purchase_order_contracts': idsOf(1),
    '/work_order_contracts': new Map(),
    '/contracts/1/rfqs': idsOf(11),
    '/11/quotes': idsOf(111),
  };
  const answer = (path: string, search: URLSearchParams) => {
    const asked = path.endsWith('/rfqs') ? `/contracts/${search.get('contract_id')}/rfqs` : path;
    return answerOf(world, [])(asked, search);
  };
  procore.answer = answer;
  for (const resource of ['Purchase Order Contracts', 'Work Order Contracts', 'RFQs', 'RFQ Quotes'])
    await fill(resource);
  expect(await verify(['RFQ Quotes'])).toMatchObject({ differences: [], outcomes: ['equal'] });
  world['/purchase_order_contracts']?.set(2, record(2));
  world['/contracts/2/rfqs'] = idsOf(21);
  world['/contracts/1/rfqs']?.set(12, record(12));
  Object.assign(world, { '/12/quotes': idsOf(121), '/21/quotes': idsOf(211) });
  for (let kills = 0; kills < 9; kills += 1) {
    let left = kills;
    procore.answer = async (path, search) => {
      left -= 1;
      if (left === 0) await query('update mirror.comparisons set lease_until = now(), lease_holder = null');
      return answer(path, search);
    };
    await requestVerification(mirror.database, {
      ...{ catalogue: mirror.settings.catalogue, task },
      scopes: [{ companyId: '1', projectId: '7', resources: ['RFQ Quotes'] }],
    });
    work('first', { leaseMs: 60_000 });
    work('second', { leaseMs: 60_000 });
    await expect.poll(isOver, { timeout: 30_000, interval: 10 }).toBe(true);
    expect(await query('select record_id::int as id, kind from mirror.differences where is_sure order by 1')).toEqual([
      { id: 121, kind: 'missing' },
      { id: 211, kind: 'missing' },
    ]);
    for (const one of workers.splice(0)) await one.close();
  }
});

describe.each([
  ['to a list that is read before', 21, 2, 1],
  ['to a list that is read later', 11, 1, 2],
])('a child that moves %s', (_, id, from, to) => {
  const move = (world: World) => {
    world[`/${from}/replies`]?.delete(id);
    world[`/${to}/replies`]?.set(id, record(id));
  };
  test.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'before call %i is named as changed, or not yet, and is not taken for gone',
    async (moment) => {
      const world: World = { '/1/replies': idsOf(11, 12), '/2/replies': idsOf(21, 22), '/rfis': idsOf(1, 2) };
      procore.answer = answerOf(world, []);
      await fill('RFIs');
      await fill('RFI Replies');
      let left = moment;
      procore.answer = async (path, search) => {
        left -= 1;
        if (left === 0) move(world);
        return answerOf(world, [])(path, search);
      };
      const changed = [{ resource: 'RFI Replies', id, kind: 'changed', fields: ['rfi_id'] }];
      const { differences } = await verify(['RFI Replies']);
      expect(differences.length === 0 ? changed : differences).toEqual(changed);
      if (left > 0) move(world);
      procore.answer = answerOf(world, []);
      expect((await verify(['RFI Replies'])).differences).toEqual(changed);
    },
  );

  test.each([1, 2, 3, 4])('before call %i makes no difference where its event comes a call later', async (moment) => {
    const world: World = { '/1/replies': idsOf(11, 12), '/2/replies': idsOf(21, 22), '/rfis': idsOf(1, 2) };
    procore.answer = answerOf(world, []);
    await fill('RFIs');
    await fill('RFI Replies');
    let left = moment;
    procore.answer = async (path, search) => {
      left -= 1;
      if (left === 0) move(world);
      if (left === -1) await mirror.hear('RFI Replies', [id]);
      return answerOf(world, [])(path, search);
    };
    expect((await verify(['RFI Replies'])).differences).toEqual([]);
  });
});

const link = (query: string) => `https://storage.procore.com/api/v5/files/us/b/01J/01ABC?companyId=1&${query}`;
test.each<[string, unknown, unknown, number]>([
  ['the signature of a link', link(`sig=${'a'.repeat(64)}`), link(`sig=${'b'.repeat(64)}`), 0],
  ['what we may do', { permissions: { can_edit: true } }, { permissions: { can_edit: false } }, 0],
  ['the query of a link that a person typed', 'https://x.example/?a=1', 'https://x.example/?a=2', 1],
  ['the order of keys', { a: 1, b: 2 }, { b: 2, a: 1 }, 0],
  ['a field within', { a: [{ id: 1, b: 2 }] }, { a: [{ id: 1, b: 3 }] }, 1],
  ['an element', { a: [{ id: 1 }] }, { a: [{ id: 1 }, { id: 2 }] }, 1],
])('only %s differs', async (_, before, after, count) => {
  const world = worldOf('/locations', '/rfis');
  for (const path of Object.keys(world)) world[path]?.set(3, { ...record(3), thing: before });
  procore.answer = answerOf(world);
  await fill('Locations');
  await fill('RFIs');
  for (const path of Object.keys(world)) world[path]?.set(3, { ...record(3), thing: after });
  procore.calls = [];
  const { differences } = await verify(['Locations', 'RFIs']);
  expect(differences).toEqual(
    ['Locations', 'RFIs']
      .slice(0, 2 * count)
      .map((resource) => ({ resource, id: 3, kind: 'changed', fields: ['thing'] })),
  );
  expect(procore.calls.filter((call) => !call.includes('/tools'))).toHaveLength(count === 0 ? 10 : 20);
});

test.each([true, false])('a list that shows nothing any more buries nothing, with a Total: %s', async (isCounted) => {
  const world = { '/locations': new Map(upTo(5).map((id) => [id, record(id)])) };
  procore.answer = answerOf(world);
  await fill('Locations');
  world['/locations'].clear();
  const empty = answerOf(world);
  procore.answer = async (path, search) => {
    const answer = await empty(path, search);
    return isCounted ? answer : { ...answer, headers: {} };
  };
  const { differences, proofs } = await verify(['Locations'], { repairs: true, buriesAll: true });
  expect(differences).toEqual([]);
  expect(proofs.at(-1)).toMatchObject({ outcome: 'not proved', detail: expect.stringContaining('shows nothing') });
  expect(await query('select from procore.locations where _deleted_at is null')).toHaveLength(5);
});

test('a record that a list shows on two pages differs once', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  const changed = { ...record(3), subject: 'another' };
  const shown = answerOf(world);
  procore.answer = async (path, search) => {
    const answer = await shown(path, search);
    return path.endsWith('/locations') && Array.isArray(answer.body)
      ? { ...answer, body: [changed, ...answer.body.slice(1)] }
      : answer;
  };
  const { differences } = await verify(['Locations']);
  expect(differences).toContainEqual({ resource: 'Locations', id: 3, kind: 'changed', fields: ['subject'] });
});

const isPage = (search: URLSearchParams, number: number) => search.get('page') === String(number);
const total = (answer: Scripted, count: number) => ({
  ...answer,
  headers: { ...answer.headers, total: String(count) },
});
test.each<[string, (answer: Scripted, search: URLSearchParams) => Scripted]>([
  ['is cut in half', ({ body }) => ({ body, headers: { total: '45' } })],
  ['shifts while it is read', (answer, search) => total(answer, 40 + Number(search.get('page') ?? 1))],
  ['answers 500 in the middle', (answer, search) => (isPage(search, 3) ? { status: 500 } : answer)],
  ['answers 403', () => ({ status: 403 })],
  ['answers 404', () => ({ status: 404 })],
  ['is malformed', () => ({ body: { message: 'x' } })],
])('a list that %s proves nothing, and nothing is buried', async (_, spoil) => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  for (const id of upTo(3)) world['/locations']?.delete(id);
  procore.answer = (path, search) => {
    const answer = answerOf(world)(path, search);
    return path.endsWith('/locations') ? spoil(answer, search) : answer;
  };
  for (let times = 0; times < 2; times += 1) {
    const { differences, outcomes, proofs } = await verify(['Locations'], { repairs: true, buriesAll: true });
    expect({ differences, outcomes }).toEqual({ differences: [], outcomes: ['not proved'] });
    expect(proofs.at(-1)?.detail).toMatch(/./);
  }
  expect(await query('select from procore.locations where _deleted_at is not null')).toEqual([]);
});

/** Its Total counts so many records beyond what it shows. */
const hiding = (world: World, hidden: number) => (path: string, search: URLSearchParams) => {
  const answer = answerOf(world)(path, search);
  return path.endsWith('/locations') ? total(answer, (world['/locations']?.size ?? 0) + hidden) : answer;
};

test.each([
  ['more', 2, 3],
  ['fewer', 2, 1],
  ['some, where none were', 0, 2],
  ['none, where some were', 2, 0],
])('a Total that counts %s of what we may not see than before makes no difference for ever', async (_, before, now) => {
  const world = worldOf('/locations');
  procore.answer = hiding(world, before);
  await fill('Locations');
  await fill('Locations');
  expect((await verify(['Locations'])).outcomes).toEqual(['equal']);
  procore.answer = hiding(world, now);
  expect(await verify(['Locations'])).toMatchObject({ differences: [], outcomes: ['equal'] });
  expect((await verify(['Locations'], { rung: 'count' })).proofs.at(-1)).toMatchObject({
    ...{ outcome: 'not proved', ours: 45, theirs: 45, calls: 1 },
  });
  world['/locations']?.delete(3);
  expect((await verify(['Locations'])).differences).toMatchObject([{ id: 3, kind: 'extra' }]);
});

test('a Total that counts a row of ours which the list does not show proves nothing, however often', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  world['/locations']?.delete(3);
  procore.answer = hiding(world, 1);
  for (let times = 0; times < 3; times += 1)
    expect(await verify(['Locations'])).toMatchObject({ differences: [], outcomes: ['not proved'] });
  expect((await verify(['Locations'])).proofs.at(-1)?.detail).toContain('counts 1 records more than came');
});

test('what waits for its fetch, and what was fetched while the list was read, is no difference', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  for (const id of [1, 2]) world['/locations']?.set(id, { ...record(id), subject: 'new' });
  world['/locations']?.delete(45);
  await mirror.hear('Locations', [1, 45, 99]);
  world['/locations']?.set(99, record(99));
  let asked = 0;
  procore.answer = async (path, search) => {
    asked += 1;
    const answer = answerOf(world)(path, search);
    if (asked === 3)
      await query(`update procore.locations set _version = nextval('mirror.fetch_version') where id = 2`);
    return answer;
  };
  // Where calls stand at the tools, too.
  expect((await verify(['Locations'])).differences.filter(({ id }) => id !== 2)).toEqual([]);
});

test('a worker that is killed anywhere leaves a comparison to another one, which finds the same', async () => {
  const ids = (...all: number[]) => new Map(all.map((id) => [id, record(id)]));
  const world: World = {
    '/1/replies': ids(...upTo(25)),
    '/2/replies': ids(31, 32),
    '/3/replies': ids(41),
    '/rfis': ids(1, 2, 3),
  };
  procore.answer = answerOf(world, []);
  await fill('RFIs');
  await fill('RFI Replies');
  world['/1/replies']?.delete(25);
  world['/2/replies']?.set(31, { ...record(31), subject: 'new' });
  world['/3/replies']?.set(42, record(42));
  for (let kills = 1; kills < 8; kills += 1) {
    let left = kills;
    procore.answer = async (path, search) => {
      left -= 1;
      if (left === 0) await query('update mirror.comparisons set lease_until = now(), lease_holder = null');
      return answerOf(world, [])(path, search);
    };
    await requestVerification(mirror.database, {
      ...{ catalogue: mirror.settings.catalogue, task },
      scopes: [{ companyId: '1', projectId: '7', resources: ['RFI Replies'] }],
    });
    work('first', { leaseMs: 60_000 });
    work('second', { leaseMs: 60_000 });
    await expect.poll(isOver, { timeout: 30_000, interval: 10 }).toBe(true);
    expect(
      await query('select record_id::int as id, kind from mirror.differences where is_sure order by record_id::int'),
    ).toEqual([
      { id: 25, kind: 'extra' },
      { id: 31, kind: 'changed' },
      { id: 42, kind: 'missing' },
    ]);
    for (const one of workers.splice(0)) await one.close();
  }
});

test('a company that refuses everything, who we are too, is parked by the first list, and costs nothing more', async () => {
  const world = worldOf('/locations', '/rfis', '/submittals');
  procore.answer = answerOf(world);
  for (const resource of ['Locations', 'RFIs', 'Submittals']) await fill(resource);
  procore.answer = () => ({ status: 403 });
  procore.calls = [];
  const { outcomes } = await verify(['Locations', 'RFIs', 'Submittals']);
  expect(outcomes).toEqual(['not proved', 'not proved', 'not proved']);
  expect(await query('select company_id::int as id, project_id, reason from mirror.scopes')).toEqual([
    { id: 1, project_id: null, reason: 'not_connected' },
  ]);
  // Its list, who we are, what else is there; and the tools of the project.
  expect(procore.calls.length).toBeLessThanOrEqual(10);
});

test('a list that refuses where the company is well parks nothing', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  const well = answerOf(world);
  procore.answer = (path, search) => (path.endsWith('/locations') ? { status: 403 } : well(path, search));
  expect((await verify(['Locations'])).outcomes).toEqual(['not proved']);
  expect(await query('select from mirror.scopes')).toEqual([]);
});

/** The client makes so many calls of one that fails. */
const CALLS_OF_A_TRY = 6;
test.each<[string, (id: number) => boolean, number]>([
  ['all, of which ten are asked', () => true, CALLS_OF_A_TRY * (3 * 3 + 7)],
  ['every second one', (id: number) => id % 2 === 1, CALLS_OF_A_TRY * (3 * 3 + 17) + 20],
])('lists of parents that fail are tried three times only at first: %s', async (_, fails, most) => {
  const one = (id: number) => new Map([[id, record(id)]]);
  const ids = upTo(40);
  const world: World = Object.fromEntries(ids.map((id) => [`/rfis/${id}/replies`, one(id + 100)]));
  world['/rfis'] = new Map(ids.map((id) => [id, record(id)]));
  const well = answerOf(world, []);
  procore.answer = well;
  await fill('RFIs');
  await fill('RFI Replies');
  const repliesOf = (path: string) => Number(/\/rfis\/(\d+)\/replies$/.exec(path)?.[1] ?? 0);
  procore.answer = (path, search) =>
    fails(repliesOf(path)) && repliesOf(path) > 0 ? { status: 500 } : well(path, search);
  procore.calls = [];
  const { outcomes, proofs } = await verify(['RFI Replies']);
  expect(outcomes).toEqual(['not proved']);
  expect(proofs.at(-1)?.detail).toMatch(/500/);
  expect(procore.calls.filter((call) => call.includes('/replies')).length).toBeLessThanOrEqual(most);
});

const MINUTE_MS = 60_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
/** A worker that waits for late events, for a moment. */
async function verifyPatiently(rung: 'listing' | 'count', onWait: () => Promise<unknown>) {
  await requestVerification(mirror.database, {
    ...{ catalogue: mirror.settings.catalogue, task: { ...task, rung } },
    scopes: [{ companyId: '1', projectId: '7', resources: ['Locations'] }],
  });
  const worker = work('patient', { settings: { ...settings(), lateEventsMs: 500 } });
  const isWaiting = async () =>
    (await query(`select from mirror.comparisons where detail like '%had time to come%'`)).length;
  await expect
    .poll(async () => (await isOver()) || (await isWaiting()) === 1, { timeout: 30_000, interval: 5 })
    .toBe(true);
  await onWait();
  await expect.poll(isOver, { timeout: 30_000, interval: 10 }).toBe(true);
  await worker.close();
  const [found] = await query('select outcome, calls::int from mirror.comparisons');
  return {
    ...found,
    ids: (await query('select record_id::int as id from mirror.differences where is_sure order by 1')).map(
      ({ id }) => id,
    ),
  };
}
/** One that is new, one that changed and one that is gone, and what events tell of them. */
async function editLately(updatedAt: string): Promise<number[]> {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  const own = world['/locations'];
  own?.set(1, { ...record(1), subject: 'new', updated_at: updatedAt });
  own?.set(99, { ...record(99), updated_at: updatedAt });
  own?.delete(45);
  return [1, 45, 99];
}

test('what events tell of only after the second look is no difference', async () => {
  const late = await editLately(ago(0));
  expect(await verifyPatiently('listing', () => mirror.hear('Locations', late))).toMatchObject({ ids: [] });
});

test('what no event tells of is a difference when events have had time to come, and at once where it happened long ago', async () => {
  await editLately(ago(0));
  expect(await verifyPatiently('listing', async () => {})).toMatchObject({ outcome: 'differs', ids: [1, 45, 99] });
  await mirror.clear();
  await editLately(ago(60 * MINUTE_MS));
  const own = await verifyPatiently('listing', async () => {
    expect(await query('select record_id::int as id from mirror.differences where is_sure order by 1')).toEqual([
      { id: 1 },
      { id: 99 },
    ]);
  });
  expect(own).toMatchObject({ outcome: 'differs', ids: [1, 45, 99] });
});

test('numbers differ only when events have had time to come', async () => {
  const world = worldOf('/locations');
  procore.answer = answerOf(world);
  await fill('Locations');
  world['/locations']?.delete(45);
  expect(await verifyPatiently('count', () => mirror.hear('Locations', [45]))).toMatchObject({ outcome: 'not proved' });
  await query('delete from mirror.pending');
  expect(await verifyPatiently('count', async () => {})).toMatchObject({ outcome: 'differs' });
});

test('while our own queue is behind nothing is called a difference, for a while', async () => {
  const late = await editLately(ago(0));
  await query(`delete from mirror.receivers`);
  await query(`insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
    values ('r', 'h', 1, 'v', now() - interval '1 hour', now() - interval '1 minute', '{}')`);
  const found = await verifyPatiently('listing', async () => {
    const times = async () =>
      (await query(`select (place -> 'waits' ->> 'times')::int as times from mirror.comparisons`))[0]?.times;
    await expect.poll(times, { timeout: 30_000, interval: 10 }).toBe(3);
    await mirror.hear('Locations', late);
    await query('update mirror.receivers set reported_at = now()');
  });
  expect(found).toMatchObject({ ids: [] });
  await query('delete from mirror.pending');
  await query(`update mirror.receivers set reported_at = now() - interval '1 minute'`);
  expect(await verifyPatiently('listing', async () => {})).toMatchObject({ outcome: 'differs', ids: [1, 45, 99] });
  await query(`delete from mirror.receivers`);
});

test('children are compared when it is sure which parents are missing', async () => {
  const ids = (...all: number[]) => new Map(all.map((id) => [id, record(id)]));
  const world: World = { '/1/replies': ids(11), '/rfis': ids(1) };
  procore.answer = answerOf(world, []);
  await fill('RFIs');
  await fill('RFI Replies');
  world['/rfis'] = ids(1, 3);
  world['/3/replies'] = ids(31);
  await requestVerification(mirror.database, {
    ...{ catalogue: mirror.settings.catalogue, task },
    scopes: [{ companyId: '1', projectId: '7', resources: ['RFIs', 'RFI Replies'] }],
  });
  work('patient', { settings: { ...settings(), lateEventsMs: 500 } });
  await expect.poll(isOver, { timeout: 30_000, interval: 10 }).toBe(true);
  expect(
    await query('select resource, record_id::int as id, kind from mirror.differences where is_sure order by 2'),
  ).toEqual([
    { resource: 'RFIs', id: 3, kind: 'missing' },
    { resource: 'RFI Replies', id: 31, kind: 'missing' },
  ]);
});
