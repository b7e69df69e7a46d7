import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, glob, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startPostgres } from './start-postgres.ts';

const isRoot = process.getuid?.() === 0;
let parent: string;
let directory: string;

beforeEach(async () => {
  parent = await mkdtemp('/tmp/procore-mirror-embedded-');
  await chmod(parent, 0o755);
  directory = path.join(parent, 'postgres');
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

const start = (options: { directory?: string; port?: number; throwaway?: boolean } = {}) =>
  startPostgres({ directory, throwaway: true, ...options });

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query({ text: sql, rowMode: 'array' });
  await client.end();
  return rows.flat();
}

/** Another process that starts Postgres on the directory and is then killed. */
async function startElsewhereAndKill(): Promise<{ postgres: number }> {
  const script = `
    const { startPostgres } = await import(${JSON.stringify(new URL('./start-postgres.ts', import.meta.url).href)});
    await startPostgres({ directory: ${JSON.stringify(directory)}, throwaway: true });
    console.log('started');
    setInterval(() => {}, 1000);`;
  const starter: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(starter.stdout!, 'data');
  starter.kill('SIGKILL');
  await once(starter, 'exit');
  return { postgres: await runningPostgres() };
}

async function runningPostgres(): Promise<number> {
  return Number.parseInt(await readFile(path.join(directory, 'cluster/postmaster.pid'), 'utf8'), 10);
}

test('a second start continues with the data and the port of the first', async () => {
  const first = await start();
  await first.createDatabase('kept');
  await query(first.url('kept'), 'create table t as select 1 as n');
  await first.close();
  await first.ended;
  const second = await start();
  await second.createDatabase('kept');
  expect(await query(second.url('kept'), 'select n from t')).toEqual([1]);
  expect(second.port).toBe(first.port);
  await second.dropDatabase('kept');
  await second.createDatabase('kept');
  expect(await query(second.url('kept'), `select to_regclass('t') as t`)).toEqual([null]);
  await second.close();
});

test('the server listens on the loopback address only and wants its password', async () => {
  const server = await start();
  expect(await query(server.url('postgres'), 'show listen_addresses')).toEqual(['127.0.0.1']);
  const wrong = server.url('postgres').replace(/:[^:@]+@/, ':wrong@');
  await expect(query(wrong, 'select 1')).rejects.toThrow('password authentication failed');
  await server.close();
});

test('while another process has Postgres running on the directory, a second start says who and changes nothing', async () => {
  const first = await start();
  await expect(start()).rejects.toThrow(new RegExp(`process ${process.pid} has Postgres running on`));
  expect(await query(first.url('postgres'), 'select 1')).toEqual([1]);
  await first.close();
});

test('a Postgres that a killed starter left behind is replaced, with its data', async () => {
  const { postgres } = await startElsewhereAndKill();
  const server = await start();
  expect(await runningPostgres()).not.toBe(postgres);
  expect(await query(server.url('postgres'), 'select 1')).toEqual([1]);
  await server.close();
});

test('no session of a reader makes a Postgres that was left behind look kept', async () => {
  const { postgres } = await startElsewhereAndKill();
  const { password, port } = JSON.parse(await readFile(path.join(directory, 'access.json'), 'utf8'));
  const address = `127.0.0.1:${port}/postgres`;
  await query(`postgres://postgres:${password}@${address}`, `create role reader login password 'read'`);
  const reader = new pg.Client({
    connectionString: `postgres://reader:read@${address}`,
    application_name: `process ${process.pid}`,
  });
  reader.on('error', () => {}); // its server is stopped
  await reader.connect();
  await reader.query('select pg_advisory_lock(7305112)');
  const server = await start();
  expect(await runningPostgres()).not.toBe(postgres);
  await server.close();
});

test('after everything was killed, the pid file left behind is no obstacle, even if another process has that number', async () => {
  const { postgres } = await startElsewhereAndKill();
  process.kill(postgres, 'SIGKILL');
  const pidFile = path.join(directory, 'cluster/postmaster.pid');
  const lines = (await readFile(pidFile, 'utf8')).split('\n');
  await writeFile(pidFile, [process.ppid, ...lines.slice(1)].join('\n'));
  const server = await start();
  expect(await query(server.url('postgres'), 'select 1')).toEqual([1]);
  await server.close();
});

test('half a cluster of an interrupted first start is made anew', async () => {
  await mkdir(path.join(directory, 'cluster.new'), { recursive: true });
  await writeFile(path.join(directory, 'cluster.new/PG_VERSION'), '18');
  const server = await start();
  expect(await query(server.url('postgres'), 'select 1')).toEqual([1]);
  await server.close();
});

test('a port that is taken is named', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  await expect(start({ port })).rejects.toThrow(`Port ${port} of 127.0.0.1 is taken`);
  other.close();
});

test('settings that Postgres refuses are reported in its own words', async () => {
  await expect(startPostgres({ directory, throwaway: true, settings: ['no_such_setting=1'] })).rejects.toThrow(
    'unrecognized configuration parameter "no_such_setting"',
  );
});

test('below a directory that only its owner may enter, data survives a restart, a move, and is not shared with a copy', async () => {
  const closed = path.join(parent, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const inside = path.join(closed, 'postgres');
  const first = await start({ directory: inside, throwaway: false });
  await query(first.url('postgres'), 'create table t as select 1 as n');
  await first.close();
  expect(existsSync(path.join(inside, 'elsewhere.json'))).toBe(isRoot);

  const moved = path.join(closed, 'moved');
  await rename(inside, moved);
  const second = await start({ directory: moved, throwaway: false });
  expect(await query(second.url('postgres'), 'select n from t')).toEqual([1]);
  await second.close();

  const copied = path.join(closed, 'copied');
  await cp(moved, copied, { recursive: true, preserveTimestamps: true });
  if (isRoot) await expect(start({ directory: copied })).rejects.toThrow('points to the same database');

  await rm(moved, { recursive: true });
  const anew = await start({ directory: moved });
  expect(await query(anew.url('postgres'), `select count(*)::int from pg_tables where tablename = 't'`)).toEqual([0]);
  await anew.close();
  if (isRoot) await expect(readShelters()).resolves.not.toContain(moved);
});

/** The directories that have their cluster elsewhere. */
async function readShelters(): Promise<string[]> {
  const owners = glob('/var/lib/procore-mirror/*/owner.json');
  return await Array.fromAsync(
    owners,
    async (file) => JSON.parse(await readFile(file, 'utf8').catch(() => '{}')).directory,
  );
}
