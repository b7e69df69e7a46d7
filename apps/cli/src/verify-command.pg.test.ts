// `mirror verify` beside a worker that is this test, in front of the simulator.
import { openProcore } from '@procore-mirror/calls';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, noteWorker, noteWorkerStopped, openDatabase } from '@procore-mirror/database';
import {
  createNeighbours,
  type FetchSettings,
  startFetchLoop,
  startFillLoop,
  startVerifyLoop,
  usualPace,
} from '@procore-mirror/mirror';
import { createSecrets } from '@procore-mirror/runtime';
import { type AppProcess, createTestDatabase, startApp, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { mirrorCommand } from './mirror-command.ts';

const companyId = '598134325683880';
let testDatabase: TestDatabase;
let database: Database;
let simulator: AppProcess;
let url: string;
let stopWorker = async () => {};

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const limits = JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null });
  simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '1', SIMULATOR_SETTINGS: limits });
  url = String((await simulator.line('url')).url);
  expect(await mirror(['migrate'])).toMatchObject({ code: 0 });
  database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
  stopWorker = await startWorker();
  for (const resource of ['Locations', 'RFIs', 'Submittals'])
    await edit(Array.from({ length: 30 }, () => ({ resource, action: 'create', silent: true })));
  expect(await mirror(['backfill'])).toMatchObject({ code: 0 });
  await untilQuiet();
}, 120_000);
afterAll(async () => {
  await stopWorker();
  await simulator.end('SIGTERM');
  await database.close();
  await testDatabase.drop();
});

async function mirror(args: string[], signal = AbortSignal.timeout(120_000)) {
  const ran = { code: -1, stdout: '', stderr: '' };
  ran.code = await mirrorCommand(args, {
    env: {
      DATABASE_URL: testDatabase.url,
      PROCORE_LOGIN_URL: url,
      PROCORE_API_URL: url,
      PROCORE_CLIENT_ID: 'simulator',
      PROCORE_CLIENT_SECRET: 'simulator-secret',
      PROCORE_COMPANY_IDS: companyId,
    },
    ...{ version: '1.2.3', startFile: '/nowhere/start.env', secrets: createSecrets(), signal },
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
    },
  });
  return ran;
}

/** A worker that fills, fetches and compares. */
async function startWorker(): Promise<() => Promise<void>> {
  const address = new URL(url);
  const procore = openProcore({
    account: {
      ...{ loginUrl: address, apiUrl: address },
      credentials: () => ({ clientId: 'simulator', clientSecret: 'simulator-secret' }),
    },
    ...{ database, holder: 'worker', onSecret: () => {}, onTrouble: () => {} },
  });
  const settings: FetchSettings = {
    ...{ database, client: procore.client, catalogue, delayMs: 0, ...usualPace, random: Math.random },
    ...{ neighbours: createNeighbours(), absencePauseMs: 10, lateEventsMs: 0 },
  };
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  await noteWorker(database, 'worker');
  const heartbeat = setInterval(() => void noteWorker(database, 'worker'), 1_000);
  const common = { settings, holder: 'worker', log, canSignIn: async () => true };
  const loops = [
    startFillLoop({ ...common, resources: null, idleMs: 20 }),
    startFetchLoop({ ...common, concurrency: 8, onReport: () => {} }),
    startVerifyLoop({ ...common, everyMs: 0, idleMs: 20 }),
  ];
  return async () => {
    clearInterval(heartbeat);
    for (const loop of loops) await loop.close();
    await procore.close();
    await noteWorkerStopped(database, 'worker');
  };
}

async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`${url}/control/${path}`, {
    ...{ method, headers: { 'content-type': 'application/json' } },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return JSON.parse(await answer.text());
}
type Edited = { id: string };
const edit = async (edits: unknown[]) =>
  (await control<{ records: Edited[] }>('POST', 'edits', { edits })).records.map(({ id }) => id);
/** Nothing waits any more. */
const untilQuiet = () =>
  vi.waitFor(async () => expect((await database.pool.query('select from mirror.pending limit 1')).rowCount).toBe(0), {
    timeout: 60_000,
    interval: 50,
  });

test('a mirror that is equal is told to be, of every resource', async () => {
  const { code, stdout, stderr } = await mirror(['verify', '--full', '--json']);
  const { equal, differences, proofs, not_provable: notProvable, calls } = JSON.parse(stdout);
  expect(differences).toEqual([]);
  expect(stderr).not.toContain('error');
  expect(proofs.filter(({ outcome }: { outcome: string }) => outcome !== 'equal')).toEqual([]);
  expect({ code, equal }).toEqual({ code: 0, equal: true });
  expect(notProvable).toEqual(expect.arrayContaining(['Project Users', 'Manpower Logs', 'Meeting Topics']));
  expect(calls).toBeGreaterThan(100);
  const climbed = await mirror(['verify', '--json']);
  const proofsOf = JSON.parse(climbed.stdout).proofs.map(
    ({ rung, outcome }: Record<string, string>) => `${rung} ${outcome}`,
  );
  expect(climbed.code).toBe(0);
  expect(new Set(proofsOf)).toEqual(new Set(['window equal', 'bin equal', 'listing equal']));
  const words = await mirror(['verify', '--full', '--resource', 'RFIs']);
  expect(words).toMatchObject({ code: 0, stdout: 'Verify: 1 table of 1 proved equal, 0 differences, 1 call\n' });
}, 120_000);

test.each(['Locations', 'RFIs', 'Submittals'])(
  'thirty edits of %s that nobody told of are named, and repaired',
  async (resource) => {
    const table = resource.toLowerCase();
    const { rows } = await database.pool.query(
      `select id::text, project_id::text as project from procore.${table} where _deleted_at is null order by id limit 20`,
    );
    const projectId = rows[0].project;
    const [gone, changed] = [rows.slice(0, 10), rows.slice(10)].map((part) => part.map(({ id }) => id));
    const silent = { resource, companyId, projectId, silent: true };
    await edit((gone ?? []).map((id) => ({ ...silent, id, action: 'delete' })));
    const field = resource === 'Locations' ? 'name' : resource === 'RFIs' ? 'subject' : 'title';
    await edit((changed ?? []).map((id) => ({ ...silent, id, action: 'update', fields: { [field]: 'another' } })));
    const added = await edit(Array.from({ length: 10 }, () => ({ ...silent, action: 'create' })));
    const wanted = [
      ...(gone ?? []).map((id) => [id, 'extra']),
      ...(changed ?? []).map((id) => [id, 'changed']),
      ...added.map((id) => [id, 'missing']),
    ];
    const found = async (...args: string[]) => {
      const { code, stdout } = await mirror(['verify', '--json', '--resource', resource, ...args]);
      const { differences, ...rest } = JSON.parse(stdout);
      return {
        code,
        ...rest,
        named: differences.map(({ id, kind }: Record<string, string>) => [id, kind]),
        differences,
      };
    };
    const first = await found('--full');
    expect(first.named.toSorted()).toEqual(wanted.toSorted());
    expect(first).toMatchObject({ code: 1, equal: false });
    expect(first.differences.find(({ kind }: { kind: string }) => kind === 'changed').fields).toContain(field);
    expect(Object.keys(first.differences[0]).toSorted().join(' ')).toMatch(
      /^company_id (fields )?id kind project_id resource$/,
    );
    // What is gone of Locations only their whole list tells: they have no bin.
    const climbed = await found();
    expect(climbed).toMatchObject({ code: 1, equal: false });
    expect(climbed.named.toSorted()).toEqual(wanted.toSorted());
    expect(climbed.proofs[0].rung).toBe(catalogue.get(resource).bin === null ? 'listing' : 'bin');
    expect((await found('--full', '--repair')).named.toSorted()).toEqual(wanted.toSorted());
    await untilQuiet();
    for (const full of [['--full'], []])
      expect(await found(...full)).toMatchObject({ code: 0, equal: true, named: [] });
  },
  120_000,
);

test('the plan of a comparison says what each rung costs, as it comes, and compares nothing', async () => {
  const before = (await database.pool.query('select count(*)::int as n from mirror.proofs')).rows;
  for (const resource of ['RFIs', 'Locations', 'RFI Replies', 'Weather Logs']) {
    const plan = JSON.parse((await mirror(['verify', '--plan', '--full', '--resource', resource, '--json'])).stdout);
    expect(plan).toMatchObject({
      limit_is_known: expect.any(Boolean),
      share_of_hour: expect.any(Number),
      unlisted: [],
    });
    expect(plan.by_resource[resource]).toMatchObject({ calls: plan.calls, listing: plan.calls, off: 0 });
    const { calls } = JSON.parse((await mirror(['verify', '--full', '--resource', resource, '--json'])).stdout);
    expect(calls).toBe(plan.calls);
  }
  const all = JSON.parse((await mirror(['verify', '--plan', '--json'])).stdout);
  const { count, window, bin, climbed, listing } = all.by_rung;
  expect(count + window + bin + climbed).toBe(all.calls);
  expect([count, window, bin, climbed].every((calls) => calls > 0)).toBe(true);
  expect(listing).toBeGreaterThan(Math.max(100, climbed));
  expect(all.by_resource.Departments).toMatchObject({ count: 0, window: 0, bin: 0, climbed: 1, calls: 1 });
  expect(all.by_resource.RFIs).toMatchObject({ count: 1, window: 1, bin: 1, listing: 1, calls: 3 });
  const sample = JSON.parse((await mirror(['verify', '--plan', '--sample', '100', '--json'])).stdout);
  expect(sample).toMatchObject({ calls: 100, by_rung: { sample: 100 } });
  const { code, stdout } = await mirror(['verify', '--plan']);
  expect(code).toBe(0);
  expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
  expect(stdout).toMatch(/^RFIs +\d+ +1 +3 /m);
  expect(stdout).toMatch(
    /^In all: \d+ calls to count, \d+ for windows, \d+ for bins,\n\d+ to read lists that cannot be asked for what changed;\n\d+ calls to read all lists \(--full\)\.$/m,
  );
  expect((await mirror(['verify', '--plan', '--repair'])).code).toBe(2);
  const { rows } = await database.pool.query('select count(*)::int as n from mirror.proofs');
  expect(rows[0].n).toBe(before[0].n + 4);
}, 120_000);

test('a sample of an equal mirror says how many records may be wrong at most; one of all records finds a change that nobody told of', async () => {
  const equal = await mirror(['verify', '--sample', '60']);
  expect(equal).toMatchObject({ code: 0, stderr: '' });
  expect(equal.stdout).toMatch(
    /^Verify: 60 records compared, 0 differ; fewer than 3\/60 \(5\.0 %\) are wrong with 95 %, 6\d calls\n$/,
  );
  const { rows } = await database.pool.query(
    'select id::text, project_id::text as project from procore.rfis where _deleted_at is null order by id limit 1',
  );
  const [{ id, project }] = rows;
  const silent = { resource: 'RFIs', companyId, projectId: project, silent: true };
  await edit([{ ...silent, id, action: 'update', fields: { subject: 'of which nobody told' } }]);
  const found = await mirror(['verify', '--sample', '100000', '--resource', 'RFIs', '--json', '--repair']);
  const { differences, sample, ...rest } = JSON.parse(found.stdout);
  expect(found.code).toBe(1);
  expect(rest).toMatchObject({ equal: false, state: 'done', not_provable: [] });
  expect(differences).toMatchObject([
    { resource: 'RFIs', id, kind: 'changed', fields: expect.arrayContaining(['subject']) },
  ]);
  expect(sample).toMatchObject({ differ: 1, wrong_at_most: null });
  await untilQuiet();
  expect((await mirror(['verify', '--sample', '100000', '--resource', 'RFIs'])).code).toBe(0);
  expect((await mirror(['verify', '--sample', '5', '--full'])).code).toBe(2);
  expect((await mirror(['verify', '--sample', '0'])).code).toBe(2);
}, 120_000);

test('a sample of nothing is not equal, and says so', async () => {
  const { rows } = await database.pool.query(
    'update procore.departments set _hidden_at = now() where _hidden_at is null returning id',
  );
  expect(rows.length).toBeGreaterThan(0);
  const { code, stdout } = await mirror(['verify', '--sample', '10', '--resource', 'Departments', '--json']);
  const words = await mirror(['verify', '--sample', '10', '--resource', 'Departments']);
  await database.pool.query('update procore.departments set _hidden_at = null');
  expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 1, equal: false, proofs: [] });
  expect(words).toMatchObject({ code: 1, stdout: expect.stringContaining('There was nothing to compare') });
});

test('what a person asks for takes nothing of the share of comparisons that workers make by themselves', async () => {
  const { rows } = await database.pool.query(
    `select count(*) filter (where lane = 'verify')::int as own, count(*) filter (where lane = 'backfill') > 500 as asked from mirror.fetches`,
  );
  expect(rows).toEqual([{ own: 0, asked: true }]);
});

test('what could not be compared is named, and the exit code is 1; without a worker it is 3', async () => {
  await control('PUT', 'faults', [{ resource: 'Locations', kind: 'list', status: 403 }]);
  const refused = await mirror(['verify', '--full', '--resource', 'Locations']);
  await control('PUT', 'faults', []);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toMatch(/Locations +not proved: GET .* was answered 403/);
  await stopWorker();
  stopWorker = async () => {};
  const { code, stderr } = await mirror(['verify', '--detach', '--resource', 'Locations']);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^error: no worker was seen for 30 s\nfix: start one/);
});
