import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@procore-mirror/embedded';
import { Redis } from 'ioredis';

/** Starts a Redis as the mirror requires it, with an append-only file and no eviction, in this directory. */
export async function startRedis(directory: string): Promise<{ url: string; close: () => Promise<void> }> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = {
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    pidfile: `${directory}/redis.pid`,
    appendonly: 'yes',
    appendfsync: 'everysec',
    'maxmemory-policy': 'noeviction',
    save: '',
    databases: '1000', // each test takes its own
  };
  const server = spawn(
    'redis-server',
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: 'ignore', detached: true },
  );
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    server.once('error', (cause) =>
      reject(new Error('redis-server is needed for the tests; on Debian: apt-get install -y redis-server', { cause })),
    );
  });
  await Promise.race([answers(url), failed]);
  return {
    url,
    close: async () => {
      if (server.exitCode !== null || server.signalCode !== null) return;
      server.kill('SIGKILL'); // what it holds is thrown away
      await ended;
    },
  };
}

async function answers(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  const giveUp = new AbortController();
  try {
    await Promise.race([
      client.ping(),
      sleep(10_000, undefined, { signal: giveUp.signal }).then(() => {
        throw new Error('Redis did not answer in 10 s');
      }),
    ]);
  } finally {
    giveUp.abort();
    client.disconnect();
  }
}
