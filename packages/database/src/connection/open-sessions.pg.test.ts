// Addresses as people have them, each against a real server: encrypted or not, through a socket, behind poolers.
import { chmod, copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { certificates, createTestDatabase, type Pooler, startPooler, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { PoolerError } from '../errors.ts';
import { openSessions } from './open-database.ts';

let database: TestDatabase;
let directory: string;
let cleanUps: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-tls-'));
  await chmod(directory, 0o777);
  for (const [name, file] of Object.entries(certificates)) {
    await copyFile(file, path.join(directory, name));
    await chmod(path.join(directory, name), 0o644);
  }
});
afterAll(async () => {
  await database.drop();
  await rm(directory, { recursive: true });
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

async function aPooler(mode: 'session' | 'transaction', settings: string[] = []): Promise<Pooler> {
  const pooler = await startPooler({ url: database.url, mode, settings });
  cleanUps.push(() => pooler.close());
  return pooler;
}

async function connected(url: string, directUrl?: string): Promise<string> {
  const opened = await openSessions({ url, directUrl, applicationName: 'test', max: 3 });
  try {
    const { rows } = await opened.pool.query("select current_database() as name, current_setting('timezone') as zone");
    expect(rows[0]).toMatchObject({ zone: 'UTC' });
    return rows[0].name;
  } finally {
    await opened.close();
  }
}

const name = () => new URL(database.url).pathname.slice(1);

describe('a pooler', () => {
  test('that keeps sessions, and takes no start-up parameters, does no harm', async () => {
    const pooler = await aPooler('session');
    expect(await connected(pooler.url)).toBe(name());
    const parameters = await connected(`${pooler.url}?options=-c%20work_mem%3D5MB`).catch((error) => error);
    expect(String(parameters.cause)).toContain('unsupported startup parameter'); // the operator asked for it
  });

  test('that has one session to give is named, and not waited for without end', async () => {
    const pooler = await aPooler('session', ['default_pool_size = 1']);
    await expect(connected(pooler.url)).rejects.toThrow(/gave one session and no other: does a pooler/);
  });

  test('that shares sessions is refused in words, unless another address is given', async () => {
    const pooler = await aPooler('transaction');
    await expect(connected(pooler.url)).rejects.toThrow(PoolerError);
    await expect(connected(pooler.url)).rejects.toThrow(/DATABASE_URL_DIRECT/);
    await expect(connected(pooler.url, pooler.url)).rejects.toThrow(PoolerError);
    expect(await connected(pooler.url, database.url)).toBe(name());
    const opened = await openSessions({ url: pooler.url, directUrl: database.url, applicationName: 'test' });
    cleanUps.push(() => opened.close());
    expect(opened.url).toBe(database.url);
  });
});

test('a socket leads to the database, however it is written', async () => {
  const pooler = await aPooler('session', [`unix_socket_dir = ${directory}`]);
  const { port, username, password, pathname } = new URL(pooler.url);
  const encoded = encodeURIComponent(directory);
  for (const url of [
    `postgres://${username}:${password}@${pathname}?host=${directory}&port=${port}`,
    `postgres://${username}:${password}@localhost:${port}${pathname}?host=${directory}`,
    `postgres://${username}:${password}@${encoded}:${port}${pathname}`,
    `postgres://${pathname}?host=${encoded}&port=${port}&user=${username}&password=${password}&sslmode=require`,
  ]) {
    expect(await connected(url), url).toBe(name());
  }
});

describe('encryption', () => {
  const aTlsPooler = async (mode: 'require' | 'disable') => {
    const file = (of: string) => path.join(directory, of);
    const files =
      mode === 'disable'
        ? []
        : [`client_tls_key_file = ${file('server.key')}`, `client_tls_cert_file = ${file('server.pem')}`];
    const pooler = await aPooler('session', [`client_tls_sslmode = ${mode}`, ...files]);
    return (host: string, query: string) => {
      const url = Object.assign(new URL(pooler.url), { hostname: host, search: query });
      return connected(url.href.replace('CA', `${directory}/ca.pem`)).then(
        () => 'connected',
        (error: Error) => `${error} ${error.cause}`,
      );
    };
  };

  test.each([
    ['require', 'localhost', 'sslmode=require', /^connected$/],
    ['require', '127.0.0.1', 'sslmode=require', /^connected$/],
    ['require', '127.0.0.1', 'sslmode=no-verify', /^connected$/],
    ['require', 'localhost', 'sslmode=verify-full&sslrootcert=CA', /^connected$/],
    ['require', '127.0.0.1', 'sslmode=verify-ca&sslrootcert=CA', /^connected$/],
    ['require', '127.0.0.1', 'sslmode=require&sslrootcert=CA', /^connected$/],
    ['require', '127.0.0.1', 'sslmode=verify-full&sslrootcert=CA', /altnames/],
    ['require', 'localhost', 'sslmode=verify-full', /certificate/],
    ['require', 'localhost', 'ssl=true', /certificate/],
    ['require', '127.0.0.1', 'sslmode=disable', /SSL required/i],
    ['disable', '127.0.0.1', 'sslmode=disable', /^connected$/],
    ['disable', '127.0.0.1', 'sslmode=require', /does not support SSL/],
  ] as const)('a server that says %s, at %s with %s', async (mode, host, query, outcome) => {
    const ask = await aTlsPooler(mode);
    expect(await ask(host, `?${query}`)).toMatch(outcome);
  });
});

test('a password that nobody encoded lets in as it is', async () => {
  const user = `odd_${name()}`;
  const password = 'p@s/s?w#o%rd: ü';
  await database.pool.query(`create role ${user} login password '${password}'`);
  cleanUps.push(() => database.pool.query(`drop role ${user}`));
  const { host, pathname } = new URL(database.url);
  expect(await connected(`postgres://${user}:${password}@${host}${pathname}`)).toBe(name());
  expect(await connected(`postgres://${user}:${encodeURIComponent(password)}@${host}${pathname}`)).toBe(name());
});
