import { takeDuty } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { isOldSecretGone, rotateSecret } from './rotate-secret.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;
/** What each hook shows of its secret, by scope; null: it sends none; undefined: it is not shown. */
let tails: Record<string, string | null | undefined>;
/** What a PATCH leaves; null: what was asked for. */
let afterPatch: string | undefined;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());

const value = 'Bearer the-new-value';
const old = 'Bearer the-one-of-before';
const hook = (scope: string) => ({
  ...{ id: `${scope}0`, status: 'active', namespace: 'procore-mirror', payload_version: 'v4.0' },
  ...{
    destination_url: 'https://mirror.example.com/',
    destination_headers: tails[scope] === undefined ? undefined : { Authorization: `*****${tails[scope]}` },
  },
});
beforeEach(async () => {
  await mirror.database.pool.query('delete from mirror.hooks');
  procore.calls.splice(0);
  afterPatch = undefined;
  procore.answer = (path) => {
    const scope = /projects\/(\d+)/.exec(path)?.[1] ?? '1';
    if (scope === '9') return { status: 403 };
    if (/hooks$/.test(path)) return { body: { data: [hook(scope)] } };
    if (tails[scope] !== undefined) tails[scope] = afterPatch ?? value.slice(-5);
    return { body: { data: hook(scope) } };
  };
});

const rotate = (places: (string | null)[], accepted = [value, old]) =>
  rotateSecret({
    ...{ client: mirror.settings.client, database: mirror.database, namespace: 'procore-mirror', onPlace: () => {} },
    places: places.map((projectId) => ({ companyId: '1', projectId })),
    secret: { value, key: 'key-of-new', accepted },
    ...{ signal: AbortSignal.timeout(20_000), pausesMs: [] },
  });
const outcomes = async (rotated: ReturnType<typeof rotate>) => (await rotated).map(({ outcome }) => outcome);

test('hooks that carry another value get the new one, hook by hook; a second time nothing is written', async () => {
  tails = { 1: old.slice(-5), 7: value.slice(-5), 8: null };
  expect(await outcomes(rotate([null, '7', '8']))).toEqual(['changed', 'as it should be', 'changed']);
  procore.calls.splice(0);
  expect(await outcomes(rotate([null, '7', '8']))).toEqual(['as it should be', 'as it should be', 'as it should be']);
  expect(procore.calls).toHaveLength(3);
});

test('nobody else works at a hook between its change and the note of it, known before or not', async () => {
  tails = { 1: old.slice(-5) };
  const answer = procore.answer;
  const taken: boolean[] = [];
  procore.answer = async (...asked) => {
    taken.push(await takeDuty(mirror.database, 'the hook of 1/', { holder: 'a worker', leaseMs: 60_000 }));
    return answer(...asked);
  };
  expect(await outcomes(rotate([null]))).toEqual(['changed']);
  expect(taken).toEqual([false, false]);
  const { rows } = await mirror.database.pool.query('select hook_id, secret_key from mirror.hooks');
  expect(rows).toEqual([{ hook_id: '10', secret_key: 'key-of-new' }]);
  await mirror.database.pool.query('delete from mirror.duties');
  await takeDuty(mirror.database, 'the hook of 1/', { holder: 'a worker', leaseMs: 500 });
  expect(await outcomes(rotate([null]))).toEqual(['as it should be']);
});

test('where Procore takes the call and changes nothing, and where it refuses, that is told', async () => {
  tails = { 1: old.slice(-5) };
  afterPatch = old.slice(-5);
  expect(await rotate(['9', null])).toMatchObject([
    { projectId: '9', hookId: null, outcome: 'failed', detail: expect.stringContaining('403') },
    { projectId: null, hookId: '10', outcome: 'unchanged' },
  ]);
});

test('where Procore shows nothing of the secret it counts what the hook was given', async () => {
  tails = { 1: undefined };
  expect(await outcomes(rotate([null]))).toEqual(['changed']);
  expect(await outcomes(rotate([null]))).toEqual(['as it should be']);
  await mirror.database.pool.query(`update mirror.hooks set secret_key = 'key-of-old'`);
  expect(await outcomes(rotate([null]))).toEqual(['changed']);
});

test('of values that end alike it counts what the hook was given', async () => {
  tails = { 1: value.slice(-5) };
  const alike = [value, 'Bearer another-value'];
  await mirror.database.pool.query(
    `insert into mirror.hooks (company_id, payload_version, hook_id, secret_key) values (1, 'v4.0', '10', 'key-of-old')`,
  );
  expect(await outcomes(rotate([null], alike))).toEqual(['changed']);
  expect(await outcomes(rotate([null], alike))).toEqual(['as it should be']);
});

test.each<[string, boolean | null, { status: number } | object[]]>([
  ['nothing is left', true, []],
  ['what is left happened later', true, [{ status: 'enqueued', at: '2026-06-01T12:01:00Z' }]],
  ['something happened before', false, [{ status: 'enqueued', at: '2026-06-01T11:59:00Z' }]],
  ['it is not known when it happened', false, [{ status: 'enqueued' }]],
  ['it was delivered', true, [{ status: 'delivered', at: '2026-06-01T11:59:00Z' }]],
  ['the log cannot be asked', null, { status: 404 }],
  ['a log without filters is too long to tell', null, Array(1001).fill({ status: 'delivered' })],
  [
    'of a log too long to tell something that happened later is seen',
    null,
    [{ status: 'enqueued', at: '2026-06-01T12:01:00Z' }, ...Array(1000).fill({ status: 'delivered' })],
  ],
])('where %s, the old value is gone: %s', async (_, gone, log) => {
  procore.answer = (_path, query) => {
    if (!Array.isArray(log)) return log as { status: number };
    if (query.get('filter[status]') === 'retrying') return { body: { data: [] } };
    const body = (at?: string) => ({
      id: 'E',
      resource_type: 'RFIs',
      resource_id: '1',
      reason: 'update',
      timestamp: at,
    });
    const data = (log as { status: string; at?: string }[]).map(({ status, at }, id) => ({
      ...{ id: String(id), status },
      payload: { ...body(at), company_id: '1' },
    }));
    return { body: { data } };
  };
  const hooks = [
    { companyId: '1', projectId: null, hookId: '10', outcome: 'changed' as const, detail: null, isUnreached: false },
  ];
  const changedAt = new Date('2026-06-01T12:00:00Z');
  const how = { client: mirror.settings.client, signal: AbortSignal.timeout(20_000), pausesMs: [] };
  expect(await isOldSecretGone({ ...how, hooks, changedAt, asOf: changedAt })).toBe(gone);
});
