// Every process reads addresses in the same way, tells all that is wrong with them at once, and works with poolers that let it.
import { createTestDatabase, startApp, startPooler, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aBody, deliver, startMirror } from './start-mirror.ts';

const credentials = {
  PROCORE_CLIENT_ID: 'client',
  PROCORE_CLIENT_SECRET: 'a-client-secret',
  WEBHOOK_AUTHORIZATION: 'Bearer of-at-least-16-characters',
  ADMIN_PORT: '0',
  INGEST_PORT: '0',
};

type App = 'ingest' | 'worker' | 'cli';
const apps: App[] = ['ingest', 'worker', 'cli'];

async function outcomeOf(app: App, env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const started = startApp(app, { ...credentials, ...env }, app === 'cli' ? { args: ['status'] } : {});
  try {
    await expect.poll(() => started.isRunning(), { timeout: 30_000 }).toBe(false);
  } finally {
    await started.end('SIGKILL');
  }
  return { code: await started.end('SIGTERM'), output: started.output() };
}

test.each(apps)('%s tells every problem at once, and starts nothing', async (app) => {
  const { code, output } = await outcomeOf(app, {
    DATABASE_URL: 'postgres://app:hunter2hunter2@db.example:99999/mirror?sslmode=prefer',
    DATABASE_URL_DIRECT: 'postgres://one,two/mirror',
    QUEUE_URL: 'redis://app:hunter2hunter2@127.0.0.1/first',
    FETCH_DELAY_MS: '-1',
    MIRROR_RESOURCES: 'RFI',
    INGEST_SPOOL_DIR: '/proc/spool',
  });
  expect(code).toBe(2);
  const named = [...output.matchAll(/(?:ingest|worker|error): ([A-Z_]+): /g)].map(([, name]) => name);
  const addresses = ['DATABASE_URL', 'DATABASE_URL', 'DATABASE_URL_DIRECT', 'QUEUE_URL'];
  const more = {
    ingest: ['INGEST_SPOOL_DIR'],
    worker: ['FETCH_DELAY_MS', 'MIRROR_RESOURCES'],
    cli: ['MIRROR_RESOURCES'],
  };
  expect(named.toSorted()).toEqual([...addresses, ...more[app]].toSorted());
  expect(output).not.toContain('hunter2');
});

describe('with a pooler that shares sessions', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  test.each(apps)('and no other address %s says so, and ends', async (app) => {
    const pooler = await startPooler({ url: database.url, mode: 'transaction' });
    try {
      const { code, output } = await outcomeOf(app, { DATABASE_URL: pooler.url });
      expect(output).toMatch(/DATABASE_URL: at 127\.0\.0\.1:\d+\/\w+ a pooler .*DATABASE_URL_DIRECT/);
      expect(output).not.toContain(new URL(database.url).password);
      expect(code).toBe(2);
    } finally {
      await pooler.close();
    }
  });
});

describe.each([
  { mode: 'session', direct: false },
  { mode: 'transaction', direct: true },
] as const)('behind a pooler in $mode mode, with the address of the server: $direct', ({ mode, direct }) => {
  test('a delivery becomes a row', async () => {
    const mirror = await startMirror('postgres', { projects: 1 });
    const pooler = await startPooler({ url: mirror.queueUrl, mode });
    const env = { DATABASE_URL: pooler.url, QUEUE_URL: '', ...(direct && { DATABASE_URL_DIRECT: mirror.queueUrl }) };
    try {
      await mirror.system.startIngest(env);
      await mirror.system.startWorker(env);
      const create = { edits: [{ resource: 'RFIs', action: 'create' }] };
      type Made = { records: { id: string; companyId: string; projectId: string }[] };
      const { records } = await mirror.system.control<Made>('POST', '/control/edits', create);
      const { id = '', companyId, projectId } = records[0] ?? {};
      const news = { company_id: companyId, project_id: projectId, resource_type: 'RFIs', resource_id: id };
      expect(await deliver(mirror.system, aBody(news))).toBe(204);
      await mirror.untilQuiet(1);
      const { rows } = await mirror.database.pool.query('select id from procore.rfis where _data is not null');
      expect(rows).toEqual([{ id }]);
      const status = startApp('cli', { ...credentials, ...env }, { args: ['status'] });
      await expect.poll(() => status.isRunning(), { timeout: 30_000 }).toBe(false);
      expect(await status.end('SIGTERM'), status.output()).toBe(0);
    } finally {
      await mirror.close();
      await pooler.close();
    }
  });
});
