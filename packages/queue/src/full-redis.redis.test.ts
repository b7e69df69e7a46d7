// A Redis that may not evict and is full takes nothing more: what lies in it must get out all the same.
import { Redis } from 'ioredis';
import { afterEach, expect, test, vi } from 'vitest';
import { aDelivery, aNamespace } from './deliveries.contract.ts';
import type { Envelope } from './envelope.ts';
import { consumeDeliveries, type DeliveryQueue, openDeliveryQueue } from './index.ts';
import { type RedisServer, startRedis } from './test-servers.ts';

const patience = { timeout: 50_000, interval: 20 };
let cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

type Full = {
  redis: RedisServer;
  options: { url: string; namespace: string; allowVolatile: boolean; onWarning: (message: string) => void };
  queue: DeliveryQueue;
  warnings: string[];
  /** Redis commands of somebody else. */
  client: Redis;
};

async function aRedis(): Promise<Full> {
  const redis = await startRedis(['--appendonly', 'yes', '--maxmemory-policy', 'noeviction']);
  cleanUps.push(() => redis.close());
  const warnings: string[] = [];
  const onWarning = (message: string) => void warnings.push(message);
  const options = { url: redis.url, namespace: aNamespace(), allowVolatile: false, onWarning };
  const queue = await openDeliveryQueue(options);
  cleanUps.push(() => queue.close());
  const client = new Redis(redis.url);
  cleanUps.push(async () => client.disconnect());
  return { redis, options, queue, warnings, client };
}

/** Adds until no more is taken; returns what was. */
async function fill(queue: DeliveryQueue, bytes: number): Promise<string[]> {
  const added: string[] = [];
  for (let n = 0; ; n += 1) {
    const body = `${n} ${'x'.repeat(bytes)}`;
    try {
      await queue.add(aDelivery(body));
    } catch (error) {
      expect(String(error)).toContain('OOM');
      return added;
    }
    added.push(body);
  }
}

async function limit(client: Redis, bytesMore: number): Promise<void> {
  const used = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1]);
  await client.config('SET', 'maxmemory', used + bytesMore);
}

async function consume({ options }: Full, recorded: Set<string>, record?: (envelope: Envelope) => Promise<void>) {
  const consumer = await consumeDeliveries({
    ...options,
    concurrency: 4,
    record: async (envelope) => {
      await record?.(envelope);
      recorded.add(envelope.body.toString());
    },
    onError: () => {},
  });
  cleanUps.push(() => consumer.close());
  return consumer;
}

test.each([10, 1_000, 100_000])('a full Redis is emptied, deliveries of %i bytes', async (bytes) => {
  const full = await aRedis();
  await limit(full.client, 2_000_000);
  const added = await fill(full.queue, bytes);
  expect(added.length).toBeGreaterThan(10);
  const recorded = new Set<string>();
  await consume(full, recorded);
  await vi.waitFor(() => expect(added.filter((body) => !recorded.has(body)).length).toBe(0), patience);
  await vi.waitFor(async () => expect(await full.queue.waiting()).toBe(0), patience);
  await full.queue.add(aDelivery('after'));
  await vi.waitFor(() => expect(recorded.has('after')).toBe(true), patience);
});

test('one that is full of what others keep there is emptied of ours, stream and jobs', async () => {
  const full = await aRedis();
  const gate = Promise.withResolvers<void>();
  gate.promise.catch(() => {}); // none may be in hand when it breaks
  const stopped = await consume(full, new Set(), () => gate.promise);
  const bodies = Array.from({ length: 200 }, (_, n) => `delivery ${n}`);
  await Promise.all(bodies.slice(0, 100).map((body) => full.queue.add(aDelivery(body))));
  await vi.waitFor(
    async () => expect(await full.client.exists(`{${full.options.namespace}}:deliveries:wait`)).toBe(1),
    {
      ...patience,
    },
  );
  const closing = stopped.close();
  gate.reject(new Error('not now'));
  await closing;
  await Promise.all(bodies.slice(100).map((body) => full.queue.add(aDelivery(body))));
  await limit(full.client, -1); // others take it all
  await expect(full.queue.add(aDelivery('one more'))).rejects.toThrow('OOM');
  const recorded = new Set<string>();
  const consumer = await consume(full, recorded);
  await vi.waitFor(() => expect(bodies.filter((body) => !recorded.has(body))).toEqual([]), patience);
  await vi.waitFor(async () => expect(await full.queue.waiting()).toBe(0), patience);
  expect(full.warnings.join()).toContain('OOM');
  expect(await consumer.problems()).toEqual([expect.stringContaining('maxmemory')]);
  await full.client.config('SET', 'maxmemory', 0);
  await full.queue.add(aDelivery('after'));
  await vi.waitFor(() => expect(recorded.has('after')).toBe(true), patience);
  await vi.waitFor(async () => expect(await consumer.problems()).toEqual([]), patience);
});

test('what cannot be recorded from a full Redis stays, and is tried again', async () => {
  const full = await aRedis();
  await limit(full.client, 200_000);
  const added = await fill(full.queue, 1_000);
  const recorded = new Set<string>();
  let tries = 0;
  await consume(full, recorded, async () => {
    tries += 1;
    if (tries < 50) throw new Error('the database is away');
  });
  await vi.waitFor(() => expect(added.filter((body) => !recorded.has(body)).length).toBe(0), patience);
});

test.each([
  { newer: 40, hasGroup: false },
  { newer: 300, hasGroup: true },
])(
  '$newer envelopes of a newer version hold up no delivery while it is full (group made before: $hasGroup)',
  async ({ newer, hasGroup }) => {
    const full = await aRedis();
    const recorded = new Set<string>();
    if (hasGroup) {
      const before = await consume(full, recorded);
      await full.queue.add(aDelivery('before'));
      await vi.waitFor(() => expect(recorded).toContain('before'), patience);
      await before.close();
    }
    // A later version's, which this one has no type for.
    const stuck = { ...aDelivery('newer'), v: 2 } as unknown as Envelope;
    for (let n = 0; n < newer; n += 1) await full.queue.add({ ...stuck, body: Buffer.from(`newer ${n}`) });
    await full.queue.add(aDelivery('precious'));
    await full.client.config('SET', 'maxmemory', 1);
    await consume(full, recorded);
    await vi.waitFor(() => expect(recorded).toContain('precious'), patience);
  },
);
