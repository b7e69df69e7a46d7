import { Redis } from 'ioredis';
import { inject } from 'vitest';
import type {} from './global-setup.ts';

/** The address of a database of its own, empty, in the Redis of this test run. */
export async function createTestRedis(): Promise<string> {
  const { redis } = inject('servers');
  const client = new Redis(redis);
  const database = await client.incr('databases-given-out'); // in database 0, which nobody else gets
  client.disconnect();
  return `${redis}/${database}`;
}

/** Everything that the Redis database at this address holds, as text. */
export async function readRedis(url: string): Promise<string> {
  const client = new Redis(url);
  const texts: string[] = [];
  for await (const keys of client.scanStream({ count: 1000 })) {
    for (const key of keys as string[]) texts.push(key, await readKey(client, key)); // a batch of key names
  }
  client.disconnect();
  return texts.join('\n');
}

async function readKey(client: Redis, key: string): Promise<string> {
  switch (await client.type(key)) {
    case 'hash':
      return JSON.stringify(await client.hgetall(key));
    case 'list':
      return JSON.stringify(await client.lrange(key, '0', '-1'));
    case 'set':
      return JSON.stringify(await client.smembers(key));
    case 'zset':
      return JSON.stringify(await client.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await client.xrange(key, '-', '+'));
    default:
      return String(await client.get(key));
  }
}
