import { catalogue } from '@procore-mirror/catalogue';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { startApp } from '@procore-mirror/testing';
import { test } from 'vitest';
import { startLoneWorker } from './lone-worker.fixture.ts';

test('unknown names in MIRROR_RESOURCES stop the worker at its start, each with the nearest', async ({ expect }) => {
  const worker = startApp('worker', {
    DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:1/none',
    PROCORE_CLIENT_ID: 'client',
    PROCORE_CLIENT_SECRET: 'a-client-secret',
    MIRROR_RESOURCES: 'RFI, Submittals, Punch Item',
  });
  await expect.poll(() => worker.isRunning(), { timeout: 30_000 }).toBe(false);
  expect(await worker.end('SIGTERM')).toBe(2);
  expect(worker.output()).toContain('MIRROR_RESOURCES: there is no resource "RFI", did you mean "RFIs"?');
  expect(worker.output()).toContain('did you mean "Punch Items"?');
});

test('a worker does not start on the mirror of another environment', async ({ expect }) => {
  const server = await createMigratedDatabase(catalogue.tables);
  await server.pool.query(
    `insert into mirror.origin (environment) values ('monthly-sandbox');
      insert into procore.rfis (company_id, project_id, id, _version) values (1, 2, 3, 1)`,
  );
  const worker = startLoneWorker(server.url);
  await expect.poll(() => worker.isRunning(), { timeout: 30_000 }).toBe(false);
  expect(await worker.end('SIGTERM')).toBe(2);
  expect(worker.output()).toContain('PROCORE_ENVIRONMENT: the database of DATABASE_URL mirrors monthly-sandbox');
  await server.drop();
});

test.concurrent.for([
  {
    becomes: 'newer',
    change: `insert into mirror.migrations (name, hash) values ('0999_of-tomorrow', 'unknown')`,
    message: 'it has seen 0999_of-tomorrow',
  },
  {
    becomes: 'older',
    change: `delete from mirror.migrations where name = '0001_try-casts'`,
    message: 'the database lacks 1 migration(s), first 0001_try-casts',
  },
])(
  'a database that becomes $becomes under a running worker makes it unready, then ends it as a start on it would end',
  { timeout: 180_000 },
  async ({ change, message }, { expect }) => {
    const server = await createMigratedDatabase(catalogue.tables);
    const worker = startLoneWorker(server.url);
    const port = (await worker.line('admin_port')).admin_port;
    const readiness = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      return `${answer.status} ${await answer.text()}`;
    };
    await expect.poll(readiness, { timeout: 30_000 }).toContain('200');
    await server.pool.query(change);
    await expect.poll(readiness, { timeout: 60_000 }).toContain(message);
    expect(await readiness()).toContain('503');
    await expect.poll(() => worker.isRunning(), { timeout: 60_000 }).toBe(false);
    const start = startLoneWorker(server.url);
    await expect.poll(() => start.isRunning(), { timeout: 30_000 }).toBe(false);
    const [codeOfWorker, codeOfStart] = [await worker.end('SIGTERM'), await start.end('SIGTERM')];
    expect([codeOfWorker, codeOfStart]).toEqual([1, 1]);
    for (const { output } of [worker, start]) expect(output()).toContain(message);
    await server.drop();
  },
);

test.concurrent('one of two workers tells of the database in /metrics, another takes over, and without the database none does', {
  timeout: 120_000,
}, async ({ expect }) => {
  const server = await createMigratedDatabase(catalogue.tables);
  const workers = [startLoneWorker(server.url), startLoneWorker(server.url)];
  const ports = await Promise.all(workers.map(async (worker) => (await worker.line('admin_port')).admin_port));
  const page = async (port: unknown) => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const tellers = async () => {
    const pages = await Promise.all(ports.map(async (port) => page(port).catch(() => '')));
    expect(pages.map((text) => text.includes('procore_mirror_verdict'))).toEqual(
      pages.map((text) => text.includes('procore_mirror_tells_of_database 1')),
    );
    return pages.flatMap((text, index) => (text.includes('procore_mirror_tells_of_database 1') ? [index] : []));
  };
  const patience = { timeout: 30_000 };
  await expect.poll(async () => (await tellers()).length, patience).toBe(1);
  const [teller = 0] = await tellers();
  const other = 1 - teller;
  const text = await page(ports[teller]);
  expect(text).toMatch(/procore_mirror_findings\{code="receiver-silent",severity="(error|warning)"\} \d/);
  for (const secret of ['a-client-secret', new URL(server.url).password]) expect(text).not.toContain(secret);
  await workers[teller]?.end('SIGTERM');
  await expect.poll(tellers, patience).toEqual([other]);
  await server.drop();
  await expect.poll(() => page(ports[other]), patience).toContain('procore_mirror_database_reachable 0');
  const last = await page(ports[other]);
  expect(last).toContain('procore_mirror_calls_total{lane="live",status="200"} 0');
  expect(last).not.toContain('procore_mirror_verdict');
  await workers[other]?.end('SIGKILL');
});
