import { createSecrets, fingerprint } from '@procore-mirror/runtime';
import { type AppProcess, createTestDatabase, startApp, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { mirrorCommand } from './mirror-command.ts';

const companyId = '598134325683880';
const authorization = 'Bearer of-the-test-only';
const nobody = 'http://127.0.0.1:9';
let database: TestDatabase;
let simulator: AppProcess;
let url: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const limits = JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null });
  simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '1', SIMULATOR_SETTINGS: limits });
  url = String((await simulator.line('url')).url);
  expect(await mirror(['migrate'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await simulator.end('SIGTERM');
  await database.drop();
});

type Ran = { code: number; stdout: string; stderr: string };

const settings = () => ({
  DATABASE_URL: database.url,
  PROCORE_LOGIN_URL: url,
  PROCORE_API_URL: url,
  PROCORE_CLIENT_ID: 'simulator',
  PROCORE_CLIENT_SECRET: 'simulator-secret',
  PROCORE_COMPANY_IDS: companyId,
  WEBHOOK_URL: 'https://mirror.example.com/webhooks/procore',
  WEBHOOK_AUTHORIZATION: authorization,
});

async function mirror(args: string[], env: Record<string, string> = {}, base: Record<string, string> = settings()) {
  const ran: Ran = { code: -1, stdout: '', stderr: '' };
  ran.code = await mirrorCommand(args, {
    env: { ...base, ...env },
    version: '1.2.3',
    startFile: '/nowhere/start.env',
    secrets: createSecrets(),
    signal: AbortSignal.timeout(60_000),
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
    },
  });
  return ran;
}

const trigger = z.strictObject({ resource_name: z.string(), event_type: z.string() });
const action = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('create'), triggers: z.array(trigger).min(1) }),
  z.strictObject({ do: z.literal('patch'), hook_id: z.string(), change: z.array(z.string()).min(1) }),
  z.strictObject({ do: z.enum(['add_triggers', 'remove_triggers']), hook_id: z.string(), triggers: z.array(trigger) }),
  z.strictObject({ do: z.literal('remove'), hook_id: z.string(), because: z.enum(['second', 'left']) }),
]);
const planJson = z.strictObject({
  calls: z.int(),
  scopes: z.array(
    z.strictObject({
      company_id: z.string(),
      project_id: z.string().nullable(),
      actions: z.array(action),
      calls: z.int(),
      not_offered: z.array(z.string()),
      refused: z.array(z.string()),
      trouble: z.string().nullable(),
      waits: z.string().nullable(),
    }),
  ),
  unlisted: z.array(z.unknown()),
});
const planAsJson = async (env: Record<string, string> = {}) =>
  planJson.parse(JSON.parse((await mirror(['hooks', 'plan', '--json'], env)).stdout));

const hooks = async () =>
  (await fetch(`${url}/control/hooks`)).json() as Promise<{ id: string; status: string; projectId: string | null }[]>; // its answer
const patch = (id: string, change: object) =>
  fetch(`${url}/control/hooks/${id}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
  });

const faults = (method: string, ...rules: object[]) =>
  fetch(`${url}/control/faults`, {
    ...{ method, headers: { 'content-type': 'application/json' } },
    ...(rules.length > 0 && { body: JSON.stringify(rules) }),
  });

const rowsOf = async (table: string) => (await database.pool.query(`select * from mirror.${table}`)).rows;

test('hooks are planned, applied and looked at; a second time nothing is to be done', async () => {
  const plan = await mirror(['hooks', 'plan']);
  expect(plan.code).toBe(0);
  expect(plan.stdout).toMatch(new RegExp(`^${companyId} +create a hook with \\d+ triggers +2$`, 'm'));
  expect(plan.stdout).toMatch(/^2 scopes, 0 as they should be: 4 calls to make$/m);
  expect(await hooks()).toEqual([]);

  const before = await mirror(['hooks', 'status']);
  expect(before).toMatchObject({ code: 1, stdout: expect.stringMatching(/ no hook +2$/m) });
  expect(await rowsOf('selection')).toEqual([]);

  const planned = await planAsJson();
  expect(planned.scopes.map(({ actions }) => actions.map((action) => action.do))).toEqual([['create'], ['create']]);
  expect(planned.calls).toBe(planned.scopes.reduce((sum, { calls }) => sum + calls, 0));

  const applied = await mirror(['hooks', 'apply']);
  expect(applied).toMatchObject({ code: 0, stderr: '' });
  expect(applied.stdout).toMatch(/^Hooks: 2 scopes, 2 hooks created, \d+ triggers added$/m);
  expect(await hooks()).toHaveLength(2);
  expect(await rowsOf('selection')).toMatchObject([
    { company_id: companyId, project_id: null, is_selected: true },
    { company_id: companyId, is_active: true, is_selected: true, left_at: null, name: expect.any(String) },
  ]);

  const again = await mirror(['hooks', 'apply']);
  expect(again).toEqual({ code: 0, stdout: 'Hooks: 2 scopes, 0 hooks created, 0 triggers added\n', stderr: '' });
  expect(await mirror(['hooks', 'status'])).toEqual({
    code: 0,
    stdout: '2 scopes, all as they should be\n',
    stderr: '',
  });
});

test('a second time nothing is written, and a look costs one call beside the list of projects and two for the offers', async () => {
  await fetch(`${url}/control/calls`, { method: 'DELETE' });
  await mirror(['hooks', 'apply']);
  const counted = await fetch(`${url}/control/calls`);
  const { recent } = (await counted.json()) as { recent: { method: string; path: string; kind: string }[] }; // its answer
  const made = recent.filter(({ kind }) => kind !== 'login');
  expect(new Set(made.map(({ method }) => method))).toEqual(new Set(['GET']));
  const of = (pattern: RegExp) => made.filter(({ path }) => pattern.test(path)).length;
  expect([of(/\/webhooks\/hooks$/), of(/\/webhooks\/resources$/), of(/\/projects$/), made.length]).toEqual([
    2, 2, 1, 5,
  ]);
});

test('what is wrong is told, as one JSON document too, without the secret, and set right', async () => {
  const [first] = await hooks();
  await patch(first?.id ?? '', { status: 'disabled' });
  const env = { WEBHOOK_AUTHORIZATION: 'Bearer another-secret,Bearer of-the-test-only' };
  expect((await planAsJson(env)).scopes.map(({ actions }) => actions)).toMatchObject([
    [{ do: 'patch', hook_id: first?.id, change: ['status', 'destination_headers'] }],
    [{ do: 'patch', change: ['destination_headers'] }],
  ]);
  const status = await mirror(['hooks', 'status'], env);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain('disabled, carries another secret');
  expect(status.stdout).toContain('0 as they should be; `pnpm mirror hooks apply` sets right what is wrong');
  const unknown = await mirror(['hooks', 'status'], { WEBHOOK_AUTHORIZATION: '' });
  expect(unknown.stdout).not.toContain('secret');
  const applied = await mirror(['hooks', 'apply', '--json'], env);
  expect(applied.code).toBe(0);
  expect(applied.stdout).not.toContain('another-secret');
  expect(JSON.parse(applied.stdout)).toMatchObject({
    calls: 4,
    scopes: [
      {
        company_id: companyId,
        project_id: null,
        actions: [{ do: 'patch', hook_id: first?.id, change: ['status', 'destination_headers'] }],
        calls: 2,
        not_offered: [],
        refused: [],
        trouble: null,
      },
      { company_id: companyId, actions: [{ do: 'patch', change: ['destination_headers'] }] },
    ],
    unlisted: [],
  });
  expect((await hooks()).map((hook) => hook.status)).toEqual(['active', 'active']);
});

test('a company that the service account does not see is named, and the others get their hooks', async () => {
  const { code, stdout, stderr } = await mirror(['hooks', 'plan'], { PROCORE_COMPANY_IDS: `42,${companyId}` });
  expect(code).toBe(1);
  expect(stdout).toMatch(/^ *42 /m);
  expect(stderr).toContain('Projects of company 42 are not mirrored');
  expect(stdout).toContain('3 scopes');
});

test('only the projects that are named are looked after; others lose their hook, and one that Procore does not show is told', async () => {
  const env = { MIRROR_PROJECTS: '42', WEBHOOK_AUTHORIZATION: '' };
  const stderr = 'MIRROR_PROJECTS names what Procore does not show as active: 42.\n';
  const status = await mirror(['hooks', 'status'], env);
  expect(status).toMatchObject({ code: 1, stderr });
  expect(status.stdout).toMatch(/a hook, \d+, though it is not mirrored any more/);
  expect(await mirror(['hooks', 'apply'], { MIRROR_PROJECTS: '42' })).toMatchObject({ code: 0, stderr });
  expect(await hooks()).toHaveLength(1);
  expect(await mirror(['hooks', 'status'], env)).toEqual({
    ...{ code: 0, stderr },
    stdout: '1 scope, all as they should be\n',
  });
  expect(await mirror(['hooks', 'apply'])).toMatchObject({ code: 0, stderr: '' });
  expect(await hooks()).toHaveLength(2);
});

describe('rotate-secret', () => {
  const next = 'Bearer of-the-time-to-come';
  const both = { WEBHOOK_AUTHORIZATION: `${next},${authorization}` };
  const rotate = (...more: string[]) => mirror(['hooks', 'rotate-secret', '--wait', '0', ...more], both);
  const receiver = (accepts: string[], recordedAt = 'now()') =>
    database.pool.query(
      `insert into mirror.receivers (id, host, pid, version, started_at, reported_at, recorded_at, report)
        values ('0123456789abcdef', 'gate', 1, '1', now(), now(), ${recordedAt}, $1) on conflict (id) do update set
        report = excluded.report, recorded_at = excluded.recorded_at`,
      [{ accepts: accepts.map(fingerprint) }],
    );

  /** A delivery comes with the new value. */
  const prove = () =>
    database.pool.query(
      `insert into mirror.events (id, company_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome, key)
        values ('E', 1, 'RFIs', '1', 'create', now(), now(), 'v4.0', '{}', 'pending', $1)`,
      [fingerprint(next)],
    );
  const atProcore = async (method: string, path: string, body?: object, projectId: string | null = null) => {
    const login = { grant_type: 'client_credentials', client_id: 'simulator', client_secret: 'simulator-secret' };
    const signedIn = await fetch(`${url}/oauth/token`, { method: 'POST', body: new URLSearchParams(login) });
    const { access_token: token } = (await signedIn.json()) as { access_token: string }; // the simulator's answer
    const place = projectId === null ? '' : `/projects/${projectId}`;
    const answer = await fetch(`${url}/rest/v2.0/companies/${companyId}${place}/webhooks/hooks${path}`, {
      ...{ method, body: body === undefined ? null : JSON.stringify(body) },
      headers: {
        authorization: `Bearer ${token}`,
        'procore-company-id': companyId,
        'content-type': 'application/json',
      },
    });
    return (answer.status === 204 ? { data: [] } : await answer.json()) as {
      data: { id: string; destination_headers: { Authorization: string } }[];
    }; // its answer
  };
  const companyHook = async () => (await atProcore('GET', '?namespace=procore-mirror')).data[0];
  const shownSecret = async () => (await companyHook())?.destination_headers.Authorization.slice(-5);
  const setBack = async () =>
    atProcore('PATCH', `/${(await companyHook())?.id}`, { destination_headers: { Authorization: authorization } });

  beforeEach(async () => {
    await faults('DELETE');
    await database.pool.query('delete from mirror.events');
  });

  test('refuses with one value, and says why', async () => {
    const { code, stdout, stderr } = await mirror(['hooks', 'rotate-secret']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^error: WEBHOOK_AUTHORIZATION holds one value only/);
    expect((await mirror(['hooks', 'rotate-secret', '--wait', 'long'])).code).toBe(2);
  });

  test('gives each hook the first value, waits for its proof, and says when the old one may go', async () => {
    await mirror(['hooks', 'apply']);
    await receiver([authorization], `now() - interval '2 minutes'`); // it is gone
    const first = await rotate();
    expect(first.code).toBe(1);
    expect(first.stdout).toMatch(/^2 hooks: 2 changed, 0 had the new value before$/m);
    expect(first.stdout).toMatch(/^Not proved yet: /m);
    const unproved = await mirror(['hooks', 'status'], both);
    expect(unproved.code).toBe(0);
    expect(unproved.stdout).toMatch(
      /^2 scopes, all as they should be\n(.*\n)?Deliveries with the first value: none; with an old one: none. 2 hooks were given it.\nKeep the old value: no delivery came with the first value yet/,
    );
    await receiver([next, authorization]);
    await prove();
    const proved = await mirror(['hooks', 'status'], both);
    expect(proved.stdout).toMatch(/^The old value may go: /m);
    const json = JSON.parse((await mirror(['hooks', 'status', '--json'], both)).stdout);
    expect(json.old_value).toMatchObject({ may_go: true, because: null, hooks: { new: 2, other: 0, unknown: 0 } });
    // The other way round nobody was given the first value.
    const swapped = { WEBHOOK_AUTHORIZATION: `${authorization},${next}` };
    const back = await mirror(['hooks', 'status'], swapped);
    expect(back.stdout).not.toContain('hooks apply'); // it would change them without a proof
    expect(back.stdout).toMatch(/^Keep the old value: hooks carry another value than the first one, or may: /m);
    expect(JSON.parse((await mirror(['hooks', 'status', '--json'])).stdout).old_value).toBeNull();
    const again = await rotate();
    expect(again).toMatchObject({ code: 0, stderr: '' });
    expect(again.stdout).toMatch(/^2 hooks: 0 changed, 2 had the new value before$/m);
    expect(again.stdout).toMatch(/^Proved by a delivery at .*\nThe old value may go: /m);
    const { code, stdout } = await rotate('--json');
    expect(code).toBe(0);
    expect(stdout).not.toContain('of-the-time');
    expect(JSON.parse(stdout)).toMatchObject({
      hooks: [{ outcome: 'as_it_should_be' }, { outcome: 'as_it_should_be' }],
      proved_at: expect.any(String),
      old_value: { may_go: true, at_the_latest: expect.any(String) },
    });
  });

  test('a repetition keeps the old value while Procore has anything to deliver: nobody knows when its hook was changed', async () => {
    await receiver([next, authorization]);
    await mirror(['hooks', 'apply']);
    await prove();
    await database.pool.query(`update mirror.events set received_at = now() - interval '1 hour'`);
    const simulated = (deliveryDelayMs: number) =>
      fetch(`${url}/control/settings`, {
        ...{ method: 'PATCH', headers: { 'content-type': 'application/json' } },
        body: JSON.stringify({ deliveryDelayMs }),
      });
    await simulated(3_600_000);
    const edits = [{ resource: 'RFIs', action: 'create' }];
    await fetch(`${url}/control/edits`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
      body: JSON.stringify({ edits }),
    });
    await simulated(0);
    expect((await rotate()).stdout).toMatch(/^2 hooks: 2 changed/m);
    const begun = Date.now();
    const again = await rotate();
    expect(again.stdout).toMatch(/^2 hooks: 0 changed, 2 had the new value before$/m);
    expect(again.stdout).toMatch(/^Keep the old value until Procore has delivered what it had before, at the latest /m);
    const { old_value: told } = JSON.parse((await rotate('--json')).stdout);
    expect(told).toMatchObject({ may_go: false, because: 'undelivered' });
    expect(Date.parse(told.at_the_latest)).toBeGreaterThanOrEqual(begun + 12 * 3_600_000);
    for (const { id, projectId } of await hooks()) await atProcore('DELETE', `/${id}`, undefined, projectId);
  });

  const ofProject = async () => ({
    kind: 'webhooks',
    projectId: (await hooks()).find(({ projectId }) => projectId !== null)?.projectId,
  });
  test.each<[string, () => Promise<unknown>]>([
    [
      'the hook of a project could not be looked at',
      async () => faults('POST', { ...(await ofProject()), status: 403 }),
    ],
    ['hooks could not be listed', () => faults('POST', { kind: 'webhooks', status: 403 })],
    ['the projects of a company could not be listed', () => faults('POST', { kind: 'list', status: 403 })],
  ])('where %s neither words nor JSON say that the old value may go', async (_, spoil) => {
    await receiver([next, authorization]);
    await mirror(['hooks', 'apply'], both);
    await prove();
    await spoil();
    const [told, json] = [await rotate(), await rotate('--json')];
    expect([told.code, json.code]).toEqual([1, 1]);
    expect(told.stdout).toMatch(/^Keep the old value: /m);
    expect(told.stdout).not.toContain('may go');
    expect(JSON.parse(json.stdout).old_value).toMatchObject({ may_go: false, because: 'elsewhere' });
  });

  test('what happened since, and comes with the old value, keeps it: a hook that nobody sees leads here', async () => {
    await receiver([next, authorization]);
    await mirror(['hooks', 'apply'], both);
    await prove();
    await database.pool.query(`update mirror.events set received_at = now() - interval '1 hour'`);
    const come = (id: string, happened: string) =>
      database.pool.query(
        `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome, key)
          values ($1, 1, 42, 'RFIs', '1', 'create', now() - $2::interval, now(), 'v4.0', '{}', 'pending', $3)`,
        [id, happened, fingerprint(authorization)],
      );
    await come('F', '61 minutes');
    expect((await mirror(['hooks', 'status'], both)).stdout).toMatch(/^The old value may go: /m);
    await come('G', '59 minutes');
    for (const { stdout } of [await mirror(['hooks', 'status'], both), await rotate()])
      expect(stdout).toMatch(/^Keep the old value: what happened at \S+ in project 42 came with an old one/m);
    const ran = [await mirror(['hooks', 'status', '--json'], both), await rotate('--json')];
    for (const { stdout } of ran)
      expect(JSON.parse(stdout).old_value).toMatchObject({ may_go: false, because: 'elsewhere' });
  });

  test('a scope of which nothing is mirrored needs no hook for the old value to go', async () => {
    for (const { id, projectId } of await hooks()) await atProcore('DELETE', `/${id}`, undefined, projectId);
    await database.pool.query('delete from mirror.hooks');
    const ofProjects = { ...both, MIRROR_RESOURCES: 'RFIs' };
    await mirror(['hooks', 'apply'], ofProjects);
    expect(await hooks()).toHaveLength(1);
    await prove();
    const { code, stdout } = await mirror(['hooks', 'status'], ofProjects);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^The old value may go: /m);
  });

  test('looks once more at the end, and tells of a hook that was set back meanwhile', async () => {
    await receiver([next, authorization]);
    await mirror(['hooks', 'apply']);
    const rotating = mirror(['hooks', 'rotate-secret'], both);
    await expect.poll(shownSecret, { timeout: 20_000, interval: 20 }).toBe(next.slice(-5));
    await setBack();
    await prove();
    const { code, stdout, stderr } = await rotating;
    expect(code).toBe(1);
    expect(stdout).toContain('another process gave it another value meanwhile');
    expect(stdout).toContain('Keep the old value');
    expect(stderr).not.toContain('looked at');
    expect(await shownSecret()).toBe(next.slice(-5));
  });
});

describe('forget', () => {
  const forget = (...more: string[]) =>
    mirror(['forget', '--company', companyId, ...more], { PROCORE_COMPANY_IDS: '42' });
  const known = async () => (await rowsOf('hooks')).filter(({ hook_id }) => hook_id !== null).length;

  test('refuses a company that workers which run mirror, whatever this shell is told', async () => {
    await mirror(['hooks', 'apply']);
    await database.pool.query(`insert into mirror.workers (holder) values ('w')`);
    const { code, stderr } = await forget('--yes');
    expect([code, stderr]).toEqual([2, expect.stringContaining('still mirrored by workers that run')]);
    await database.pool.query('truncate mirror.workers');
  });

  test.each<[string, () => Promise<unknown>, Record<string, string>, string]>([
    ['we may not look', () => faults('POST', { kind: 'webhooks', status: 403 }), {}, '403'],
    ['Procore fails', () => faults('POST', { kind: 'webhooks', status: 500 }), {}, '500'],
    ['nobody answers', async () => {}, { PROCORE_API_URL: nobody }, 'ECONNREFUSED'],
    ['signing in is refused', async () => {}, { PROCORE_CLIENT_SECRET: 'another' }, 'rejects'],
    ['there are no credentials', async () => {}, { PROCORE_CLIENT_ID: '' }, 'PROCORE_CLIENT_ID'],
  ])('does not forget hooks that stand where %s, and names them', async (_, spoil, env, reason) => {
    await mirror(['hooks', 'apply']);
    await spoil();
    const ran = await mirror(['forget', '--company', companyId, '--yes'], { PROCORE_COMPANY_IDS: '42', ...env });
    await faults('DELETE');
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(new RegExp(`^The hook of company ${companyId} was not removed: .*${reason}`, 'm'));
    expect(await known()).toBe(2);
    expect(await hooks()).toHaveLength(2);
    expect((await rowsOf('selection')).length).toBeGreaterThan(0);
  });

  test('removes the hooks at Procore, and then what is known of them', async () => {
    await mirror(['hooks', 'apply']);
    const plan = await forget();
    expect(plan).toMatchObject({ code: 0, stderr: '2 hooks would be removed at Procore first.\n' });
    expect(await hooks()).toHaveLength(2);
    const { code, stdout } = await forget('--yes', '--json');
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ gone: true, hooks_left: [] })]);
    expect(await hooks()).toEqual([]);
    expect(await rowsOf('hooks')).toEqual([]);
    expect(await rowsOf('selection')).toEqual([]);
  });
});

test.each([
  ['plan', []],
  ['rotate-secret', ['WEBHOOK_AUTHORIZATION']],
  ['status', []],
  ['apply', ['WEBHOOK_AUTHORIZATION']],
])('without configuration %s names every missing variable at once', async (command, more) => {
  const { code, stdout, stderr } = await mirror(['hooks', command], {}, {});
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  const missing = [...stderr.matchAll(/^error: (\w+) is not set/gm)].map(([, name]) => name);
  const always = ['DATABASE_URL', 'PROCORE_CLIENT_ID', 'PROCORE_CLIENT_SECRET', 'PROCORE_COMPANY_IDS', 'WEBHOOK_URL'];
  expect(missing.toSorted()).toEqual([...always, ...more].toSorted());
});

test('all that is wrong with the configuration is told at once', async () => {
  const { code, stderr } = await mirror(['hooks', 'apply'], {
    WEBHOOK_URL: 'http://mirror.example.com/',
    PROCORE_API_URL: 'https://a.example/with/path',
    MIRROR_RESOURCES: 'RFIz',
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/WEBHOOK_URL: must be an https/);
  expect(stderr).toMatch(/PROCORE_API_URL: must be/);
  expect(stderr).toMatch(/there is no resource "RFIz"/);
});

test.each<[string, () => Record<string, string>, RegExp]>([
  ['Postgres', () => ({ DATABASE_URL: 'postgres://a:b@127.0.0.1:9/c' }), /^error: .*127\.0\.0\.1:9/],
  ['the login server', () => ({ PROCORE_LOGIN_URL: nobody }), /^error: .*127\.0\.0\.1:9/],
  [
    'a login server that refuses us',
    () => ({ PROCORE_CLIENT_SECRET: 'another-one' }),
    /^error: .*rejects.*\nfix: correct the cred/s,
  ],
])('where %s is out of reach, the exit code is 3', async (_, env, message) => {
  const { code, stdout, stderr } = await mirror(['hooks', 'apply'], env());
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(message);
});

test('a Procore that signs in and answers nothing else is out of reach, too', async () => {
  const { code, stdout, stderr } = await mirror(['hooks', 'plan'], { PROCORE_API_URL: nobody });
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(
    /^Waiting for the list of projects, which is asked again: .*127\.0\.0\.1:9.*\nerror: Procore does not answer: .*127\.0\.0\.1:9/,
  );
  expect(stderr.match(/127\.0\.0\.1:9/g)).toHaveLength(2);
});

test('while everything is parked Procore is left alone, and the exit code is 3', async () => {
  await database.pool.query(
    `insert into mirror.scopes (company_id, reason, detail, probe_at) values (null, 'no_token', 'signing in fails', now() + interval '1 hour')`,
  );
  const { code, stderr } = await mirror(['hooks', 'status']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^error: Procore does not answer.*signing in fails/);
  await database.pool.query('delete from mirror.scopes');
});
