import { openDatabase } from '@procore-mirror/database';
import { createSecrets } from '@procore-mirror/runtime';
import { type AppProcess, createTestDatabase, startApp, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mirrorCommand } from './mirror-command.ts';

const companyId = '598134325683880';
let database: TestDatabase;
let simulator: AppProcess;
let url: string;
let projectId: string;
let ended = new AbortController();

beforeAll(async () => {
  database = await createTestDatabase();
  const limits = JSON.stringify({ callsPerHour: 4000, callsPerTenSeconds: 4000 });
  simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '1', SIMULATOR_SETTINGS: limits });
  url = String((await simulator.line('url')).url);
  const [project] = (await (await fetch(`${url}/control/world?resource=Projects`)).text()).split('\n');
  projectId = String(JSON.parse(project ?? '').id);
  expect(await mirror(['migrate'])).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await simulator.end('SIGTERM');
  await database.drop();
});

async function mirror(args: string[], env: Record<string, string> = {}, onError: (text: string) => void = () => {}) {
  const ran = { code: -1, stdout: '', stderr: '' };
  const settings = {
    DATABASE_URL: database.url,
    PROCORE_LOGIN_URL: url,
    PROCORE_API_URL: url,
    PROCORE_CLIENT_ID: 'simulator',
    PROCORE_CLIENT_SECRET: 'simulator-secret',
    PROCORE_COMPANY_IDS: companyId,
  };
  ran.code = await mirrorCommand(args, {
    env: { ...settings, ...env },
    version: '1.2.3',
    startFile: '/nowhere/start.env',
    secrets: createSecrets(),
    signal: AbortSignal.any([ended.signal, AbortSignal.timeout(60_000)]),
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
      onError(text);
    },
  });
  return ran;
}

const query = (sql: string) => database.pool.query(sql);
const toolsOff = (tools: string[]) =>
  fetch(`${url}/control/projects/${projectId}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ toolsOff: tools }),
  });

test('the plan of a fill says calls, minutes and share of an hour, for each resource, and stores nothing', async () => {
  await toolsOff(['Submittals']);
  const { code, stdout } = await mirror(['backfill', '--plan', '--json']);
  await toolsOff([]);
  expect(code).toBe(0);
  const plan = JSON.parse(stdout);
  expect(plan).toMatchObject({ calls_per_hour: 4000, limit_is_known: true, refused: [], unlisted: [] });
  expect(plan.by_resource.RFIs).toMatchObject({ records: 12, calls: 13, list_calls: 1, shows: 12, off: 0 });
  expect(plan.by_resource.Submittals).toMatchObject({ records: 0, calls: 0, off: 1 });
  const sum = Object.values<{ calls: number }>(plan.by_resource).reduce((total, { calls }) => total + calls, 0);
  expect(plan.calls).toBe(sum);
  expect(plan.share_of_hour).toBeCloseTo(sum / 4000, 3);
  expect(plan.minutes).toBeGreaterThan(0);
  expect(plan.calls_to_plan).toBeGreaterThan(50);
  const { pool, close } = openDatabase({ url: database.url, applicationName: 'test' });
  const { rows } = await pool.query(
    'select (select count(*) from procore.rfis)::int as rows, (select count(*) from mirror.backfills)::int as fills',
  );
  await close();
  expect(rows).toEqual([{ rows: 0, fills: 0 }]);
});

test('the plan of a part is of that part, and fits a terminal of 80 columns', async () => {
  await toolsOff(['Meetings', 'Daily Log', 'Drawings']);
  const { code, stdout } = await mirror(['backfill', '--plan', '--project', projectId]);
  await toolsOff([]);
  expect(code).toBe(0);
  const lines = stdout.split('\n');
  expect(lines.filter((line) => line.length > 80)).toEqual([]);
  expect(stdout).toMatch(/^RFIs +12 +1 +12 +13 +0\.3 %$/m);
  expect(stdout).not.toMatch(/^Offices/m);
  expect(stdout).toMatch(/^\d+ calls, about .+ at 4000 calls an hour\.$/m);
  expect(stdout).toMatch(/^Their tool is off, [^.]+\n(?:.+,\n)+.*\bWeather Logs \(1\),/m);
  expect(stdout).toMatch(/^Nothing was stored\. To find out took \d+ calls\.$/m);
  const one = JSON.parse((await mirror(['backfill', '--plan', '--resource', 'rfis', '--json'])).stdout);
  expect(Object.keys(one.by_resource)).toEqual(['RFIs']);
});

test.each([
  [['--resource', 'RFI'], 'did you mean "RFIs"?'],
  [['--project', '17'], 'there is no active project 17 that the service account sees'],
  [['--company', '17'], 'company 17 is not among PROCORE_COMPANY_IDS'],
])('a part that is not there is named: %s', async (args, message) => {
  const ran = await mirror(['backfill', '--plan', ...args]);
  expect(ran).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining(message) });
});

test('without companies and without Procore there is nothing to plan', async () => {
  const nobody = 'http://127.0.0.1:9';
  expect(await mirror(['backfill', '--plan'], { PROCORE_COMPANY_IDS: '' })).toMatchObject({ code: 2 });
  expect(await mirror(['backfill', '--plan'], { PROCORE_API_URL: nobody, PROCORE_LOGIN_URL: nobody })).toMatchObject({
    code: 3,
  });
});

test('to plan and to detach at once is refused', async () => {
  const message = "option '--plan' cannot be used with option '--detach'";
  for (const args of [
    ['--plan', '--detach'],
    ['--detach', '--json', '--plan'],
  ]) {
    expect(await mirror(['backfill', ...args])).toMatchObject({
      ...{ code: 2, stdout: '', stderr: expect.stringContaining(message) },
    });
  }
});

test('while it waits for calls the plan says so', async () => {
  await query(`update mirror.budget set known_by = 'header', call_limit = 4000, remaining = 0, opened_at = now(),
    reset_at = now() + interval '1 hour' where window_name = 'hour'`);
  const onError = (text: string) => text.includes('waits for calls') && ended.abort();
  const ran = await mirror(['backfill', '--plan'], {}, onError);
  ended = new AbortController();
  await query('truncate mirror.budget');
  expect(ran).toMatchObject({ code: 1, stdout: '' });
  expect(ran.stderr).toMatch(/waits for calls: 0 of 4000 calls left, next at \d\d:\d\d/);
});

test('where answers tell of no limit the plan assumes none', async () => {
  const limits = (limit: number | null) =>
    fetch(`${url}/control/settings`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ callsPerHour: limit, callsPerTenSeconds: limit }),
    });
  await limits(null);
  await query('truncate mirror.budget, mirror.first_calls');
  const { stdout } = await mirror(['backfill', '--plan', '--resource', 'RFIs']);
  const asJson = JSON.parse((await mirror(['backfill', '--plan', '--resource', 'RFIs', '--json'])).stdout);
  await limits(4000);
  await query('truncate mirror.budget, mirror.first_calls');
  expect(stdout).toMatch(/^13 calls, about .+ at the pace of answers, which tell of no limit\.$/m);
  expect(asJson).toMatchObject({ calls: 13, share_of_hour: 0, calls_per_hour: null, limit_is_known: true });
  expect(asJson.by_resource.RFIs).toMatchObject({ share_of_hour: 0 });
});
