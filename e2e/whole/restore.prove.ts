// A database that is lost is restored from a dump of before, as docs/operations.md, Backup and restore, says. What came after the dump comes
// back from Procore's log of deliveries, and what no event told of from comparisons. Needs pg_dump and pg_restore of Postgres 15 or newer.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { catalogue } from '@procore-mirror/catalogue';
import { openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { createTestDatabase, createTestRedis, startSystem } from '@procore-mirror/testing';
import { expect, test } from 'vitest';
import { compareWorld } from './compare-world.ts';
import { connect, fill } from './mirror-company.ts';

const run = promisify(execFile);
const main = path.join(import.meta.dirname, '../../apps/cli/src/main.ts');
const patience = { timeout: 300_000, interval: 200 };
/** No list tells of these, so nobody can know those that were there before the first event. */
const unlisted = catalogue.mirrored.filter(
  ({ list, parent }) => list?.shared === true || (list === null && parent?.embeddedAs === undefined),
);
/** What no event told of is found in these, whatever it is. */
const provedByLists = catalogue.mirrored
  .filter(({ table }) => table.provedBy?.compares === true)
  .map(({ resource }) => resource);
const sizes = Object.fromEntries(unlisted.map(({ resource }) => [resource, 0]));

test('a restored mirror equals Procore again, and says so', async () => {
  const [before, after, queueUrl, directory] = await Promise.all([
    createMigratedDatabase(catalogue.tables, 'postgres15'),
    createTestDatabase(),
    createTestRedis(),
    mkdtemp(path.join(tmpdir(), 'restore-')),
  ]);
  const simulator = { callsPerHour: null, callsPerTenSeconds: null };
  const system = await startSystem({ databaseUrl: before.url, queueUrl, projects: 0, simulator });
  const database = openDatabase({ url: after.url, applicationName: 'test' });
  try {
    const { companyId, projectIds } = await system.control<{ companyId: string; projectIds: string[] }>(
      'POST',
      '/control/seed',
      { name: 'Company', projects: 2, sizes },
    );
    await system.startIngest();
    const env = {
      ...{ PROCORE_COMPANY_IDS: companyId, WEBHOOK_URL: system.receiverUrl },
      ...{ WEBHOOK_AUTHORIZATION: system.secrets.authorization, VERIFY_EVERY_MS: '0' },
    };
    const worker = await system.startWorker(env);
    const count = async (from: string, { pool } = before) =>
      (await pool.query(`select count(*)::int as count from ${from}`)).rows[0].count as number;
    await expect.poll(() => count('mirror.hooks where hook_id is not null'), patience).toBe(3);
    const filled = openDatabase({ url: before.url, applicationName: 'test' });
    const connection = connect(filled, system);
    await fill(connection.settings, companyId, projectIds);
    await connection.close();
    await filled.close();
    const edit = async (edits: number, more: object = {}) => {
      const kinds = { create: 2, update: 6, delete: 1 };
      await system.control('POST', '/control/edits', { count: edits, kinds, ...more });
      await system.control('GET', '/control/quiet?timeoutMs=60000');
    };
    await edit(40);
    await expect.poll(() => count('mirror.pending'), patience).toBe(0);

    const dump = path.join(directory, 'mirror.dump');
    const dumpedAt = new Date().toISOString();
    await run('pg_dump', ['-Fc', '-f', dump, before.url]);
    await edit(120);
    await edit(20, { silent: true, resources: provedByLists });
    const events = () => count('mirror.events');
    await expect.poll(async () => (await count('mirror.pending')) === 0 && (await events()) > 100, patience).toBe(true);
    const lost = await events();
    await worker.end('SIGTERM');
    await edit(20); // waits in the queue

    await run('pg_restore', ['--no-owner', '--no-privileges', '-d', after.url, dump]);
    const mirror = async (...args: string[]) => {
      const settings = {
        ...{ DATABASE_URL: after.url, QUEUE_URL: queueUrl, PATH: process.env.PATH, LOG_LEVEL: 'silent', ...env },
        ...{ PROCORE_LOGIN_URL: system.simulatorUrl, PROCORE_API_URL: system.simulatorUrl },
        ...{ PROCORE_CLIENT_ID: system.secrets.clientId, PROCORE_CLIENT_SECRET: system.secrets.clientSecret },
      };
      return run(process.execPath, [main, ...args], { env: settings, cwd: '/tmp', maxBuffer: 1 << 28 }).then(
        ({ stdout }) => ({ code: 0, stdout }),
        ({ code, stdout }) => ({ code, stdout }),
      );
    };
    expect(await mirror('migrate')).toMatchObject({ code: 0 });
    await system.startWorker({ ...env, DATABASE_URL: after.url });
    const repaired = await mirror('repair', '--since', dumpedAt, '--json');
    expect(repaired.code).toBe(0);
    expect(await count('mirror.events', after)).toBeGreaterThanOrEqual(lost);
    await expect.poll(() => count('mirror.pending', after), patience).toBe(0);
    const verified = JSON.parse((await mirror('verify', '--full', '--repair', '--json')).stdout);
    await expect.poll(() => count('mirror.pending', after), patience).toBe(0);
    const hooked = { companyIds: [companyId], projectIds };
    const { differences, compared } = await compareWorld(database, system, hooked);
    expect(differences).toEqual([]);
    expect(JSON.parse((await mirror('status', '--json')).stdout)).toMatchObject({ verdict: 'fine' });
    const { events_new: brought, calls } = JSON.parse(repaired.stdout);
    console.log(
      `${compared} records equal; repair brought in ${brought} events for ${calls} calls, verify found ${verified.differences.length} differences`,
    );
  } finally {
    await system.close();
    await database.close();
    await Promise.all([before.drop(), after.drop(), rm(directory, { recursive: true })]);
  }
});
