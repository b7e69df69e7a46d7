import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { aDelivery, aNamespace } from './deliveries.contract.ts';
import { consumeDeliveries, openDeliveryQueue, UnfitQueueError, VolatileQueueError } from './index.ts';
import { type RedisServer, startRedis, startSentinel } from './test-servers.ts';

const patience = { timeout: 30_000, interval: 20 };
const safe = ['--appendonly', 'yes', '--appendfsync', 'always'];
let cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

async function aRedis(settings: readonly string[]): Promise<RedisServer> {
  const redis = await startRedis(settings);
  cleanUps.push(() => redis.close());
  return redis;
}

async function run(redis: RedisServer, ...command: [string, ...string[]]): Promise<unknown> {
  const client = new Redis(redis.url);
  try {
    return await client.call(...command);
  } finally {
    client.disconnect();
  }
}

function open(url: string, allowVolatile = false, warnings: string[] = []): Promise<void> {
  const options = { url, allowVolatile, onWarning: (message: string) => void warnings.push(message) };
  return openDeliveryQueue({ ...options, namespace: aNamespace() }).then((queue) => queue.close());
}

async function addAndConsume(url: string): Promise<void> {
  const options = { url, namespace: aNamespace(), allowVolatile: false, onWarning: () => {} };
  const queue = await openDeliveryQueue(options);
  cleanUps.push(() => queue.close());
  const recorded: string[] = [];
  const consumer = await consumeDeliveries({
    ...options,
    concurrency: 2,
    record: async ({ body }) => void recorded.push(body.toString()),
    onError: () => {},
  });
  cleanUps.push(() => consumer.close());
  await queue.add(aDelivery('one'));
  await vi.waitFor(() => expect(recorded).toEqual(['one']), patience);
  await vi.waitFor(async () => expect(await queue.waiting()).toBe(0), patience);
}

describe('a Redis that may forget', () => {
  test.each([
    { settings: ['--appendonly', 'no'], problem: 'its append-only file is off' },
    { settings: [...safe, '--maxmemory-policy', 'allkeys-lru'], problem: 'its maxmemory-policy is allkeys-lru' },
  ])('is refused when $problem', async ({ settings, problem }) => {
    const redis = await aRedis(settings);
    const error = await open(redis.url).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(VolatileQueueError);
    expect(String(error)).toContain(problem);
    expect(String(error)).toContain('CONFIG SET appendonly yes');
    expect(String(error)).toContain('CONFIG SET maxmemory-policy noeviction');
    const consuming = consumeDeliveries({
      url: redis.url,
      allowVolatile: false,
      concurrency: 1,
      record: async () => {},
      onWarning: () => {},
      onError: () => {},
    });
    await expect(consuming).rejects.toThrow(VolatileQueueError);
  });

  test('is taken with a warning when that is allowed', async () => {
    const redis = await aRedis(['--appendonly', 'no']);
    const warnings: string[] = [];
    await open(redis.url, true, warnings);
    expect(warnings).toEqual([expect.stringContaining('append-only file is off')]);
  });

  test('is found out through INFO where CONFIG is forbidden', async () => {
    const redis = await aRedis(['--appendonly', 'no', '--maxmemory-policy', 'volatile-ttl']);
    await run(redis, 'ACL', 'SETUSER', 'app', 'on', '>open-sesame', '~*', '&*', '+@all', '-config');
    const error = await open(`redis://app:open-sesame@127.0.0.1:${redis.port}`).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(VolatileQueueError);
    expect(String(error)).toContain('append-only file is off; its maxmemory-policy is volatile-ttl');
    expect(String(error)).not.toContain('sesame');
  });

  test('works, with a warning, when it tells neither way', async () => {
    const redis = await aRedis(safe);
    const password = randomBytes(8).toString('hex');
    await run(redis, 'ACL', 'SETUSER', 'app', 'on', `>${password}`, '~*', '&*', '+@all', '-config', '-info');
    const url = `redis://app:${password}@127.0.0.1:${redis.port}`;
    const warnings: string[] = [];
    await open(url, false, warnings);
    expect(warnings).toEqual([
      expect.stringContaining('append-only file could not be checked'),
      expect.stringContaining('evicts keys could not be checked'),
    ]);
    await addAndConsume(url);
  });

  test('for a second is named, and accepted', async () => {
    const redis = await aRedis(['--appendonly', 'yes', '--appendfsync', 'everysec']);
    const warnings: string[] = [];
    await open(redis.url, false, warnings);
    expect(warnings).toEqual([expect.stringContaining('CONFIG SET appendfsync always')]);
  });
});

test('nothing is said about a Redis as it should be', async () => {
  const redis = await aRedis(safe);
  const warnings: string[] = [];
  await open(redis.url, false, warnings);
  expect(warnings).toEqual([]);
});

test('what was added outlives a Redis that is killed', async () => {
  const redis = await aRedis(safe);
  const namespace = aNamespace();
  const queue = await openDeliveryQueue({ url: redis.url, namespace, allowVolatile: false, onWarning: () => {} });
  cleanUps.push(() => queue.close());
  await Promise.all(Array.from({ length: 200 }, (_, n) => queue.add(aDelivery(`delivery ${n}`))));
  await redis.kill();
  await redis.start();
  await vi.waitFor(async () => expect(await queue.waiting()).toBe(200), patience);
});

test('a cluster is checked, and works as a single Redis does', async () => {
  const redis = await aRedis(['--appendonly', 'no', '--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1']);
  await run(redis, 'CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await vi.waitFor(async () => expect(await run(redis, 'CLUSTER', 'INFO')).toContain('cluster_state:ok'), patience);
  const url = `redis+cluster://127.0.0.1:${redis.port}`;
  await expect(open(url)).rejects.toThrow(VolatileQueueError);
  await run(redis, 'CONFIG', 'SET', 'appendonly', 'yes');
  await addAndConsume(url);
});

test('the master is found through a sentinel', async () => {
  const redis = await aRedis(safe);
  const sentinel = await startSentinel('the-master', redis.port);
  cleanUps.push(() => sentinel.close());
  await addAndConsume(`redis+sentinel://127.0.0.1:${sentinel.port}/the-master`);
});

describe('a database of a Redis', () => {
  test('is one of its own', async () => {
    const redis = await aRedis(safe);
    await addAndConsume(`${redis.url}/5`);
    expect(await run(redis, 'DBSIZE')).toBe(0);
  });

  test.each(['/1', '/15', '?db=3'])('that the server lacks (%s) is refused by both sides, in words', async (place) => {
    const redis = await aRedis([...safe, '--databases', '1']);
    const url = `${redis.url}${place}`;
    const options = { url, namespace: aNamespace(), allowVolatile: false, onWarning: () => {} };
    const opening = [
      openDeliveryQueue(options),
      consumeDeliveries({ ...options, concurrency: 1, record: async () => {}, onError: () => {} }),
    ];
    for (const outcome of await Promise.allSettled(opening)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(UnfitQueueError) });
      if (outcome.status === 'rejected') expect(outcome.reason.problems[0]).toMatch(/no such database.*out of range/);
    }
    expect(await run(redis, 'DBSIZE')).toBe(0);
  });

  test('that is gone after a restart is not replaced by the first', async () => {
    const redis = await aRedis(safe);
    const options = { namespace: aNamespace(), allowVolatile: false, onWarning: () => {} };
    const recorded: string[] = [];
    const ours = { ...options, url: `${redis.url}/5` };
    const queue = await openDeliveryQueue(ours);
    cleanUps.push(() => queue.close());
    const consumer = await consumeDeliveries({
      ...ours,
      concurrency: 2,
      record: async ({ body }) => void recorded.push(body.toString()),
      onError: () => {},
    });
    cleanUps.push(() => consumer.close());
    await redis.kill();
    await redis.start(['--databases', '1']);
    const others = await openDeliveryQueue({ ...options, url: redis.url });
    cleanUps.push(() => others.close());
    await others.add(aDelivery("another mirror's"));
    for (let tries = 0; tries < 20; tries += 1) {
      await expect(queue.add(aDelivery('ours'))).rejects.toThrow();
      expect(recorded).toEqual([]);
    }
    expect(await others.waiting()).toBe(1);
    await redis.kill();
    await redis.start();
    await vi.waitFor(() => queue.add(aDelivery('ours')), patience);
    await vi.waitFor(() => expect(recorded).toEqual(['ours']), patience);
    await vi.waitFor(async () => expect(await others.waiting()).toBe(1), patience);
  });
});
