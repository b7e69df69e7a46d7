// The promise of the system: whatever people edit, however Procore delivers it, whichever calls fail and whenever the
// worker dies, the mirror ends equal to the world, no event is lost and none is given up.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { catalogue } from '@procore-mirror/mirror';
import { openDeliveryQueue } from '@procore-mirror/queue';
import { createTestDatabase, type System, startSystem, testRedis } from '@procore-mirror/testing';
import { expect, test } from 'vitest';
import { compareWorld } from './compare-world.ts';
import { connect, fill, hook } from './mirror-company.ts';

const EDITS = 5000;
const KILLS = 5;
const SPREAD_OVER_MS = 30_000;
const FETCH_DELAY_MS = 600;
const QUIET_WITHIN_MS = 240_000;

test.each(['redis', 'postgres'])(
  'the mirror ends equal to the world, with the queue on %s',
  { timeout: 400_000 },
  async (backend) => {
    const testDatabase = await createTestDatabase();
    const queueUrl = backend === 'redis' ? testRedis().url : testDatabase.url;
    await migrateDatabase({ url: testDatabase.url, tables: catalogue.resources.map(({ table }) => table) });
    const database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
    const system = await startSystem({
      databaseUrl: testDatabase.url,
      queueUrl,
      projects: 0,
      fetchDelayMs: FETCH_DELAY_MS,
      simulator: { callsPerHour: 1_000_000, callsPerTenSeconds: 100_000, tokenSeconds: 3, parentSendsUpdate: true },
    });
    try {
      const hooked = await startCompanies(database, system);
      await system.control('PATCH', '/control/settings', {
        readLagMs: FETCH_DELAY_MS / 2,
        duplicateShare: 0.1,
        reorderShare: 0.2,
        awkwardShare: 0.02,
        deliveryConcurrency: 20,
      });
      await system.control('PUT', '/control/faults', stumbles);
      const made = await system.control<{ planned: number }>('POST', '/control/edits', {
        count: EDITS,
        spreadOverMs: SPREAD_OVER_MS,
      });
      expect(made.planned).toBeGreaterThanOrEqual(EDITS);
      for (let kill = 0; kill < KILLS; kill += 1) {
        await sleep(SPREAD_OVER_MS / (KILLS + 1));
        await system.killWorker();
        await system.startWorker();
      }
      await system.control('GET', `/control/quiet?timeoutMs=${QUIET_WITHIN_MS / 2}`);
      await untilQuiet(database, queueUrl);
      const { differences, compared } = await compareWorld(database, system, hooked);
      expect(differences).toEqual([]);
      expect(compared).toBeGreaterThan(1000);
      await expectNoEventLost(database, system);
    } finally {
      await system.close();
      await database.close();
      await testDatabase.drop();
    }
  },
);

/** 5 % of all calls: each kind of stumble its share. */
const stumbles = [
  { kind: 'show', status: 429, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'show', status: 500, share: 0.0125 },
  { kind: 'show', status: 503, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'show', reset: true, share: 0.0125 },
  { kind: 'list', status: 429, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'list', status: 500, share: 0.0125 },
  { kind: 'list', status: 503, retryAfterSeconds: 1, share: 0.0125 },
  { kind: 'list', reset: true, share: 0.0125 },
];

/** Three companies, each sending another format, hooked, filled and complete. */
async function startCompanies(database: Database, system: System): Promise<Parameters<typeof compareWorld>[2]> {
  const hooked: { companyIds: string[]; projectIds: string[] } = { companyIds: [], projectIds: [] };
  await system.startIngest();
  const connection = connect(database, system);
  for (const payloadVersion of ['v2.0', 'v3.0', 'v4.0'] as const) {
    const { companyId, projectIds } = await system.control<{ companyId: string; projectIds: string[] }>(
      'POST',
      '/control/seed',
      { name: `Company ${payloadVersion}`, projects: 2 },
    );
    await hook(system, connection.client, { companyId, projectIds, payloadVersion });
    await fill(connection.settings, companyId, projectIds);
    hooked.companyIds.push(companyId);
    hooked.projectIds.push(...projectIds);
  }
  await connection.close();
  await system.startWorker();
  await untilNothingIsPending(database);
  return hooked;
}

async function untilQuiet(database: Database, queueUrl: string): Promise<void> {
  const queue = await openDeliveryQueue({ url: queueUrl, allowVolatile: false, onWarning: () => {} });
  await expect.poll(() => queue.waiting(), { timeout: QUIET_WITHIN_MS, interval: 200 }).toBe(0);
  await queue.close();
  await untilNothingIsPending(database);
}

async function untilNothingIsPending(database: Database): Promise<void> {
  const count = async () => {
    const { rows } = await database.pool.query('select count(*)::int as pending from mirror.pending');
    return rows[0].pending;
  };
  await expect.poll(count, { timeout: QUIET_WITHIN_MS, interval: 200 }).toBe(0);
}

async function expectNoEventLost(database: Database, system: System): Promise<void> {
  const sent = await system.controlLines<{ id: string; deliveries: { status: string }[] }>('/control/events');
  const delivered = sent.filter(({ deliveries }) => deliveries.length > 0);
  expect(delivered.length).toBeGreaterThan(EDITS / 2);
  const { rows } = await database.pool.query(
    'select id from unnest($1::text[]) as id where id not in (select id from mirror.events)',
    [delivered.map(({ id }) => id)],
  );
  expect(rows).toEqual([]);
  const letters = await database.pool.query('select reason, detail from mirror.dead_letters');
  expect(letters.rows).toEqual([]);
}
