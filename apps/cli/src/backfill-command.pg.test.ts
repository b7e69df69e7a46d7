// `mirror backfill` beside a worker that is this test, in front of the simulator.
import { openProcore } from '@procore-mirror/calls';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, noteWorker, noteWorkerStopped, openDatabase } from '@procore-mirror/database';
import {
  createNeighbours,
  type FetchSettings,
  requestFills,
  startFillLoop,
  usualPace,
  watchFills,
} from '@procore-mirror/mirror';
import { createSecrets } from '@procore-mirror/runtime';
import { type AppProcess, createTestDatabase, startApp, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { mirrorCommand } from './mirror-command.ts';
import { createOutput } from './output.ts';

const companyId = '598134325683880';
const nobody = 'http://127.0.0.1:9';
let testDatabase: TestDatabase;
let database: Database;
let simulator: AppProcess;
let url: string;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const limits = JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null });
  simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '1', SIMULATOR_SETTINGS: limits });
  url = String((await simulator.line('url')).url);
  expect(await mirror(['migrate'])).toMatchObject({ code: 0 });
  database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
});
afterAll(async () => {
  await simulator.end('SIGTERM');
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await database.pool.query('truncate mirror.backfills, mirror.workers');
});

const settings = () => ({
  DATABASE_URL: testDatabase.url,
  PROCORE_LOGIN_URL: url,
  PROCORE_API_URL: url,
  PROCORE_CLIENT_ID: 'simulator',
  PROCORE_CLIENT_SECRET: 'simulator-secret',
  PROCORE_COMPANY_IDS: companyId,
});

type Own = {
  env?: Record<string, string>;
  base?: Record<string, string>;
  signal?: AbortSignal;
  onNote?: () => void;
};

async function mirror(args: string[], own: Own = {}) {
  const { env = {}, base = settings(), signal = AbortSignal.timeout(60_000), onNote = () => {} } = own;
  const ran = { code: -1, stdout: '', stderr: '' };
  ran.code = await mirrorCommand(args, {
    env: { ...base, ...env },
    version: '1.2.3',
    startFile: '/nowhere/start.env',
    secrets: createSecrets(),
    signal,
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
      onNote();
    },
  });
  return ran;
}

/** A worker that fills, and nothing else. */
async function startWorker(): Promise<{ [Symbol.asyncDispose]: () => Promise<void> }> {
  const address = new URL(url);
  const procore = openProcore({
    account: {
      ...{ loginUrl: address, apiUrl: address },
      credentials: () => ({ clientId: 'simulator', clientSecret: 'simulator-secret' }),
    },
    ...{ database, holder: 'worker' },
    onSecret: () => {},
    onTrouble: () => {},
  });
  const own: FetchSettings = {
    ...{ database, client: procore.client, catalogue, delayMs: 0, ...usualPace, random: Math.random },
    neighbours: createNeighbours(),
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  await noteWorker(database, 'worker');
  const heartbeat = setInterval(() => void noteWorker(database, 'worker'), 1_000);
  const loop = startFillLoop({
    settings: own,
    holder: 'worker',
    resources: null,
    log,
    canSignIn: async () => true,
    idleMs: 20,
  });
  const close = async () => {
    clearInterval(heartbeat);
    await loop.close();
    await procore.close();
    await noteWorkerStopped(database, 'worker');
  };
  return { [Symbol.asyncDispose]: close };
}

const fault = (method: string, faults: unknown = null) =>
  fetch(`${url}/control/faults`, {
    ...{ method, headers: { 'content-type': 'application/json' } },
    ...(faults !== null && { body: JSON.stringify(faults) }),
  });
const rowsOf = async (table: string) =>
  (await database.pool.query(`select count(*)::int as count from procore.${table}`)).rows[0].count;

test('the workers fill the mirror, and the command shows how far they are until they are done', async () => {
  await using _ = await startWorker();
  const env = { MIRROR_RESOURCES: 'Offices,Locations,RFIs,RFI Replies' };
  const ran = await mirror(['backfill'], { env });
  expect(ran.stdout).toMatch(
    /^Backfill: [\d,]+ records of 4 of 4 lists in \d+ calls; the workers complete \d+ records/m,
  );
  expect(ran).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Backfill \d+% · \d of 4 lists · /),
  });
  expect(await rowsOf('locations')).toBeGreaterThan(0);
  expect(await rowsOf('rfi_replies')).toBeGreaterThan(0);

  const json = await mirror(['backfill', '--json', '--resource', 'locations']);
  expect(json.stderr).toMatch(
    /^1 of these 1 list was filled before, the last .* UTC: it is read again now\. To look only: `pnpm mirror status`/,
  );
  expect(JSON.parse(json.stdout)).toEqual({
    ...{
      state: 'done',
      requests: [expect.any(String)],
      lists: 1,
      over: 1,
      failed: 0,
      calls: 1,
      to_complete: 0,
      buried: 0,
    },
    ...{ records: await rowsOf('locations'), failures: [], remarks: [], unlisted: [] },
  });
});

test('what could not be filled is named, and the exit code is 1', async () => {
  await using _ = await startWorker();
  await fault('PUT', [{ resource: 'Locations', kind: 'list', status: 403 }]);
  const ran = await mirror(['backfill', '--resource', 'Locations'], {
    env: { PROCORE_COMPANY_IDS: `42,${companyId}` },
  });
  await fault('DELETE');
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain('Projects of company 42 are not mirrored');
  expect(ran.stdout).toMatch(new RegExp(`^${companyId} +\\d+ +Locations +GET .*locations.* was answered 403$`, 'm'));
  expect(ran.stdout).toMatch(/^Backfill: 0 records of 1 of 1 list in 3 calls, 1 not filled$/m);
});

test('detached, and told to end, it leaves the work to the workers and says so; again it shows the same work', async () => {
  await noteWorker(database, 'busy');
  const detached = await mirror(['backfill', '--detach', '--json']);
  expect(detached.code).toBe(0);
  const { requests } = JSON.parse(detached.stdout);
  const end = new AbortController();
  const onNote = () => end.abort(new Error('Ctrl-C'));
  const told = await mirror(['backfill', '--json'], { signal: end.signal, onNote });
  expect(told.code).toBe(1);
  expect(told.stderr).toMatch(/^A fill of \d+ of these \d+ lists is under way since .* UTC: this shows it\./);
  expect(JSON.parse(told.stdout)).toMatchObject({ state: 'under way', requests, over: 0 });
  const status = await mirror(['status']);
  expect(status.stdout).toMatch(/^backfill +0% · 0 of \d+ lists/m);
  await database.pool.query(`insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
    values ('hour', 600, 0, now() + interval '30 minutes', 'header') on conflict (window_name, company_id) do update
    set remaining = 0, call_limit = 600, reset_at = excluded.reset_at, known_by = 'header'`);
  expect((await mirror(['status'])).stdout).toMatch(
    /^backfill +0% · 0 of 600 calls left, next at \d\d:\d\d, about 30 min to go/m,
  );
  await database.pool.query('delete from mirror.budget');
  await database.pool.query('truncate mirror.fetches, mirror.pending');
  await database.pool.query(
    `insert into mirror.fetches (called_at, company_id, lane, route, status, ms)
    select now() - n * interval '3 seconds', $1, 'backfill', 'GET /x', 200, 1 from generate_series(1, 60) n`,
    [companyId],
  );
  expect((await mirror(['status'])).stdout).toMatch(
    /^backfill +0% · 0 of \d+ lists · 0 records · 0 calls · about \d+ min to go, at its pace of the last minutes \(1[12]\d\d calls an hour\)/m,
  );
  await database.pool.query(`update mirror.backfills set state = 'done'`);
  await database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, lane, ready_at)
    select $1, 7, 'Meetings', n, 'backfill', now() from generate_series(1, 100) n`,
    [companyId],
  );
  await database.pool.query(
    `insert into mirror.batches (company_id, project_id, resource, lane, due_at, first_due_at) values ($1, 7, 'Meetings', 'backfill', now(), now())`,
    [companyId],
  );
  expect((await mirror(['status'])).stdout).toMatch(
    /^backfill +all lists are read, and 100 records that they carry in part to be completed · about [56] min to go/m,
  );
  await database.pool.query('truncate mirror.pending, mirror.batches, mirror.fetches');
});

test('without a worker the exit code is 3, and the work is kept', async () => {
  const detached = await mirror(['backfill', '--detach', '--resource', 'Locations']);
  expect(detached).toMatchObject({ code: 3, stdout: '' });
  expect(detached.stderr).toMatch(/^error: no worker was seen for 30 s\nfix: start one/);
  expect((await database.pool.query('select state from mirror.backfills')).rows).toEqual([{ state: 'waiting' }]);
  const scopes = [{ companyId, projectId: '7', resources: ['Locations'] }];
  const requests = await requestFills(database, { catalogue, scopes });
  const display = createOutput({ json: false, write: () => {}, writeError: () => {} });
  const watch = { database, display, requests, companyIds: [companyId], signal: AbortSignal.timeout(30_000) };
  expect(await watchFills({ ...watch, withoutWorkerMs: 10 })).toMatchObject({
    end: 'no worker',
    progress: { lists: 1 },
  });
});

test('without configuration every missing variable is named at once', async () => {
  const { code, stdout, stderr } = await mirror(['backfill'], { base: {} });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  const missing = [...stderr.matchAll(/^error: (\w+) is not set/gm)].map(([, name]) => name);
  expect(missing.toSorted()).toEqual([
    'DATABASE_URL',
    'PROCORE_CLIENT_ID',
    'PROCORE_CLIENT_SECRET',
    'PROCORE_COMPANY_IDS',
  ]);
});

test.each<[string[], RegExp]>([
  [['--company', '42'], /^error: company 42 is not among PROCORE_COMPANY_IDS/],
  [['--company', 'x'], /An id is made of digits/],
  [['--project', '42'], /^error: there is no active project 42/],
  [['--resource', 'RFIz'], /^error: there is no resource "RFIz"/],
  [['--resource', 'Meeting Topics'], /^error: Meeting Topics has no list of its own/],
  [['--nonsense'], /unknown option/],
])('used wrongly (%j) it says what is wrong, and asks for nothing', async (args, message) => {
  const { code, stdout, stderr } = await mirror(['backfill', ...args]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
  expect((await database.pool.query('select from mirror.backfills')).rowCount).toBe(0);
});

test.each<[string, () => Record<string, string>]>([
  ['Postgres', () => ({ DATABASE_URL: 'postgres://a:b@127.0.0.1:9/c' })],
  ['the login server', () => ({ PROCORE_LOGIN_URL: nobody })],
  ['Procore', () => ({ PROCORE_API_URL: nobody })],
])('where %s is out of reach, the exit code is 3', async (_, env) => {
  const { code, stdout, stderr } = await mirror(['backfill'], { env: env() });
  expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  expect(stderr).toMatch(/^error: .*127\.0\.0\.1:9/m);
});
