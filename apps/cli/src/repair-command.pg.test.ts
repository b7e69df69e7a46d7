// `mirror repair` and what `status` tells of deliveries, beside a worker that is this test; e2e/whole/repair.prove.ts has a real one.
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, finishRepair, noteFailedLook, noteWorker, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { createSecrets } from '@procore-mirror/runtime';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { mirrorCommand } from './mirror-command.ts';

const patience = { timeout: 20_000, interval: 50 };
let testDatabase: Awaited<ReturnType<typeof createMigratedDatabase>>;
let database: Database;
const query = (sql: string) => database.pool.query(sql);

beforeAll(async () => {
  testDatabase = await createMigratedDatabase(catalogue.tables);
  database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await testDatabase.drop();
});
beforeEach(async () => {
  await query('truncate mirror.repairs, mirror.delivery_looks, mirror.hooks, mirror.workers, mirror.undelivered');
  await query(`insert into mirror.hooks (company_id, project_id, payload_version, hook_id)
    values (1, null, 'v4.0', 'A'), (1, 7, 'v4.0', 'B'), (2, 8, 'v4.0', 'C')`);
});

async function mirror(args: string[], signal = AbortSignal.timeout(60_000)) {
  const ran = { code: -1, stdout: '', stderr: '' };
  ran.code = await mirrorCommand(args, {
    ...{ env: { DATABASE_URL: testDatabase.url }, version: '1.2.3', startFile: '/nowhere/start.env', signal },
    secrets: createSecrets(),
    write: (text) => {
      ran.stdout += text;
    },
    writeError: (text) => {
      ran.stderr += text;
    },
  });
  return ran;
}
type Row = { request: string; company: string; project: string | null; since: string | null };
const asked = async () => {
  const { rows } =
    await query(`select request, company_id::text as company, project_id::text as project, since from mirror.repairs
    where finished_at is null order by company_id`);
  return rows as Row[]; // the statement's columns
};
/** The worker: ends whatever is asked for. */
async function finishAll(olderThanLog: string[] = []): Promise<void> {
  await expect.poll(async () => (await asked()).length, patience).toBeGreaterThan(0);
  for (const { request, company } of await asked())
    await finishRepair(database, { request, companyId: company }, { olderThanLog, calls: 3 });
}

test('what is asked for is done by workers, and told', async () => {
  await noteWorker(database, 'worker');
  const [ran] = await Promise.all([mirror(['repair', '--json']), finishAll()]);
  expect(ran).toMatchObject({ code: 0, stderr: '' });
  const requests = [expect.any(String)];
  expect(JSON.parse(ran.stdout)).toEqual({
    ...{ state: 'done', requests, hooks: 3, looks: 0, calls: 6, events_found: 0, events_new: 0, events_unread: 0 },
    unreached: [],
  });
});

test('what stayed out of reach makes exit code 1', async () => {
  await noteWorker(database, 'worker');
  const refuse = async () => {
    await expect.poll(async () => (await asked()).length, patience).toBe(1);
    const place = { companyId: '1', projectId: '7', hookId: 'B', status: 'discarded' };
    await noteFailedLook(database, place, { finding: 'HTTP 403: no', nextInMs: 0, calls: 1 });
    await finishAll(['2026-06-28']);
  };
  const [ran] = await Promise.all([mirror(['repair', '--company', '1']), refuse()]);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('HTTP 403: no');
  expect(ran.stdout).toContain('older than the log: 2026-06-28 (company 1)');
  expect(ran.stdout).toContain('Repair: 2 hooks, 4 calls, 0 events in the log, 0 brought in');
});

test('Procore that is not reached makes exit code 3', async () => {
  await noteWorker(database, 'worker');
  const fail = async () => {
    await expect.poll(async () => (await asked()).length, patience).toBe(1);
    const place = { companyId: '1', projectId: '7', hookId: 'B', status: 'discarded' };
    const finding = 'not asked, because 3 logs in a row were refused: Procore was not reached: connect ECONNREFUSED';
    await noteFailedLook(database, place, { finding, nextInMs: 0, calls: 1 });
    await finishAll();
  };
  const [ran] = await Promise.all([mirror(['repair', '--company', '1', '--json']), fail()]);
  expect(ran).toMatchObject({ code: 3, stderr: expect.stringContaining('ECONNREFUSED') });
  expect(JSON.parse(ran.stdout).unreached).toHaveLength(1);
});

test('a project that left has no log to read', async () => {
  await query(
    'insert into mirror.selection (company_id, project_id, is_selected, left_at) values (1, 7, false, now())',
  );
  const ran = await mirror(['repair', '--project', '7']);
  expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('of what is selected') });
  await query('truncate mirror.selection');
});

test('the part and the time are kept with the request; the same again joins it, and --detach returns at once', async () => {
  await noteWorker(database, 'worker');
  const args = ['repair', '--project', '7', '--since', '2026-06-28', '--detach', '--json'];
  const [first, second] = [await mirror(args), await mirror(args)];
  expect(first).toMatchObject({ code: 0 });
  expect(JSON.parse(second.stdout).requests).toEqual(JSON.parse(first.stdout).requests);
  const [row, ...more] = await asked();
  expect(more).toEqual([]);
  expect([row?.company, row?.project, new Date(row?.since ?? '').toISOString()]).toEqual([
    '1',
    '7',
    '2026-06-28T00:00:00.000Z',
  ]);
});

test('without a worker it is kept, with exit code 3; told to end it goes on without', async () => {
  expect(await mirror(['repair', '--detach'])).toMatchObject({ code: 3, stderr: expect.stringContaining('no worker') });
  expect(await asked()).toHaveLength(2);
  await noteWorker(database, 'worker');
  const ran = await mirror(['repair'], AbortSignal.timeout(1_000));
  expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining('The workers go on with it') });
  expect(await asked()).toHaveLength(2);
});

test.each([
  [['--since', 'tomorrow'], 'A moment looks like'],
  [['--since', '2999-01-01'], 'lies in the future'],
  [['--company', '9'], 'no hook is known there'],
  [['--project', '9'], 'no hook is known there'],
])('used wrongly: %j', async (args, message) => {
  expect(await mirror(['repair', ...args])).toMatchObject({ code: 2, stderr: expect.stringContaining(message) });
});

test('status tells of what Procore could not deliver, of refused logs and of what was brought in', async () => {
  const fine = await mirror(['status', '--json']);
  expect(JSON.parse(fine.stdout).deliveries).toMatchObject({ undelivered: [], silent: [] });
  await query(`insert into mirror.undelivered values (1, now(), 12, now() - interval '7 hours', 6)`);
  await query(`insert into mirror.events (id, company_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome, via)
    values ('E', 1, 'RFIs', '1', 'create', now(), now(), 'v4.0', '{}', 'ignored', 'delivery log')`);
  const place = { companyId: '1', projectId: '7', hookId: 'B', status: 'discarded' };
  await noteFailedLook(database, place, { finding: 'HTTP 403: no', nextInMs: 0, calls: 1 });
  const ran = await mirror(['status', '--all']);
  expect(ran.code).toBe(1);
  expect(ran.stdout).toContain('error undelivered, for 7 h: Procore could not deliver 12 events of company 1');
  expect(ran.stdout).toContain('warning log-unread: The log of deliveries of 1 hook could not be read');
  expect(ran.stdout).toContain('The log of deliveries of 1 hook cannot be read (HTTP 403: no).');
  expect(ran.stdout).toContain('(worker-silent, undelivered, log-unread), 1 event brought in by repair');
});
