// What `doctor` finds, brought about for real beside a worker, a receiver and the simulator: found, and gone after the cure.
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { addFetches, type Database, openDatabase } from '@procore-mirror/database';
import { type PostgresServer, startPostgres } from '@procore-mirror/embedded';
import { startRedis } from '@procore-mirror/queue/test-servers';
import { createTestDatabase, type System, startPooler, startSystem } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { findingJson, runMirror } from './testing/run-mirror.ts';

const companyId = '598134325683880';
const patience = { timeout: 60_000, interval: 250 };

const doctorJson = z.strictObject({
  verdict: z.enum(['fine', 'healing', 'needs you']),
  findings: z.array(findingJson),
  healed_at: z.iso.datetime({ offset: true }).nullable(),
  checks: z.array(
    z.strictObject({ check: z.string(), state: z.enum(['fine', 'finding', 'not checked']), detail: z.string() }),
  ),
  calls: z.number().int().min(0),
});

let directory: string;
let server: PostgresServer;
let system: System;
let database: Database;
let env: Record<string, string>;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-doctor-'));
  cleanUps.push(() => rm(directory, { recursive: true, force: true }));
  server = await startPostgres({ directory: path.join(directory, 'postgres') }); // one that forces to disk
  cleanUps.push(() => server.close());
  await server.createDatabase('mirror');
  const url = server.url('mirror');
  database = openDatabase({ url, applicationName: 'test', max: 2 });
  cleanUps.push(() => database.close());
  expect(await runMirror(['migrate'], { DATABASE_URL: url })).toMatchObject({ code: 0 });
  const simulator = { callsPerHour: null, callsPerTenSeconds: null };
  system = await startSystem({ databaseUrl: url, queueUrl: url, projects: 1, simulator });
  cleanUps.push(() => system.close());
  await system.startIngest();
  env = {
    ...{ DATABASE_URL: url, PROCORE_COMPANY_IDS: companyId, MIRROR_RESOURCES: 'RFIs,Locations,Projects' },
    ...{ PROCORE_LOGIN_URL: system.simulatorUrl, PROCORE_API_URL: system.simulatorUrl },
    ...{ PROCORE_CLIENT_ID: system.secrets.clientId, PROCORE_CLIENT_SECRET: system.secrets.clientSecret },
    ...{ WEBHOOK_URL: system.receiverUrl, WEBHOOK_AUTHORIZATION: system.secrets.authorization },
    INGEST_SPOOL_DIR: directory,
  };
  await system.startWorker({
    ...{ MIRROR_RESOURCES: 'RFIs,Locations,Projects', PROCORE_COMPANY_IDS: companyId },
    ...{ WEBHOOK_URL: system.receiverUrl, WEBHOOK_AUTHORIZATION: system.secrets.authorization },
    ...{ VERIFY_EVERY_MS: '0', REPAIR_EVERY_MS: '0', FETCH_DELAY_MS: '0' },
  });
}, 120_000);

afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

type Examined = z.infer<typeof doctorJson> & { code: number; told: string[]; stderr: string };

async function doctor(change: Record<string, string> = {}, ...args: string[]): Promise<Examined> {
  const settings = { ...env, ...change };
  const { code, stdout, stderr } = await runMirror(['doctor', '--json', ...args], settings);
  for (const name of ['PROCORE_CLIENT_SECRET', 'WEBHOOK_AUTHORIZATION'])
    if (settings[name]) expect(`${stdout}${stderr}`).not.toContain(settings[name]);
  const examined = doctorJson.parse(JSON.parse(stdout));
  return { ...examined, code, stderr, told: examined.findings.map((one) => `${one.severity} ${one.code}`) };
}

const FINE = { code: 0, verdict: 'fine', told: [] };
const needsYou = (...told: string[]) => ({ code: 1, verdict: 'needs you', told });
const warned = (...told: string[]) => ({ code: 0, verdict: 'healing', told });
const unreached = (...told: string[]) => ({
  ...needsYou(...told),
  code: 3,
  stderr: expect.stringMatching(/^error: /m),
});
const stateOf = ({ checks }: Examined, check: string) => checks.find((one) => one.check === check)?.state;
const query = (statement: string) => database.pool.query(statement);

/** Found while it lasts, and gone after the cure. */
async function untilCured(
  cause: () => Promise<unknown>,
  wanted: object,
  cure: () => Promise<unknown>,
  change: Record<string, string> = {},
): Promise<Examined> {
  await cause();
  const found = await doctor(change);
  expect(found).toMatchObject(wanted);
  await cure();
  expect(await doctor(change)).toMatchObject(FINE);
  return found;
}

test('where all is well it says so, and what it looked at', async () => {
  await expect.poll(() => doctor(), patience).toMatchObject(FINE);
  const { checks, calls, stderr } = await doctor();
  expect(checks.filter(({ state }) => state !== 'fine')).toEqual([]);
  expect(checks.map(({ check }) => check)).toEqual([
    ...['configuration', 'DATABASE_URL', 'schema', 'rights', 'counts', 'queue', 'login', `company ${companyId}`],
    ...[`permissions in company ${companyId}`, expect.stringMatching(/^permissions in project \d+$/), 'hooks'],
    ...['deprecated calls', 'clocks', 'disk: the data of Postgres', 'disk: the spool (INGEST_SPOOL_DIR)'],
    'the mirror, as status tells it',
  ]);
  expect(calls).toBeGreaterThan(5);
  expect(stderr).toMatch(/^Asks Procore for a record of each tool: .*, about 4 calls$/m);
  const inWords = await runMirror(['doctor'], env);
  expect(inWords).toMatchObject({ code: 0, stdout: expect.stringMatching(/^fine\n\n +looked at\nok +configuration /) });
  expect(inWords.stdout).toMatch(/^ok +hooks +2 of 2 scopes looked at, all as they should be$/m);
});

test.each<[what: string, change: Record<string, string>, wanted: object]>([
  ['a name that nothing reads', { PROCORE_CLIENT_SECRT: 'x' }, warned('warning setting-unknown')],
  ['a receiver without https', { WEBHOOK_URL: 'http://mirror.example.com/' }, needsYou('error setting-wrong')],
  ['the sandbox of another database', { PROCORE_ENVIRONMENT: 'sandbox' }, needsYou('error origin-differs')],
  ['no secret of Procore', { PROCORE_CLIENT_SECRET: '' }, needsYou('error setting-missing')],
  ['no receiver', { WEBHOOK_URL: '' }, { code: 0, verdict: 'fine', told: ['info setting-missing'] }],
])('settings: %s', async (_, change, wanted) => {
  expect(await doctor(change)).toMatchObject(wanted);
});

test('without the address of a database every problem is listed, as by every command', async () => {
  const { code, stdout, stderr } = await runMirror(['doctor'], { PROCORE_API_URL: 'http://example.com' });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: DATABASE_URL is not set/m);
  expect(stderr).toMatch(/^error: PROCORE_API_URL: /m);
  expect(stderr).toMatch(/^error: PROCORE_CLIENT_ID is not set$/m);
});

test('a server that is down is named, and hides nothing else', async () => {
  const away = createServer().listen(0, '127.0.0.1');
  await once(away, 'listening');
  const { port } = away.address() as { port: number }; // it listens on TCP
  away.close();
  const nobody = `127.0.0.1:${port}`;
  const down = await doctor({ DATABASE_URL: `postgres://a:b@${nobody}/c`, QUEUE_URL: env.DATABASE_URL ?? '' });
  expect(down).toMatchObject(unreached('error database-unreachable'));
  expect(down.stderr).toContain(nobody);
  expect([stateOf(down, 'queue'), stateOf(down, 'login'), stateOf(down, 'the mirror')]).toEqual([
    'fine',
    'fine',
    'not checked',
  ]);
  expect(await doctor({ QUEUE_URL: `redis://${nobody}` })).toMatchObject(unreached('error queue-unreachable'));
  expect(await doctor({ PROCORE_LOGIN_URL: `http://${nobody}` })).toMatchObject(unreached('error login-unreachable'));
  expect(await doctor({ PROCORE_API_URL: `http://${nobody}` })).toMatchObject(unreached('error procore-unreachable'));
});

test('a Postgres that forgets', async () => {
  const forgets = [
    'alter database mirror set synchronous_commit = off',
    'alter database mirror reset synchronous_commit',
  ];
  await untilCured(
    () => query(forgets[0] ?? ''),
    needsYou('error postgres-forgets'),
    () => query(forgets[1] ?? ''),
  );
});

test('counts that are off, because somebody wrote while triggers were disabled', async () => {
  await query('alter table procore.locations disable trigger user');
  await query('insert into procore.locations (company_id, project_id, id, _version) values (7, 8, 1, 1)');
  await query('alter table procore.locations enable trigger user');
  expect(await doctor()).toMatchObject(warned('warning counts-off'));
  const migrated = await runMirror(['migrate', '--recount'], env);
  expect(migrated.stdout).toMatch(/^The database is up to date\.\nThe workers count \d+ tables anew\.\n$/);
  await expect.poll(() => doctor(), patience).toMatchObject(FINE);
  await query('delete from procore.locations where id = 1');
  expect(await doctor()).toMatchObject(FINE);
});

test('a database that was not migrated, on a server that forces nothing to disk', async () => {
  const other = await createTestDatabase();
  try {
    const found = await doctor({ DATABASE_URL: other.url });
    expect(found).toMatchObject(needsYou('error postgres-forgets', 'error schema-misfit'));
    expect(stateOf(found, 'login')).toBe('fine');
    expect(await runMirror(['migrate'], { DATABASE_URL: other.url })).toMatchObject({ code: 0 });
    const { told } = await doctor({ DATABASE_URL: other.url });
    expect(told).toContain('error postgres-forgets');
    expect(told).not.toContain('error schema-misfit');
  } finally {
    await other.drop();
  }
});

test('a pooler in between, and an address without one', async () => {
  const pooler = await startPooler({ url: env.DATABASE_URL ?? '', mode: 'transaction' });
  try {
    const pooled = { DATABASE_URL: pooler.url };
    expect(await doctor(pooled)).toMatchObject(needsYou('error pooler-in-between'));
    expect(await doctor({ ...pooled, DATABASE_URL_DIRECT: pooler.url })).toMatchObject(
      needsYou('error pooler-in-between'),
    );
    expect(await doctor({ ...pooled, DATABASE_URL_DIRECT: env.DATABASE_URL ?? '' })).toMatchObject(FINE);
  } finally {
    await pooler.close();
  }
  const elsewhere = { DATABASE_URL_DIRECT: server.url('postgres'), QUEUE_URL: env.DATABASE_URL ?? '' };
  expect(await doctor(elsewhere)).toMatchObject(needsYou('error databases-differ'));
});

test('a Redis that forgets', async () => {
  const redis = await startRedis([]);
  const queue = { QUEUE_URL: redis.url };
  try {
    expect(await doctor(queue)).toMatchObject(needsYou('error queue-forgets'));
    expect(await doctor({ ...queue, QUEUE_ALLOW_VOLATILE: '1' })).toMatchObject(warned('warning queue-forgets'));
    await redis.kill();
    await redis.start(['--appendonly', 'yes', '--appendfsync', 'everysec']);
    expect(await doctor(queue)).toMatchObject({ code: 0, verdict: 'fine', told: ['info queue-may-forget'] });
    await redis.kill();
    await redis.start(['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory', '1000kb']);
    expect((await doctor(queue)).told).toContain('error queue-in-trouble');
    await redis.kill();
    await redis.start(['--appendonly', 'yes', '--appendfsync', 'always']);
    expect(await doctor(queue)).toMatchObject(FINE);
  } finally {
    await redis.close();
  }
});

test('credentials that are refused', async () => {
  const found = await doctor({ PROCORE_CLIENT_SECRET: 'a-secret-of-another-app' });
  expect(found).toMatchObject(needsYou('error credentials-refused'));
  expect(found.calls).toBe(0);
});

test('while the secret is rotated it tells which value deliveries bear', async () => {
  const { authorization } = system.secrets;
  const { checks } = await doctor({ WEBHOOK_AUTHORIZATION: `${authorization},Bearer that-was-there-before` });
  const { detail = '' } = checks.find(({ check }) => check === 'hooks') ?? {};
  expect(detail).toMatch(/; with an old one: none. 2 hooks were given it\. `pnpm mirror hooks status` tells/);
});

test('an app that is disconnected', async () => {
  const connect = (connected: boolean) => system.control('PATCH', `/control/companies/${companyId}`, { connected });
  const wanted = needsYou('error company-not-connected');
  const { findings, checks } = await untilCured(
    () => connect(false),
    wanted,
    () => connect(true),
  );
  const unasked = { state: 'not checked', detail: expect.stringContaining('403') };
  for (const check of ['permissions', 'hooks']) expect(checks).toContainEqual({ check, ...unasked });
  expect(findings).toMatchObject([
    { company_id: companyId, project_id: null, fix: expect.stringContaining('App Management') },
  ]);
  const unseen = await doctor({ PROCORE_COMPANY_IDS: `${companyId},42` }, '--company', '42');
  expect(unseen.told).toEqual(['error company-not-connected']);
});

test('calls that are used up are waited for by nobody', async () => {
  const limit = (callsPerHour: number | null) => system.control('PATCH', '/control/settings', { callsPerHour });
  const wanted = warned('warning calls-used-up');
  await limit(1);
  const found = await doctor();
  expect(found).toMatchObject(wanted);
  expect([stateOf(found, `company ${companyId}`), stateOf(found, 'projects')]).toEqual(['fine', 'not checked']);
  const again = await doctor();
  expect(again).toMatchObject({ ...wanted, calls: 0 });
  expect(stateOf(again, `company ${companyId}`)).toBe('not checked');
  await limit(null);
  await query('delete from mirror.budget');
  expect(await doctor()).toMatchObject(FINE);
});

test('a permission that lacks, in the words of Procore, and a tool that is off', async () => {
  const refuse = () => system.control('PUT', '/control/faults', [{ resource: 'RFIs', kind: 'list', status: 403 }]);
  const permit = () => system.control('DELETE', '/control/faults');
  const { findings } = await untilCured(refuse, needsYou('error tool-refused'), permit);
  expect(findings).toMatchObject([
    {
      project_id: expect.stringMatching(/^\d+$/),
      message: expect.stringMatching(/may not read RFIs in project \d+: GET .*\/rfis of company \d+ was answered 403/),
      fix: expect.stringContaining('Read Only or more on RFIs'),
    },
  ]);
  const [project] = findings;
  const turn = (toolsOff: string[]) =>
    system.control('PATCH', `/control/projects/${project?.project_id}`, { toolsOff });
  await turn(['RFIs']);
  const { checks, told } = await doctor({}, '--project', project?.project_id ?? '');
  await turn([]);
  expect({ told, detail: checks.find(({ check }) => check.startsWith('permissions'))?.detail }).toEqual({
    ...{ told: [], detail: '1 tool readable; off: RFIs' },
  });
});

test('a project or company that there is not is no good news', async () => {
  expect(await runMirror(['doctor', '--project', '42'], env)).toMatchObject({ code: 2, stdout: '' });
  expect(await runMirror(['doctor', '--company', '42'], env)).toMatchObject({ code: 2, stdout: '' });
});

test('a hook that is disabled, and one that is missing', async () => {
  type Hook = { id: string; projectId: string | null };
  const hooks = await system.control<Hook[]>('GET', '/control/hooks');
  const [first] = hooks;
  const apply = () => runMirror(['hooks', 'apply'], env);
  const disable = () => system.control('PATCH', `/control/hooks/${first?.id}`, { status: 'disabled' });
  const { checks } = await untilCured(disable, needsYou('error hook-disabled'), apply);
  expect(checks).toContainEqual({
    ...{ check: 'hooks', state: 'finding' },
    detail: '2 of 2 scopes looked at, 1 not as they should be',
  });
  const other = { WEBHOOK_NAMESPACE: 'another-one' };
  const found = await doctor(other);
  expect(found).toMatchObject(needsYou('error hook-missing'));
  expect(found.findings[0]?.fix).toBe('pnpm mirror hooks apply');
});

test('a path that Procore has deprecated, in the catalogue and among calls', async () => {
  const file = path.join(directory, 'catalogue.json');
  await writeFile(file, JSON.stringify([{ resource: 'ToDos', show: '/rest/v1.0/todos/{id}', list: null }]));
  const read = await doctor({
    MIRROR_CATALOGUE: file,
    MIRROR_RESOURCES: `${env.MIRROR_RESOURCES},ToDos`,
    WEBHOOK_URL: '',
  });
  expect(read).toMatchObject(warned('warning deprecated-calls', 'info setting-missing'));
  expect(read.findings[0]).toMatchObject({ resource: 'ToDos', fix: expect.stringContaining('MIRROR_CATALOGUE') });
  const call = {
    ...{
      version: null,
      companyId,
      projectId: null,
      resource: null,
      lane: null,
      status: 200,
      ms: 9,
      bytes: 9,
      records: 1,
    },
    ...{ route: 'GET /rest/v1.0/todos/{id}', agoMs: 60_000 },
  };
  const forget = () => query("delete from mirror.fetches where route like '%/todos/%'");
  await untilCured(() => addFetches(database, [call]), warned('warning deprecated-calls'), forget);
});

test('rights that are not as they should be', async () => {
  const causes = [
    ['grant update on procore.rfis to procore_reader', 'revoke update on procore.rfis from procore_reader'],
    ['grant insert on procore.rfis to public', 'revoke insert on procore.rfis from public'],
    [
      'create role doctor_test_tool; grant delete on procore.rfis to doctor_test_tool',
      'drop owned by doctor_test_tool; drop role doctor_test_tool',
    ],
    ['revoke select on procore.rfis from procore_reader', 'grant select on procore.rfis to procore_reader'],
    [
      'grant select on mirror.dead_letters to procore_reader',
      'revoke select on mirror.dead_letters from procore_reader',
    ],
    ['alter role procore_reader login', 'alter role procore_reader nologin'],
    ['alter table procore.rfis enable row level security', 'alter table procore.rfis disable row level security'],
    ['grant create on schema procore to public', 'revoke create on schema procore from public'],
  ];
  const { told } = await untilCured(
    () => query(causes.map(([cause]) => cause).join(';')),
    { code: 1, verdict: 'needs you' },
    () => query(causes.map(([, cure]) => cure).join(';')),
  );
  expect(told.toSorted()).toEqual([
    ...['error others-may-write', 'error others-may-write', 'error reader-may-write', 'info row-security'],
    ...[
      'warning others-may-write',
      'warning reader-lacks-rights',
      'warning reader-may-log-in',
      'warning reader-sees-more',
    ],
  ]);
});

test('a disk that cannot be used', async () => {
  const file = path.join(directory, 'spool');
  await writeFile(file, '');
  await untilCured(
    async () => {},
    needsYou('error disk-unusable'),
    () => rm(file),
    { INGEST_SPOOL_DIR: file },
  );
  const gone = await doctor({ INGEST_SPOOL_DIR: file });
  expect(stateOf(gone, 'disk: the spool (INGEST_SPOOL_DIR)')).toBe('not checked');
});

test('a clock that is off', async () => {
  await system.control('POST', '/control/clock', { advanceMs: 60_000 });
  expect(await doctor()).toMatchObject(warned('warning clock-off'));
});
