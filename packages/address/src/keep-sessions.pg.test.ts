import { createTestDatabase, startPooler, type TestDatabase } from '@procore-mirror/testing';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { keepSessions } from './keep-sessions.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function withClients<T>(url: string, count: number, work: (clients: pg.Client[]) => Promise<T>): Promise<T> {
  const clients = Array.from({ length: count }, () => new pg.Client({ connectionString: url }));
  try {
    for (const client of clients) {
      client.on('error', () => {});
      await client.connect();
    }
    return await work(clients);
  } finally {
    for (const client of clients) await client.end().catch(() => {});
  }
}

const asked = (url: string) =>
  withClients(url, 2, ([one, other]) => keepSessions(one as pg.Client, other as pg.Client));

test('a server keeps its sessions', async () => {
  expect(await asked(database.url)).toBe(true);
});

test.each([
  { mode: 'session', settings: [], keeps: true },
  { mode: 'transaction', settings: [], keeps: false },
  { mode: 'statement', settings: [], keeps: false },
  { mode: 'transaction', settings: ['default_pool_size = 1'], keeps: false },
  { mode: 'transaction', settings: ['server_round_robin = 1', 'min_pool_size = 5'], keeps: false },
] as const)('a pooler in $mode mode with $settings: $keeps', async ({ mode, settings, keeps }) => {
  const pooler = await startPooler({ url: database.url, mode, settings });
  try {
    expect(await asked(pooler.url)).toBe(keeps);
    // Others use it, too.
    await withClients(pooler.url, 6, async (others) => {
      const until = new AbortController();
      const work = others.slice(2).map(async (client) => {
        while (!until.signal.aborted) await client.query('begin; select 1; commit').catch(() => {});
      });
      for (let tries = 0; tries < 20; tries += 1) {
        if (mode === 'statement' || settings[0] === 'default_pool_size = 1' || (keeps && tries > 2)) break;
        expect(await keepSessions(others[0] as pg.Client, others[1] as pg.Client)).toBe(keeps);
      }
      until.abort();
      await Promise.all(work);
    });
  } finally {
    await pooler.close();
  }
});
