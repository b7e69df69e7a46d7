import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '@procore-mirror/catalogue';
import { type ProcoreClient, ProcoreTokenError, ProcoreUnreachableError } from '@procore-mirror/procore';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type HookLoopOptions, startHookLoop } from './hook-loop.ts';
import type { ScopeHooks } from './look-at-hooks.ts';
import { type SimulatedHooks, simulateHooks } from './testing/simulate-hooks.ts';
import { openMigratedDatabase } from './testing/test-mirror.ts';

const companyId = '598134325683880';
const authorization = 'Bearer of-the-test-only';
const hourMs = 3_600_000;
const patience = { timeout: 20_000, interval: 50 };
let simulated: SimulatedHooks;
let client: ProcoreClient;
let mirror: Awaited<ReturnType<typeof openMigratedDatabase>>;
const loops: ReturnType<typeof startHookLoop>[] = [];
let looks: ScopeHooks[] = [];

const control: SimulatedHooks['control'] = (...call) => simulated.control(...call);
const hooks = () => simulated.hooks();
const projectsWithHook = async () => (await hooks()).flatMap(({ projectId }) => projectId ?? []).toSorted();
const query = (sql: string, values: unknown[] = []) => mirror.database.pool.query(sql, values);
/** An event told of the company's projects, some time after they were listed. */
const announce = () =>
  query(`update mirror.selection set announced_at = now() - interval '5 seconds', seen_at = now() - interval '1 minute'
    where project_id is null`);

beforeAll(async () => {
  mirror = await openMigratedDatabase();
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await query('truncate mirror.selection, mirror.hooks, mirror.duties, mirror.fetches, mirror.scopes');
  simulated = await simulateHooks();
  ({ client } = simulated);
  looks = [];
});
afterEach(async () => {
  await Promise.all(loops.splice(0).map((loop) => loop.close()));
  await simulated.close();
});

function start(more: Partial<HookLoopOptions> = {}): ReturnType<typeof startHookLoop> {
  const loop = startHookLoop({
    ...{ database: mirror.database, client, catalogue, companyIds: [companyId], projects: 'active', resources: null },
    ...{ namespace: 'procore-mirror', destinationUrl: 'http://127.0.0.1:9/webhooks/procore' },
    secrets: () => new Map([[authorization, 'key-of-it']]),
    ...{
      everyMs: hourMs,
      holder: 'test',
      log: { warn: () => {} },
      lookEveryMs: 20,
      leaseMs: 2_000,
      noteEveryMs: 20,
      leaveAfterMs: 3_000,
    },
    onLook: (found) => looks.push(found),
    onProjects: () => {},
    ...more,
  });
  loops.push(loop);
  return loop;
}

const change = (projectId: string | undefined, fields: object) =>
  control('POST', 'edits', { edits: [{ resource: 'Projects', action: 'update', id: projectId, fields }] });

test('each scope gets its hook once; a project that comes gets one and one that is archived loses its own after news', async () => {
  start();
  await expect.poll(() => looks.length, patience).toBe(3);
  const [first = '', second = ''] = await projectsWithHook();
  expect(second).not.toBe('');
  const { projectIds } = (await control('POST', 'seed', { companyId, projects: 1 })) as { projectIds: string[] };
  await announce();
  await expect.poll(projectsWithHook, patience).toEqual([first, second, ...projectIds].toSorted());
  await change(second, { active: false });
  await announce();
  await expect.poll(projectsWithHook, patience).toEqual([first, ...projectIds].toSorted());
  expect(looks.filter(({ projectId }) => projectId === first)).toHaveLength(1);
});

test('a new project that its first list does not show yet is listed again', async () => {
  start();
  await expect.poll(() => looks.length, patience).toBe(3);
  const { projectIds } = (await control('POST', 'seed', { companyId, projects: 1 })) as { projectIds: string[] };
  await query(
    `insert into mirror.events (id, company_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
      values ('E', $1, 'Projects', $2, 'create', now(), now() - interval '5 seconds', 'v4.0', '{}', 'pending')`,
    [companyId, projectIds[0]],
  );
  await query(`update mirror.selection set seen_at = now() - interval '16 seconds' where project_id is null`);
  await expect.poll(() => looks.length, patience).toBe(4);
  expect(looks[3]?.projectId).toBe(projectIds[0]);
  await query('delete from mirror.events');
});

test('what somebody did to hooks is healed by the next look, and then nothing is written', async () => {
  start();
  await expect.poll(() => looks.length, patience).toBe(3);
  const [one, two, three] = await hooks();
  await control('PATCH', `hooks/${one?.id}`, { status: 'disabled' });
  await client.send(
    'DELETE',
    `/rest/v2.0/companies/${companyId}/projects/${two?.projectId}/webhooks/hooks/${two?.id}`,
    {
      companyId,
    },
  );
  await query(`update mirror.hooks set looked_at = now() - interval '2 hours'`);
  await expect.poll(() => looks.length, patience).toBe(6);
  expect(looks.slice(3).map(({ actions }) => actions.map((action) => action.do).join())).toEqual([
    'patch',
    'create',
    '',
  ]);
  expect((await hooks()).map(({ status, triggers }) => [status, triggers.length])).toEqual(
    [one, three, two].map((hook) => ['active', hook?.triggers.length]),
  );
});

test('one worker at a time looks; another takes over when the lease ran out, and at once after a stop', async () => {
  await query(`insert into mirror.duties values ($1, 'dead', now() + interval '500 milliseconds')`, [
    `hooks of ${companyId}`,
  ]);
  const one = start({ holder: 'one' });
  start({ holder: 'two' });
  await expect.poll(() => looks.length, patience).toBe(3);
  expect(await hooks()).toHaveLength(3);
  await one.close();
  await query(`update mirror.hooks set looked_at = now() - interval '2 hours'`);
  await expect.poll(() => looks.length, patience).toBe(6);
  expect(looks.flatMap(({ actions }) => actions).map((action) => action.do)).toEqual(['create', 'create', 'create']);
});

test('of workers that look differently often the hooks are looked at as often as the most eager one does', async () => {
  start({ holder: 'lazy' });
  await expect.poll(() => looks.length, patience).toBe(3);
  start({ holder: 'eager', everyMs: 300 });
  const [hook] = await hooks();
  await control('PATCH', `hooks/${hook?.id}`, { status: 'disabled' });
  const done = () => looks.flatMap(({ actions }) => actions.map((action) => action.do));
  await expect.poll(done, patience).toEqual(['create', 'create', 'create', 'patch']);
  const seen = looks.length;
  await expect.poll(() => looks.length, patience).toBeGreaterThan(seen + 6);
  expect(done()).toHaveLength(4);
  expect((await hooks()).map(({ status }) => status)).toEqual(['active', 'active', 'active']);
});

test('looks take their share of the calls and go on with the longest unseen; new scopes may take half', async () => {
  await query(`update mirror.budget set call_limit = 600 where window_name = 'hour'`);
  const called = `insert into mirror.fetches (company_id, called_at, lane, route, status, ms)
    select $1, now() - interval '1 minute', 'upkeep', 'GET /rest/v2.0/companies/{id}/webhooks/hooks', 200, 1 from generate_series(1, $2)`;
  await query(called, [companyId, 290]);
  start();
  await expect.poll(() => looks.length, patience).toBeGreaterThan(0);
  await query(`delete from mirror.fetches`);
  await expect.poll(() => looks.length, patience).toBe(3);
  await query(called, [companyId, 50]);
  await query(`update mirror.selection set selected_at = now() - interval '1 day'`);
  await query(
    `update mirror.hooks set looked_at = now() - interval '2 hours' - coalesce(project_id, 0) % 7 * interval '1 second'`,
  );
  const { rows } = await query('select project_id from mirror.hooks order by looked_at limit 1');
  await announce(); // the list of projects tells that a round went by
  const announcedAt = async () =>
    (await query('select announced_at from mirror.selection where project_id is null')).rows[0].announced_at;
  await expect.poll(announcedAt, patience).toBeNull();
  expect(looks).toHaveLength(3);
  await query('delete from mirror.fetches');
  await expect.poll(() => looks.length, patience).toBe(6);
  expect(looks[3]?.projectId).toBe(rows[0].project_id);
  await query(`update mirror.budget set call_limit = 1000000 where window_name = 'hour'`);
});

test('a value that the worker does not know is replaced only if the receivers that run refuse it', async () => {
  start({ secrets: () => new Map([['Bearer of-before', 'key-of-before']]) });
  await expect.poll(() => looks.length, patience).toBe(3);
  const receivers = async (...accepts: string[][]) => {
    await query('truncate mirror.receivers cascade');
    for (const [at, values] of accepts.entries())
      await query(
        `insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report)
          values ($1, 'h', 1, '1', now(), now(), $2)`,
        [`R${at}`, { accepts: values }],
      );
  };
  const lookAnew = async () => {
    await loops.splice(0)[0]?.close(); // who begins again knows no better than who was there before
    looks = [];
    await query(`update mirror.hooks set looked_at = now() - interval '2 hours'`);
    start();
    await expect.poll(() => looks.length, patience).toBe(3);
    return looks.flatMap(({ actions }) => actions.map((action) => action.do));
  };
  expect(await lookAnew()).toEqual([]); // nobody is known to accept ours
  expect(looks[0]?.waits).toContain('given a value that this process does not know');
  await receivers(['key-of-it'], ['key-of-it', 'key-of-before']);
  expect(await lookAnew()).toEqual([]);
  await receivers(['key-of-another'], ['key-of-it']);
  expect(await lookAnew()).toEqual([]);
  await receivers(['key-of-it'], ['key-of-it', 'key-of-another']);
  expect(await lookAnew()).toEqual(['patch', 'patch', 'patch']);
  await query('truncate mirror.receivers cascade');
  expect(await lookAnew()).toEqual([]);
  expect(looks[0]?.waits).toBeNull();
});

test('a company that refuses is left alone for a while after three scopes', async () => {
  await control('POST', 'faults', [{ kind: 'webhooks', status: 403 }]);
  await control('POST', 'seed', { companyId, projects: 3 });
  start();
  await expect.poll(() => looks.length, patience).toBe(3);
  expect(looks.every(({ trouble }) => trouble?.includes('403'))).toBe(true);
  const { rows } = await query('select finding from mirror.hooks');
  expect(rows.every(({ finding }) => finding.includes('403'))).toBe(true);
});

test('a login that is refused is no trouble of a hook: the next look that reaches it is as if nothing had been', async () => {
  const first = start();
  await expect.poll(() => looks.length, patience).toBe(3);
  await first.close();
  looks = [];
  const known = "update mirror.hooks set looked_at = now() - interval '2 hours' returning looked_at";
  const before = (await query(known)).rows[0].looked_at;
  const refuse = () => {
    throw new ProcoreTokenError('the login server rejects the service account', { isRejected: true });
  };
  start({ client: { ...client, get: refuse, send: refuse, pages: refuse } });
  await expect.poll(() => looks.filter(({ trouble }) => trouble !== null).length, patience).toBe(3);
  expect((await query('select distinct finding, looked_at from mirror.hooks')).rows).toEqual([
    { finding: null, looked_at: before },
  ]);
});

test.each([
  ['that nobody waits for rests up to an hour', true, 10],
  ['of which nothing is known yet rests up to ten minutes', false, 24],
])('a list of projects that fails, %s', async (_, isKnown, most) => {
  if (isKnown) {
    const first = start();
    await expect.poll(() => looks.length, patience).toBe(3);
    await first.close();
    await query(`update mirror.selection set seen_at = now() - interval '2 hours'`);
  }
  let [nowMs, lists] = [0, 0];
  /** Who sleeps lets the time pass. */
  const clock = {
    date: () => new Date(),
    now: () => nowMs,
    sleep: async (ms: number, signal?: AbortSignal) => {
      nowMs += ms;
      await sleep(1, null, { signal });
    },
  };
  const failing: ProcoreClient = {
    ...client,
    pages: async function* (path, options) {
      if (!path.includes('/projects?')) return yield* client.pages(path, options);
      if (nowMs <= 3 * hourMs) lists += 1;
      throw new ProcoreUnreachableError('Procore is away');
    },
  };
  start({
    client: failing,
    clock,
    lookEveryMs: 300_000,
    noteEveryMs: 20,
    leaseMs: 300,
    leaveAfterMs: 100 * hourMs,
  });
  await expect.poll(() => nowMs > 3 * hourMs, patience).toBe(true);
  expect(lists).toBeGreaterThan(3);
  expect(lists).toBeLessThanOrEqual(most);
});

test.each<[string, (projectId: string | undefined) => Promise<unknown>]>([
  ['resets', (projectId) => control('POST', 'faults', [{ kind: 'webhooks', projectId, reset: true }])],
  ['fails', (projectId) => control('POST', 'faults', [{ kind: 'webhooks', projectId, status: 500 }])],
  [
    'is parked',
    (projectId) =>
      query(
        `insert into mirror.scopes (company_id, project_id, reason, detail, probe_at) values ($1, $2, 'failing', 'x', now() + interval '1 hour')`,
        [companyId, projectId],
      ),
  ],
])('projects of which each %s keep no other scope from its looks, and are tried again later', async (_, spoil) => {
  const { projectIds } = (await control('POST', 'seed', { companyId, projects: 4 })) as { projectIds: string[] };
  const all = [...simulated.projectIds, ...projectIds];
  const bad = all.slice(0, 4);
  for (const projectId of bad) await spoil(projectId);
  start();
  const well = () => looks.filter(({ trouble }) => trouble === null).map(({ projectId }) => projectId);
  await expect.poll(() => new Set(well()), patience).toEqual(new Set([null, ...all.slice(4)]));
  await expect.poll(() => looks.filter(({ projectId }) => bad.includes(projectId ?? '')).length, patience).toBe(4);
  await query(`update mirror.hooks set looked_at = now() - interval '2 hours'`);
  looks.splice(0, looks.length, ...looks.filter(({ trouble }) => trouble !== null));
  await expect.poll(() => new Set(well()), patience).toEqual(new Set([null, ...all.slice(4)]));
  expect(looks.filter(({ projectId }) => bad.includes(projectId ?? ''))).toHaveLength(4);
});

test('a worker that does not know where hooks lead lists projects, keeps none from those who do, and touches no hook', async () => {
  const selected = async () =>
    (await query('select project_id from mirror.selection where is_selected and project_id is not null')).rowCount;
  start({ destinationUrl: null, holder: 'lister' });
  await expect.poll(selected, patience).toBe(2);
  await control('POST', 'seed', { companyId, projects: 1 });
  await announce();
  await expect.poll(selected, patience).toBe(3);
  expect(await hooks()).toEqual([]);
  start({ holder: 'other' });
  await expect.poll(() => looks.length, patience).toBe(4);
  expect(await hooks()).toHaveLength(4);
  await Promise.all(loops.splice(0).map((loop) => loop.close()));
  start({ companyIds: [], destinationUrl: null, holder: 'lister of none' });
  await expect
    .poll(async () => (await query('select bool_or(is_selected) as any from mirror.selection')).rows[0].any, patience)
    .toBe(false);
  expect(await hooks()).toHaveLength(4);
});

test('the hooks of a company that is not mirrored any more are removed', async () => {
  start();
  await expect.poll(() => looks.length, patience).toBe(3);
  await loops.splice(0)[0]?.close();
  start({ companyIds: [], holder: 'next' });
  await expect.poll(hooks, patience).toEqual([]);
});

test('a worker that names fewer companies takes no hook from one that names more, until that one ends', async () => {
  const first = start();
  await expect.poll(() => looks.length, patience).toBe(3);
  await expect.poll(async () => (await hooks()).filter(({ triggers }) => triggers.length > 0).length, patience).toBe(3);
  const before = await hooks();
  start({ companyIds: [], holder: 'other' });
  const seen = async () =>
    (await query(`select seen_at::text as at from mirror.workers where holder = 'other'`)).rows[0]?.at;
  await expect.poll(seen, patience).toBeDefined();
  const isLong = async () =>
    (
      await query(
        `select seen_at > started_at + interval '4 seconds' as long from mirror.workers where holder = 'other'`,
      )
    ).rows[0]?.long;
  await expect.poll(isLong, patience).toBe(true);
  const { rows } = await mirror.database.pool.query('select bool_and(is_selected) as "all" from mirror.selection');
  expect(rows).toEqual([{ all: true }]);
  expect(await hooks()).toEqual(before);
  await first.close();
  await expect.poll(hooks, patience).toEqual([]);
});
