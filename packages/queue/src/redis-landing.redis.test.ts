import { createTestRedis } from '@procore-mirror/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Landing } from './backend.ts';
import { aDelivery, aNamespace } from './deliveries.contract.ts';
import type { SealedEnvelope } from './envelope.ts';
import { consumeDeliveries, openDeliveryQueue } from './index.ts';
import { createRedisLanding } from './redis-landing.ts';
import { startRedis } from './test-servers.ts';

const patience = { timeout: 30_000, interval: 20 };
let cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

let url: string;
beforeAll(async () => {
  url = await createTestRedis();
});

function aLanding(): { landing: Landing; client: Redis; key: string } {
  const client = new Redis(url);
  cleanUps.push(async () => client.disconnect());
  const key = `{${aNamespace()}}:landing`;
  return { landing: createRedisLanding({ client, duplicate: () => client.duplicate(), key }), client, key };
}

function startMoving(landing: Landing, add: (envelope: SealedEnvelope) => Promise<unknown>): string[] {
  const errors: string[] = [];
  const moving = landing.startMoving({ add, onError: (error) => errors.push(String(error)) });
  cleanUps.push(() => moving.close());
  return errors;
}

test('what is put down in one write is passed on as it was, and removed', async () => {
  const { landing } = aLanding();
  const deliveries = [
    { ...aDelivery(''), body: Buffer.from([0, 255, 10, 13]), receivedAt: new Date('2026-06-01T10:00:00.001Z') },
    { ...aDelivery('newer'), v: 7, more: [null] },
    aDelivery(''),
    aDelivery('same'),
    aDelivery('same'),
  ];
  await landing.put(deliveries);
  expect(await landing.count()).toBe(5);
  const added: SealedEnvelope[] = [];
  startMoving(landing, async (envelope) => added.push(envelope));
  await vi.waitFor(async () => expect(await landing.count()).toBe(0), patience);
  expect(added).toEqual(deliveries);
});

test('the bytes lie in the stream as they are, after the time, where a worker of before looks for them', async () => {
  const { landing, client, key } = aLanding();
  const delivery = { ...aDelivery(''), body: Buffer.from([0, 255, 10]) };
  await landing.put([delivery]);
  const [entry] = await client.xrangeBuffer(key, '-', '+');
  const [at, time, name, body] = entry?.[1] ?? [];
  expect([String(at), Number(String(time)), String(name), body]).toEqual([
    ...['at', delivery.receivedAt.getTime(), 'body', delivery.body],
  ]);
});

test('what lies in the stream in another form is passed on, for whoever can open it', async () => {
  const { landing, client, key } = aLanding();
  const entries = [
    ['at', '1780308000123', 'body', 'of before versions'],
    ['at', '1780308000123', 'body', 'odd label', 'label', 'rubbish'],
    ['at', '1780308000123', 'body', 'odd label', 'label', '[1]'],
    ['at', '1780308000123', 'body', 'more', 'label', '{"v":9}', 'later', 'x'],
    ['at', '1780308000123'],
  ];
  for (const fields of entries) await client.xadd(key, '*', ...fields);
  const added: SealedEnvelope[] = [];
  startMoving(landing, async (envelope) => added.push(envelope));
  await vi.waitFor(async () => expect(await landing.count()).toBe(0), patience);
  const at = { receivedAt: new Date(1_780_308_000_123) };
  expect(added).toEqual([
    { ...at, body: Buffer.from('of before versions') },
    { ...at, body: Buffer.from('odd label'), v: 'rubbish' },
    { ...at, body: Buffer.from('odd label'), v: '[1]' },
    { ...at, body: Buffer.from('more'), v: 9 },
    { ...at, body: Buffer.alloc(0) },
  ]);
});

test('what a consumer took and did not add, another takes over', async () => {
  const { landing } = aLanding();
  const gate = Promise.withResolvers<void>();
  let stuck = 0;
  startMoving(landing, () => {
    stuck += 1;
    return gate.promise;
  });
  cleanUps.push(async () => gate.resolve());
  await landing.put([aDelivery('one'), aDelivery('two')]);
  await vi.waitFor(() => expect(stuck).toBe(2), patience);
  const added: string[] = [];
  startMoving(landing, async ({ body }) => added.push(body.toString()));
  await vi.waitFor(() => expect(added).toEqual(['one', 'two']), patience);
  await vi.waitFor(async () => expect(await landing.count()).toBe(0), patience);
});

test('one that cannot be added holds up no other, stays, and is tried again', async () => {
  const { landing } = aLanding();
  const added: string[] = [];
  let isRefused = true;
  const errors = startMoving(landing, async ({ body }) => {
    if (body.toString() === 'odd' && isRefused) throw new Error('not this one');
    added.push(body.toString());
  });
  await landing.put(['before', 'odd', 'after'].map(aDelivery));
  await vi.waitFor(() => expect(added).toEqual(['before', 'after']), patience);
  await vi.waitFor(() => expect(errors).toEqual(['Error: not this one']), patience);
  await landing.put([aDelivery('later')]);
  await vi.waitFor(() => expect(added).toContain('later'), patience);
  expect(await landing.count()).toBeGreaterThanOrEqual(1);
  isRefused = false;
  await vi.waitFor(() => expect(added).toContain('odd'), patience);
  await vi.waitFor(async () => expect(await landing.count()).toBe(0), patience);
});

test('it goes on when somebody has deleted the stream', async () => {
  const { landing, client, key } = aLanding();
  const added: string[] = [];
  startMoving(landing, async ({ body }) => added.push(body.toString()));
  await landing.put([aDelivery('before')]);
  await vi.waitFor(() => expect(added).toEqual(['before']), patience);
  await client.del(key);
  await landing.put([aDelivery('after')]);
  await vi.waitFor(() => expect(added).toEqual(['before', 'after']), patience);
});

test('nothing is lost between landing and job though Redis is killed again and again', async () => {
  const redis = await startRedis(['--appendonly', 'yes', '--appendfsync', 'always']);
  cleanUps.push(() => redis.close());
  const options = { url: redis.url, namespace: aNamespace(), allowVolatile: false, onWarning: () => {} };
  const queue = await openDeliveryQueue({ ...options, timeoutMs: 20_000 });
  cleanUps.push(() => queue.close());
  const bodies = Array.from({ length: 600 }, (_, n) => `delivery ${n}`);
  await Promise.all(bodies.map((body) => queue.add(aDelivery(body))));
  const recorded = new Set<string>();
  for (let n = 0; n < 2; n += 1) {
    const record = async ({ body }: SealedEnvelope) => void recorded.add(body.toString());
    const consumer = await consumeDeliveries({ ...options, concurrency: 4, record, onError: () => {} });
    cleanUps.push(() => consumer.close());
  }
  for (const enough of [50, 200, 400]) {
    await vi.waitFor(() => expect(recorded.size).toBeGreaterThan(enough), patience);
    await redis.kill();
    await redis.start();
  }
  await vi.waitFor(() => expect(bodies.filter((body) => !recorded.has(body))).toEqual([]), patience);
  await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), patience);
});

test('what cannot be moved, however much it is, holds up nothing that comes after it', async () => {
  const { landing } = aLanding();
  const stuck = Array.from({ length: 300 }, (_, n) => ({ ...aDelivery(`stuck ${n}`), v: 9 }));
  await landing.put(stuck);
  const added: string[] = [];
  startMoving(landing, async (envelope) => {
    if (envelope.v === 9) throw new Error('nobody can open it');
    added.push(envelope.body.toString());
  });
  for (const name of ['one', 'two', 'three']) {
    await landing.put([aDelivery(name)]);
    await vi.waitFor(() => expect(added).toContain(name), patience);
  }
  expect(await landing.count()).toBeGreaterThanOrEqual(300);
});

test('a time that is none is that at which it landed', async () => {
  const { landing, client, key } = aLanding();
  await client.xadd(key, '1780308000123-5', 'at', 'noon', 'body', 'odd');
  const added: SealedEnvelope[] = [];
  startMoving(landing, async (envelope) => added.push(envelope));
  await vi.waitFor(() => expect(added).toMatchObject([{ receivedAt: new Date(1_780_308_000_123) }]), patience);
});
