// A million events in 90 days, 300,000 older ones to go, and 10,000 new ones a minute, recorded as deliveries are: does retention keep up, and does anybody
// wait for it? Prints what recording took without and with it.
import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordDelivery } from './record-delivery.ts';
import { startRetentionLoop } from './retention-loop.ts';

const [WITHIN, OLDER, A_MINUTE] = [1_000_000, 300_000, 10_000];
const MEASURED_MS = 60_000;

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await createMigratedDatabase(catalogue.tables);
  database = openDatabase({ url: server.url, applicationName: 'prove', max: 24 });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const count = async (from: string) =>
  (await database.pool.query<{ count: number }>(`select count(*)::int as count from ${from}`)).rows[0]?.count ?? 0;
const OLD = `mirror.events where received_at < now() - interval '90 days'`;

/** Events of some 20 projects, as many in each moment as in another; those that expire while it is measured come as fast as new ones. */
async function fill(): Promise<void> {
  const insert = (name: string, events: number, age: string) =>
    database.pool.query(`insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
      select '${name}' || n, 1 + n % 2, 1 + n % 20, (array['RFIs', 'Submittals', 'Punch Items', 'Observations'])[1 + n % 4], n % 50000, 'update', at, at, 'v4.0',
        jsonb_build_object('id', '${name}' || n, 'timestamp', at, 'resource_type', 'RFIs', 'metadata', repeat('x', 300)), 'pending'
      from generate_series(1, ${events}) n cross join lateral (select now() - ${age} as at) a`);
  await insert('within', WITHIN, `interval '90 days' * (n / ${WITHIN}.0)`);
  await insert('expiring', 5 * A_MINUTE, `interval '90 days' + interval '5 minutes' * (n / ${5 * A_MINUTE}.0)`);
  await insert('older', OLDER, `interval '90 days' - interval '60 days' * (n / ${OLDER}.0)`);
  await database.pool.query('analyze mirror.events');
}

/** Records deliveries at that pace for a while. Returns how long each took, ms, sorted. */
async function recordForAWhile(name: string): Promise<number[]> {
  const selection = { companyIds: null, resources: null };
  const settings = { database, catalogue, selection, delayMs: 2_000, maxWaitMs: 60_000 };
  const took: number[] = [];
  const begunAt = performance.now();
  const underWay: Promise<void>[] = [];
  for (let number = 0; performance.now() - begunAt < MEASURED_MS; number += 1) {
    const aheadMs = number * (60_000 / A_MINUTE) - (performance.now() - begunAt);
    if (aheadMs > 0) await sleep(aheadMs);
    const event = {
      ...{ id: `${name}${number}`, timestamp: new Date().toISOString(), reason: 'update', company_id: '1' },
      ...{
        project_id: String(1 + (number % 20)),
        resource_type: 'RFIs',
        resource_id: String(100_000 + (number % 50_000)),
      }, // nothing old is of a record that is pending
    };
    const at = performance.now();
    const delivery = { body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() };
    underWay.push(recordDelivery(settings, delivery).then(() => void took.push(performance.now() - at)));
  }
  await Promise.all(underWay);
  return took.toSorted((one, other) => one - other);
}

const inShort = (took: readonly number[]) => {
  const at = (share: number) => (took[Math.min(took.length - 1, Math.floor(share * took.length))] ?? 0).toFixed(1);
  return `${took.length} events recorded, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`;
};

test('retention keeps up with 10,000 new events a minute at a million events in 90 days, and nothing waits for it', async () => {
  await fill();
  const without = await recordForAWhile('without');
  console.log(`without retention: ${inShort(without)}`);
  const before = await count(OLD);
  const said: object[] = [];
  const log = { info: (about: object) => void said.push(about), warn: (about: object) => void said.push(about) };
  const begunAt = performance.now();
  let waited = 0;
  const loop = startRetentionLoop({ database, holder: 'prove', keepDays: 90, log, everyMs: 1_000 });
  const watching = new AbortController();
  const watch = (async () => {
    while (!watching.signal.aborted) {
      waited += await count('pg_locks l where not granted');
      await sleep(50, null, { signal: watching.signal }).catch(() => null);
    }
  })();
  const caughtUp = (async () => {
    for (let left = before; left >= 500; left = await count(`(select from ${OLD} limit 1000) as old`)) {
      if (performance.now() - begunAt > 300_000) throw new Error('retention does not keep up');
      await sleep(250);
    }
    return performance.now() - begunAt;
  })();
  const withIt = await recordForAWhile('with');
  const caughtUpMs = await caughtUp;
  watching.abort();
  await watch;
  console.log(`with retention: ${inShort(withIt)}; locks seen waiting: ${waited}`);
  console.log(
    `${before} events were to go: all gone after ${(caughtUpMs / 1_000).toFixed(1)} s, ${Math.round(before / (caughtUpMs / 60_000))} a minute`,
  );
  const left = await count(OLD);
  console.log(`${left} old ones left while 10,000 a minute expire; ${said.length} rounds told of`);
  await loop.close();
  expect(left).toBeLessThan(1_000);
  expect(before / (caughtUpMs / 60_000)).toBeGreaterThan(2 * A_MINUTE);
});
