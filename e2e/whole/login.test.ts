// A login that fails stops nothing for longer than it lasts, and a new secret needs no restart.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AppProcess, startApp } from '@procore-mirror/testing';
import { type ExpectStatic, test } from 'vitest';
import { expectNoSecretWritten } from './find-secrets.ts';
import { aBody, deliver, type Mirror, startMirror } from './start-mirror.ts';

type Made = { records: { id: string; companyId: string; projectId: string }[] };

const records = 30;

/** Plays it on a mirror and with a directory of its own: all of them mostly wait, so they do so side by side. */
function story(title: string, play: (mirror: Mirror, expect: ExpectStatic, directory: string) => Promise<void>): void {
  test.concurrent(title, { timeout: 180_000 }, async ({ expect }) => {
    const directory = await mkdtemp(path.join(tmpdir(), 'login-'));
    const simulator = { callsPerHour: null, callsPerTenSeconds: null };
    const mirror = await startMirror('postgres', { projects: 1, simulator });
    try {
      await mirror.system.startIngest();
      await play(mirror, expect, directory);
    } finally {
      await mirror.close();
      await rm(directory, { recursive: true });
    }
  });
}

/** News of records of several resources, so that many batches are due at once. */
async function news({ system }: Mirror, expect: ExpectStatic): Promise<void> {
  const resources = ['RFIs', 'Submittals', 'Punch Items', 'Meetings', 'Observation Items'];
  const edits = resources.flatMap((resource) => Array(records / 5).fill({ resource, action: 'create', silent: true }));
  const made = await system.control<Made>('POST', '/control/edits', { edits });
  for (const [number, { id, companyId, projectId }] of made.records.entries()) {
    const resource_type = edits[number].resource;
    const body = aBody({ company_id: companyId, project_id: projectId, resource_type, resource_id: id });
    expect(await deliver(system, body)).toBe(204);
  }
}

/** What the worker says of itself. */
async function ready(worker: AppProcess): Promise<{ status: number; text: string }> {
  const { admin_port } = await worker.line('admin_port');
  const answer = await fetch(`http://127.0.0.1:${admin_port}/readyz`);
  return { status: answer.status, text: await answer.text() };
}

async function logins({ system }: Mirror): Promise<number> {
  return (await system.control<{ byKind: { login: number } }>('GET', '/control/calls')).byKind.login;
}

function logged(worker: AppProcess, message: string): number {
  return worker.output().split(message).length - 1;
}

async function expectEqual({ database, untilQuiet }: Mirror, expect: ExpectStatic): Promise<void> {
  await untilQuiet(records);
  const count = async (table: string) =>
    (await database.pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)).rows[0]?.count;
  expect(await count('procore.rfis')).toBe(records / 5);
  expect(await count('procore.meetings')).toBe(records / 5);
  expect(await count('mirror.dead_letters')).toBe(0);
}

const within = (timeout: number) => ({ timeout, interval: 100 });

story(
  'a 401 with a page, from whoever stands between, holds up fetching for about as long as it lasts',
  async (mirror, expect) => {
    const { system } = mirror;
    const page = { kind: 'login', status: 401, body: '<html>Who are you?</html>' };
    await system.control('PUT', '/control/faults', [page]);
    const worker = await system.startWorker();
    await news(mirror, expect);
    await expect.poll(() => ready(worker), within(60_000)).toMatchObject({ status: 503 });
    expect((await ready(worker)).text).toContain('answered 401 where a token was expected');
    await system.control('DELETE', '/control/faults');
    await expect.poll(() => ready(worker), within(60_000)).toMatchObject({ status: 200 });
    await expectEqual(mirror, expect);
    expect(logged(worker, 'signing in fails')).toBe(1);
    expect(logged(worker, 'signing in works again')).toBe(1);
  },
);

story('a rejection is asked about again by a probe, and ends by itself', async (mirror, expect) => {
  const { system } = mirror;
  const { clientId, clientSecret } = system.secrets;
  await system.control('PUT', `/control/clients/${clientId}`, { secret: 'a-secret-that-the-worker-does-not-have' });
  const worker = await system.startWorker();
  await news(mirror, expect);
  await expect.poll(() => ready(worker), within(60_000)).toMatchObject({ status: 503 });
  expect((await ready(worker)).text).toContain('rejects the service account (invalid_client)');
  await system.control('PUT', `/control/clients/${clientId}`, { secret: clientSecret });
  await expect.poll(() => ready(worker), within(60_000)).toMatchObject({ status: 200 });
  await expectEqual(mirror, expect);
  expect(await logins(mirror)).toBeLessThanOrEqual(3);
  expect(logged(worker, 'signing in fails')).toBe(1);
  expect(logged(worker, '"outcome":"parked"')).toBeLessThanOrEqual(16);
  const unsent = await mirror.database.pool.query('select from mirror.fetches where status is null');
  expect(unsent.rowCount).toBe(0);
});

story('a renewal that is refused shows in the status until a token is to be had', async (mirror, expect) => {
  const { system, database } = mirror;
  const scopes = async () =>
    (await database.pool.query('select company_id, project_id, resource, reason, detail from mirror.scopes')).rows;
  // The token lives for 20 s, and a call that comes 3 to 5 s before its end has it renewed while it still uses the old one.
  await system.control('PATCH', '/control/settings', { tokenSeconds: 20 });
  const worker = await system.startWorker();
  const told = news(mirror, expect);
  await expect.poll(() => logins(mirror), within(30_000)).toBe(1);
  const signedInAt = performance.now();
  await told;
  await mirror.untilQuiet(records);
  const refusal = { kind: 'login', status: 401, body: '{"error":"invalid_client"}' };
  await system.control('PUT', '/control/faults', [refusal]);
  await sleep(Math.max(0, signedInAt + 17_200 - performance.now()));
  const { rows } = await database.pool.query<Record<string, string>>('select * from procore.rfis limit 1');
  const { company_id, project_id, id } = rows[0] ?? {};
  expect(await deliver(system, aBody({ company_id, project_id, resource_type: 'RFIs', resource_id: id }))).toBe(204);
  await expect.poll(() => logged(worker, 'signing in fails'), within(30_000)).toBe(1);
  await news(mirror, expect);
  const everything = { company_id: null, project_id: null, resource: null, reason: 'no_token' };
  await expect
    .poll(scopes, within(40_000))
    .toEqual([{ ...everything, detail: expect.stringContaining('rejects the service account (invalid_client)') }]);
  await sleep(8_000); // by then what the last token still brought is over
  expect(await scopes()).toMatchObject([everything]);
  const status = startApp(
    'cli',
    { DATABASE_URL: mirror.queueUrl },
    { args: ['status', '--company', company_id ?? ''] },
  );
  await expect.poll(() => status.isRunning(), within(60_000)).toBe(false);
  expect(await status.end('SIGTERM')).toBe(1);
  expect(status.output()).toContain('credentials-refused');
  await system.control('DELETE', '/control/faults');
  await mirror.untilQuiet(2 * records + 1);
  expect(await scopes()).toEqual([]);
});

story(
  'a secret that is regenerated at Procore and written to its file is used without a restart',
  async (mirror, expect, directory) => {
    const { system, database } = mirror;
    const { clientId, clientSecret } = system.secrets;
    const file = path.join(directory, 'client-secret');
    await writeFile(file, `${clientSecret}\n`);
    const worker = await system.startWorker({ PROCORE_CLIENT_SECRET: '', PROCORE_CLIENT_SECRET_FILE: file });
    const { secret } = await system.control<{ secret: string }>('POST', `/control/clients/${clientId}/secret`);
    await news(mirror, expect);
    await expect.poll(() => ready(worker), within(60_000)).toMatchObject({ status: 503 });
    await writeFile(file, '');
    await expect.poll(() => logged(worker, 'a secret cannot be read again'), within(30_000)).toBe(1);
    await writeFile(file, `${secret}\n`);
    await expect.poll(() => ready(worker), within(30_000)).toMatchObject({ status: 200 });
    await expectEqual(mirror, expect);
    // A token that is void by now is dropped when the API refuses it, and no company is blamed for it.
    const again = await system.control<{ secret: string }>('POST', `/control/clients/${clientId}/secret`);
    await writeFile(file, again.secret);
    await news(mirror, expect);
    await mirror.untilQuiet(2 * records);
    expect((await database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
    expect(worker.output()).not.toContain(secret);
    expect(worker.output()).not.toContain(again.secret);
    await expectNoSecretWritten(mirror);
  },
);
