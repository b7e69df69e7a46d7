// The receiver is down for thirteen hours of Procore's clock while 500 edits are made. Procore throws away what it could not deliver; after
// the receiver's return the worker alone brings back every event that the log of deliveries holds, and the mirror equals the world.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { catalogue } from '@procore-mirror/catalogue';
import { expect, test } from 'vitest';
import { compareWorld } from './compare-world.ts';
import { connect, fill } from './mirror-company.ts';
import { type Backend, startMirror } from './start-mirror.ts';

const main = path.join(import.meta.dirname, '../../apps/cli/src/main.ts');
const patience = { timeout: 180_000, interval: 200 };
const EDITS = 500;
const STEPS = 26;
const HOURS = 13;
/** No list tells of these, so nobody can know those that were there before the first event. */
const unlisted = catalogue.mirrored.filter(
  ({ list, parent }) => list?.shared === true || (list === null && parent?.embeddedAs === undefined),
);
const sizes = Object.fromEntries(unlisted.map(({ resource }) => [resource, 0]));

type Sent = { id: string; deliveries: { status: string }[] };
type Repaired = { calls: number; hooks: number; events_new: number; unreached: unknown[] };

test.each<Backend>(['postgres', 'redis'])(
  'thirteen hours without a receiver, with the queue on %s',
  async (backend) => {
    const simulator = { callsPerHour: null, callsPerTenSeconds: null };
    const mirror = await startMirror(backend, { projects: 0, simulator });
    try {
      const { system, database, queueUrl, untilQuiet } = mirror;
      const { companyId, projectIds } = await system.control<{ companyId: string; projectIds: string[] }>(
        'POST',
        '/control/seed',
        { name: 'Company', projects: 3, sizes },
      );
      const hooked = { companyIds: [companyId], projectIds };
      const ingest = await system.startIngest();
      const { receiverUrl } = system;
      await system.startWorker({
        ...{ PROCORE_COMPANY_IDS: companyId, WEBHOOK_URL: receiverUrl, REPAIR_EVERY_MS: '1000' },
        WEBHOOK_AUTHORIZATION: system.secrets.authorization,
      });
      const count = async (from: string) =>
        (await database.pool.query(`select count(*)::int as count from ${from}`)).rows[0].count as number;
      await expect.poll(() => count('mirror.hooks where hook_id is not null'), patience).toBe(4);
      const connection = connect(database, system);
      await fill(connection.settings, companyId, projectIds);
      await connection.close();
      const edit = (edits: number) =>
        system.control('POST', '/control/edits', { count: edits, kinds: { create: 2, update: 6, delete: 1 } });
      await edit(40);
      await system.control('GET', '/control/quiet?timeoutMs=60000');
      await untilQuiet();

      expect(await ingest.end('SIGTERM')).toBe(0);
      for (let step = 0; step < STEPS; step += 1) {
        await edit(Math.ceil(EDITS / STEPS));
        await system.control('POST', '/control/clock', { advanceMs: (HOURS / STEPS) * 3_600_000 });
      }
      const byStatus = async () =>
        (await system.control<{ byStatus: Record<string, number> }>('GET', '/control/deliveries/summary')).byStatus;
      await expect.poll(async () => (await byStatus()).discarded ?? 0, patience).toBeGreaterThan(EDITS / 2);
      const before = await count('mirror.events');
      const port = new URL(receiverUrl).port;
      await system.startIngest({ INGEST_PORT: port });
      await system.control('POST', '/control/clock', { advanceMs: 3_600_000 }); // the longest pause is over
      await system.control('GET', '/control/quiet?timeoutMs=60000');

      const sent = (await system.controlLines<Sent>('/control/events')).filter(
        ({ deliveries }) => deliveries.length > 0,
      );
      await expect.poll(() => count('mirror.events'), patience).toBe(sent.length);
      await untilQuiet(sent.length);
      const { differences, compared } = await compareWorld(database, system, hooked);
      expect(differences).toEqual([]);
      const discarded = sent.filter(({ deliveries }) => deliveries.some(({ status }) => status === 'discarded')).length;
      const mended = await count(`mirror.events where via = 'delivery log'`);
      expect(mended).toBeGreaterThanOrEqual(discarded);
      expect(system.output()).toContain('missed events were brought in');

      const repair = async (...more: string[]): Promise<Repaired> => {
        const env = { DATABASE_URL: database.url, QUEUE_URL: queueUrl, PATH: process.env.PATH, LOG_LEVEL: 'silent' };
        const args = [main, 'repair', '--json', ...more];
        return JSON.parse((await promisify(execFile)(process.execPath, args, { env, cwd: '/tmp' })).stdout);
      };
      const again = await repair();
      expect(again).toMatchObject({ hooks: 4, events_new: 0, unreached: [] });
      expect(again.calls).toBeLessThanOrEqual(4 * 3);

      // A queue that fails over loses what was delivered: only the log knows.
      const lost = await database.pool.query(
        `delete from mirror.events where ctid in (select ctid from mirror.events where via = 'delivery' limit 25) returning id`,
      );
      const since = await repair('--since', new Date(Date.now() - 86_400_000).toISOString());
      expect(since).toMatchObject({ hooks: 4, events_new: lost.rowCount, unreached: [] });
      await untilQuiet(sent.length);
      console.log(
        `${backend}: ${sent.length} events (${before} before), ${discarded} thrown away, ${mended} from the log, ${compared} records compared; a second repair took ${again.calls} calls, one with --since ${since.calls} and brought ${since.events_new}`,
      );
    } finally {
      await mirror.close();
    }
  },
);
