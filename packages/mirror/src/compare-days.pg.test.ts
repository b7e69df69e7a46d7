// Lists of some days leave nothing out of these days, but what else hides a record nobody knows: what they lack is asked for by itself.
import type { ComparisonTask } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backfillResource } from './backfill-resource.ts';
import { requestVerification } from './request-verification.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';
import { startVerifyLoop } from './verify-loop.ts';

type Log = { id: number; date: string; notes: string };
const DAY_MS = 86_400_000;
const place = { companyId: '1', projectId: '7' };
let procore: ScriptedProcore;
let mirror: TestMirror;
let world: Map<number, Log>;
/** Those that the list leaves out though they are there. */
let hidden: Set<number>;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  hidden = new Set();
  world = new Map([1, 2, 3, 4, 5, 6, 7, 8].map((id) => [id, { id, date: daysAgo(id * 30), notes: `n${id}` }]));
  procore.answer = (path, search) => {
    if (path.endsWith('/me')) return { body: { id: 1 } };
    if (path.endsWith('/tools')) return { body: [] };
    const one = /_logs\/(\d+)$/.exec(path);
    if (one !== null) {
      const found = world.get(Number(one[1]));
      return found === undefined ? { status: 404 } : { body: found };
    }
    const [from = '', to = ''] = [search.get('start_date'), search.get('end_date')].map((day) => day ?? daysAgo(0));
    const body = [...world.values()].filter(({ id, date }) => date >= from && date <= to && !hidden.has(id));
    return { body, headers: { total: String(body.length) } };
  };
});

const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
const query = async (sql: string) => (await mirror.database.pool.query(sql)).rows;

async function fill(resource: string): Promise<void> {
  await backfillResource(
    mirror.settings,
    { ...place, resource },
    { signal: AbortSignal.timeout(30_000), now: new Date() },
  );
}

async function verify(resource: string, repairs = false) {
  const task: ComparisonTask = { rung: 'listing', sample: null, repairs, buriesAll: false };
  const scopes = [{ ...place, resources: [resource] }];
  await requestVerification(mirror.database, { catalogue: mirror.settings.catalogue, scopes, task });
  const worker = startVerifyLoop({
    ...{ settings: mirror.settings, holder: 'worker', log: { info: () => {}, warn: () => {} }, everyMs: 0 },
    ...{ canSignIn: async () => true, idleMs: 5, pausesMs: [0, 0] },
  });
  const open = () => query(`select from mirror.comparisons where state in ('waiting', 'running')`);
  await expect.poll(async () => (await open()).length, { timeout: 30_000, interval: 10 }).toBe(0);
  await worker.close();
  return {
    differences: await query(`select record_id::int as id, kind from mirror.differences where is_sure order by 1`),
    proof: (await query('select outcome, detail from mirror.proofs order by proved_at')).at(-1),
  };
}

async function heal(resource: string): Promise<void> {
  for (let runs = 0; runs < 5 && (await mirror.pendingIds()).length > 0; runs += 1)
    await mirror.run(resource, { ...place, lane: 'repair' });
  expect(await mirror.pendingIds()).toEqual([]);
}

const live = async (table: string) =>
  (await query(`select id::int from procore.${table} where _deleted_at is null and _hidden_at is null order by 1`)).map(
    ({ id }) => id,
  );

test.each([
  ['Manpower Logs', 'manpower_logs', [1]],
  ['Notes Logs', 'notes_logs', [3, 4, 8]],
  ['Weather Logs', 'weather_logs', [1, 2, 3, 4, 5, 6, 7]],
])(
  'of %s those that were deleted are told, stay until repaired, and are hidden then, not buried',
  async (resource, table, gone) => {
    await fill(resource);
    expect(await verify(resource)).toMatchObject({ differences: [], proof: { outcome: 'equal' } });
    for (const id of gone) world.delete(id);
    const told = {
      differences: gone.map((id) => ({ id, kind: 'extra' })),
      proof: { outcome: 'differs', detail: null },
    };
    expect(await verify(resource)).toEqual(told);
    expect(await mirror.pendingIds()).toEqual([]);
    expect(await verify(resource, true)).toEqual(told);
    expect((await mirror.pendingIds()).toSorted()).toEqual(gone.map(String));
    expect(await live(table)).toHaveLength(8);
    await heal(resource);
    expect(await live(table)).toEqual([...world.keys()]);
    expect(await query(`select from procore.${table} where _deleted_at is not null`)).toEqual([]);
    expect(await verify(resource)).toMatchObject({ differences: [], proof: { outcome: 'equal' } });
  },
);

test('of another day is what the list shows there, and what was moved out of all days or left out is not gone', async () => {
  await fill('Notes Logs');
  world.set(1, { id: 1, date: daysAgo(200), notes: 'n1' });
  world.set(2, { id: 2, date: daysAgo(900), notes: 'n2' });
  hidden.add(3);
  world.delete(4);
  const { differences, proof } = await verify('Notes Logs', true);
  expect(differences).toEqual([
    { id: 1, kind: 'changed' },
    { id: 4, kind: 'extra' },
  ]);
  expect(proof).toMatchObject({ outcome: 'differs', detail: 'its list lacks records that are there' });
  await heal('Notes Logs');
  expect(await live('notes_logs')).toEqual([1, 2, 3, 5, 6, 7, 8]);
});

test('more than DELETE_CAP of them are told and left alone', async () => {
  const ids = Array.from({ length: 60 }, (_, index) => index + 1);
  world = new Map(ids.map((id) => [id, { id, date: daysAgo(id), notes: 'n' }]));
  await fill('Notes Logs');
  for (const id of ids.slice(0, 40)) world.delete(id);
  const { differences, proof } = await verify('Notes Logs', true);
  expect(differences).toHaveLength(40);
  expect(proof?.detail).toContain('DELETE_CAP');
  expect(await mirror.pendingIds()).toEqual([]);
});
