// A company filled by two workers and a command, of which one after the other is killed: only the time differs from a fill that nobody
// disturbs.
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, migrateDatabase, openDatabase, readBackfillProgress } from '@procore-mirror/database';
import {
  type AppProcess,
  createTestDatabase,
  prepareProduct,
  type System,
  startApp,
  startSystem,
} from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compareWorld } from './compare-world.ts';

const PROJECTS = 20;
const KILLS = 20;
const MOST_FILLS_OF_A_WORKER = 4;
const WITHIN_MS = 1_200_000;

type Part = 'first worker' | 'second worker' | 'command';
type Filled = { database: Database; lists: number; commands: number; seconds: number };

let system: System;
let companyId: string;
let projectIds: string[];
let records: number;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  system = await startSystem({
    ...{ databaseUrl: '', queueUrl: '', projects: 0 },
    simulator: { callsPerHour: null, callsPerTenSeconds: null },
  });
  closing.push(system.close);
  // Nothing lists these: they come with their events.
  const unlisted = catalogue.mirrored.filter(
    ({ list, parent }) => list?.shared === true || (list === null && parent?.embeddedAs === undefined),
  );
  const none = Object.fromEntries(unlisted.map(({ resource }) => [resource, 0]));
  const sizes = {
    ...none,
    Locations: 1_500,
    'Purchase Order Contracts': 6,
    'Company Vendors': 120,
  };
  const seeded = await system.control<{ companyId: string; projectIds: string[]; records: number }>(
    ...(['POST', '/control/seed', { projects: PROJECTS, sizes }] as const),
  );
  ({ companyId, projectIds, records } = seeded);
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Calls of lists that carry whole records: nobody but a fill makes them here. */
async function countLists(): Promise<number> {
  const { byResource } = await system.control<{ byResource: Record<string, { list?: number }> }>(
    'GET',
    '/control/calls',
  );
  const whole = catalogue.mirrored.filter(({ list }) => list?.carries === 'whole record');
  return whole.reduce((sum, { resource }) => sum + (byResource[resource]?.list ?? 0), 0);
}

async function fillWith(kills: number): Promise<Filled> {
  const { url, drop } = await createTestDatabase();
  await migrateDatabase({ url, tables: catalogue.tables });
  const database = openDatabase({ url, applicationName: 'test' });
  const product = await prepareProduct({
    databaseUrl: url,
    queueUrl: url,
    procoreUrl: system.simulatorUrl,
    fetchDelayMs: 0,
  });
  closing.push(drop, database.close, product.close);
  await system.control('DELETE', '/control/calls');
  const began = performance.now();
  const { clientId, clientSecret } = system.secrets;
  const env = {
    ...{ DATABASE_URL: url, PROCORE_LOGIN_URL: system.simulatorUrl, PROCORE_API_URL: system.simulatorUrl },
    ...{ PROCORE_CLIENT_ID: clientId, PROCORE_CLIENT_SECRET: clientSecret, PROCORE_COMPANY_IDS: companyId },
  };
  let commands = 0;
  const begin: Record<Part, () => Promise<AppProcess>> = {
    'first worker': () => product.startWorker(),
    'second worker': () => product.startWorker(),
    command: async () => {
      commands += 1;
      return startApp('cli', env, { args: ['backfill', '--json'] });
    },
  };
  const parts = ['first worker', 'second worker', 'command'] as const;
  const running = new Map<Part, AppProcess>();
  for (const part of parts) running.set(part, await begin[part]());
  const recordsNow = async () => (await readBackfillProgress(database.pool, { requests: null })).records;
  for (let kill = 0; kill < kills; kill += 1) {
    const goOn = (records * (kill + 1)) / (kills + 3);
    await expect.poll(recordsNow, { timeout: WITHIN_MS, interval: 50 }).toBeGreaterThan(goOn);
    const part = parts[Math.floor(Math.random() * parts.length)]!;
    await running.get(part)?.end('SIGKILL');
    running.set(part, await begin[part]());
  }
  const command = running.get('command')!;
  await expect.poll(() => command.isRunning(), { timeout: WITHIN_MS, interval: 200 }).toBe(false);
  expect(JSON.parse(command.output().slice(command.output().indexOf('{\n')))).toMatchObject({
    state: 'done',
    failures: [],
  });
  const lists = await countLists();
  const pending = async () =>
    (await database.pool.query('select count(*)::int as count from mirror.pending')).rows[0].count;
  await expect.poll(pending, { timeout: WITHIN_MS, interval: 500 }).toBe(0);
  return { database, lists, commands, seconds: (performance.now() - began) / 1000 };
}

test('twenty kills of workers and command change nothing but the time', async () => {
  const scope = { companyIds: [companyId], projectIds };
  const calm = await fillWith(0);
  expect((await compareWorld(calm.database, system, scope)).differences).toEqual([]);
  const disturbed = await fillWith(KILLS);
  expect((await compareWorld(disturbed.database, system, scope)).differences).toEqual([]);
  const twice = disturbed.lists - calm.lists;
  console.table([
    { records, lists: calm.lists, 'read twice': 0, seconds: calm.seconds },
    { records, lists: disturbed.lists, 'read twice': twice, seconds: disturbed.seconds },
  ]);
  expect(twice).toBeLessThanOrEqual(MOST_FILLS_OF_A_WORKER * KILLS);
});
