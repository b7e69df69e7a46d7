import { catalogue } from '@procore-mirror/catalogue';
import { type Database, openDatabase } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import { openDeliveryQueue } from '@procore-mirror/queue';
import {
  createTestRedis,
  type Product,
  prepareProduct,
  type System,
  type SystemOptions,
  startSystem,
} from '@procore-mirror/testing';
import { expect, vi } from 'vitest';

export type Backend = 'redis' | 'postgres';

export type Mirror<S extends Product = System> = {
  database: Database;
  queueUrl: string;
  system: S;
  /** Waits until every delivery that the queue has is recorded. */
  untilRecorded: () => Promise<void>;
  /**
   * Waits until every delivery is recorded and every record is fetched. `events` says how many there are to be: some may
   * be in the receiver's spool, when the queue was slow to take so many at once.
   */
  untilQuiet: (events?: number) => Promise<void>;
  close: () => Promise<void>;
};

/** Not `expect.poll`, which belongs to one test: of several side by side it would take another one. */
const PATIENCE = { timeout: 300_000, interval: 200 };

/** A migrated database, a queue and the simulator; the test starts receiver and worker. */
export async function startMirror(
  backend: Backend,
  options: Omit<SystemOptions, 'databaseUrl' | 'queueUrl'>,
): Promise<Mirror> {
  return mirrorWith(backend, (urls) => startSystem({ ...urls, ...options }));
}

/** The same with a Procore that the test scripts, in the simulator's place. */
export async function startScriptedMirror(backend: Backend, procoreUrl: string): Promise<Mirror<Product>> {
  return mirrorWith(backend, (urls) => prepareProduct({ ...urls, procoreUrl, concurrency: 48 }));
}

async function mirrorWith<S extends Product>(
  backend: Backend,
  start: (urls: { databaseUrl: string; queueUrl: string }) => Promise<S>,
): Promise<Mirror<S>> {
  const testDatabase = await createMigratedDatabase(catalogue.tables);
  const queueUrl = backend === 'redis' ? await createTestRedis() : testDatabase.url;
  const database = openDatabase({ url: testDatabase.url, applicationName: 'test' });
  const system = await start({ databaseUrl: testDatabase.url, queueUrl });

  async function untilRecorded(): Promise<void> {
    const queue = await openDeliveryQueue({ url: queueUrl, allowVolatile: false, onWarning: () => {} });
    await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), PATIENCE);
    await queue.close();
  }

  async function count(table: 'pending' | 'events'): Promise<number> {
    const { rows } = await database.pool.query<{ count: number }>(`select count(*)::int as count from mirror.${table}`);
    return rows[0]?.count ?? 0;
  }

  return {
    database,
    queueUrl,
    system,
    untilRecorded,
    untilQuiet: async (events = 0) => {
      await untilRecorded();
      await vi.waitFor(async () => expect(await count('events')).toBeGreaterThanOrEqual(events), PATIENCE);
      await vi.waitFor(async () => expect(await count('pending')).toBe(0), PATIENCE);
    },
    close: async () => {
      await system.close();
      await database.close();
      await testDatabase.drop();
    },
  };
}

/** Posts a body as Procore would; resolves to the status. */
export async function deliver(
  { receiverUrl, secrets }: Pick<Product, 'receiverUrl' | 'secrets'>,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<number> {
  const answer = await fetch(receiverUrl, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: secrets.authorization, ...headers },
    signal: AbortSignal.timeout(30_000),
  });
  await answer.arrayBuffer();
  return answer.status;
}

let eventNumber = 0;

/** A v4.0 body of its own event. */
export function aBody(change: Record<string, unknown>): string {
  eventNumber += 1;
  return JSON.stringify({
    id: `EVENT${String(eventNumber).padStart(10, '0')}`,
    timestamp: new Date().toISOString(),
    reason: 'update',
    user_id: '1',
    ...change,
  });
}
