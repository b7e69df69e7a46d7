import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AddressError } from './errors.ts';
import { readPostgresAddress } from './postgres-address.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'procore-mirror-address-'));
  writeFileSync(path.join(directory, 'ca.pem'), 'a certificate');
});
afterAll(() => rmSync(directory, { recursive: true }));

const problemsOf = (url: string): readonly string[] => {
  try {
    readPostgresAddress(url);
    return [];
  } catch (error) {
    if (error instanceof AddressError) return error.problems;
    throw error;
  }
};

const app = { host: 'db.example', user: 'app', password: 'secret', database: 'mirror' };

test.each<[url: string, expected: Record<string, unknown>]>([
  ['postgres://app:secret@db.example/mirror', app],
  ['PostgreSQL://app:secret@db.example:5432/mirror', { ...app, port: 5432 }],
  ['postgres://app:secret@db.example:6432/mirror', { ...app, port: 6432 }],
  ['postgres://app@db.example/mirror', { host: 'db.example', user: 'app' }],
  ['postgres://app:@db.example/mirror', { host: 'db.example', user: 'app' }],
  ['postgres://db.example', { host: 'db.example' }],
  ['postgres://db.example/', { host: 'db.example' }],
  ['postgres:///mirror', { database: 'mirror' }],
  ['postgres://db.example/mirror?hostaddr=10.0.0.7', { host: '10.0.0.7' }],
  ['postgres://[::1]:6432/mirror', { host: '::1', port: 6432 }],
  ['postgres://app:secret@db.example/my%20mirror', { database: 'my mirror' }],
  ['postgres://app:secret@db.example/mirror?application_name=ours', { ...app, application_name: 'ours' }],
  ['postgres://app:secret@db.example/mirror?application_name=me@here', { ...app, application_name: 'me@here' }],
  ['postgres://app:secret@db.example/mirror?options=-c%20work_mem%3D5MB', { ...app, options: '-c work_mem=5MB' }],
  ['postgres://app:secret@db.example/mirror?options=-c+work_mem%3D5MB', { ...app, options: '-c work_mem=5MB' }],
  ['postgres://db.example/mirror?user=a+b&password=p+w', { user: 'a+b', password: 'p+w' }],
  ['postgres://app:secret@db.example/mirror?options=-c work_mem=5MB', { ...app, options: '-c work_mem=5MB' }],
  ['postgres:///?user=app&password=secret&host=db.example&port=6000&dbname=mirror', { ...app, port: 6000 }],
  ['postgres://db.example?user=app&password=se%26cret', { password: 'se&cret' }],
  ['postgres://app:secret@db.example/mirror?connect_timeout=10&target_session_attrs=read-write', app],
  ['postgres://app:secret@db.example/mirror?pgbouncer=true&schema=public', app],
])('%s is read', (url, expected) => {
  expect(readPostgresAddress(url)).toMatchObject(expected);
});

test.each<[url: string, host: string, rest?: Record<string, unknown>]>([
  ['postgres:///mirror?host=/var/run/postgresql', '/var/run/postgresql', { database: 'mirror' }],
  ['postgres://app:secret@/mirror?host=/tmp', '/tmp', { user: 'app', password: 'secret' }],
  ['postgres://app@localhost/mirror?host=/tmp&port=6000', '/tmp', { port: 6000, user: 'app' }],
  ['postgres://%2Fvar%2Frun%2Fpostgresql/mirror', '/var/run/postgresql', { database: 'mirror' }],
  ['postgres://app:secret@%2ftmp:6000/mirror', '/tmp', { port: 6000 }],
  ['postgres:///mirror?host=%2Ftmp&sslmode=require', '/tmp', { ssl: false }],
])('%s leads to a socket', (url, host, rest = {}) => {
  expect(readPostgresAddress(url)).toMatchObject({ host, ...rest });
});

test.each([
  'p@ss',
  'p@s@s',
  'p/ss',
  'p?ss',
  'p#ss',
  'p ss',
  'p%ss',
  '100%',
  'p:s:s',
  'p/@?#ss',
  '1/2',
  'ü€',
  'p%zz@',
  '[x]',
  'a\\b',
  "a'b",
])('the password %j is taken as it is, or encoded', (password) => {
  for (const written of [password, encodeURIComponent(password)]) {
    for (const place of ['db.example/mirror', 'db.example:5432/mirror?sslmode=disable', '[::1]/mirror']) {
      const url = `postgres://app:${written}@${place}`;
      expect(readPostgresAddress(url), url).toMatchObject({ user: 'app', password, database: 'mirror' });
    }
  }
});

test('a password that could end in several places ends at the last', () => {
  expect(readPostgresAddress('postgres://app:se/@cret/@db.example')).toMatchObject({
    password: 'se/@cret/',
    host: 'db.example',
  });
});

test('an @ in a parameter begins no host', () => {
  for (const name of ['application_name', 'fallback_application_name', 'schema']) {
    expect(problemsOf(`postgres://db.example:99999/mirror?${name}=me@here`)).toEqual([
      'its port must be a number from 1 to 65535',
    ]);
    const odd = `postgres://app:Zx/9kQ#vL2mN@db.example/mirror?${name}=me@laptop`;
    expect(readPostgresAddress(odd)).toMatchObject({ host: 'db.example', password: 'Zx/9kQ#vL2mN' });
  }
});

describe('encryption', () => {
  test.each<[query: string, ssl: unknown]>([
    ['', undefined],
    ['sslmode=disable', false],
    ['ssl=false', false],
    ['ssl=0', false],
    ['sslmode=require', { rejectUnauthorized: false }],
    ['sslmode=no-verify', { rejectUnauthorized: false }],
    ['ssl=no-verify', { rejectUnauthorized: false }],
    ['sslmode=verify-full', {}],
    ['sslmode=verify-full&sslrootcert=system', {}],
    ['sslrootcert=system', {}],
    ['ssl=require', { rejectUnauthorized: false }],
    ['ssl=true', {}],
    ['ssl=1', {}],
  ])('%j', (query, ssl) => {
    expect(readPostgresAddress(`postgres://db.example/mirror?${query}`).ssl).toEqual(ssl);
  });

  test('a CA is read from its file; require with one verifies it, and verify-full the name, too', () => {
    const withCa = (mode: string) =>
      readPostgresAddress(`postgres://db.example/mirror?sslmode=${mode}&sslrootcert=${directory}/ca.pem`).ssl;
    expect(withCa('verify-full')).toEqual({ ca: 'a certificate' });
    for (const mode of ['require', 'verify-ca']) {
      expect(withCa(mode)).toEqual({ ca: 'a certificate', checkServerIdentity: expect.any(Function) });
    }
  });

  test.each<[query: string, problem: RegExp]>([
    ['sslmode=prefer', /sslmode=prefer.*require.*disable/],
    ['sslmode=allow', /sslmode=allow/],
    ['sslmode=verify-ful', /sslmode.*disable, require, verify-ca, verify-full/],
    ['ssl=maybe', /its ssl must be one of disable/],
    ['sslmode=require&sslrootcert=system', /system needs sslmode=verify-full/],
    ['sslmode=verify-ca&sslrootcert=system', /system needs sslmode=verify-full/],
    ['sslmode=disable&ssl=true', /contradict/],
    ['sslnegotiation=direct', /direct needs sslmode/],
    ['sslnegotiation=direct&sslmode=disable', /direct needs sslmode/],
    ['sslmode=verify-ca', /verify-ca.*sslrootcert/],
    ['sslmode=verify-full&sslrootcert=/no/such/ca.pem', /sslrootcert.*\/no\/such\/ca\.pem.*ENOENT/],
    ['sslmode=verify-full&sslcert=/no/such/cert.pem', /sslcert.*ENOENT/],
    ['sslcrl=/some/list', /unknown.*sslcrl/],
  ])('%s is refused', (query, problem) => {
    expect(problemsOf(`postgres://db.example/mirror?${query}`)).toEqual([expect.stringMatching(problem)]);
  });
});

test.each<[url: string, problem: RegExp]>([
  ['mysql://db.example/mirror', /must look like postgres:\/\//],
  ['db.example', /must look like/],
  ['postgres://', /must look like/],
  ['postgres://one.example,two.example:5433/mirror', /several hosts/],
  ['postgres:///mirror?host=one.example,two.example', /several hosts/],
  ['postgres://db.example:99999/mirror', /port.*1 to 65535/],
  ['postgres://db.example:0/mirror', /port.*1 to 65535/],
  ['postgres://db.example/mirror?port=x', /port.*1 to 65535/],
  ['postgres://db.example:54x2/mirror', /port.*1 to 65535/],
  ['postgres://db example/mirror', /host/],
  ['postgres://db.example/mirror?sslmod=require', /unknown.*sslmod\b/],
  ['postgres://db.example/mirror?service=main', /unknown.*service/],
  ['postgres://db.example/mirror?client_encoding=latin1', /client_encoding.*utf8/],
  ['postgres://db.example/mirror/more', /database/],
  ['postgres://db.example/mir%00ror', /NUL/],
  ['postgres://db.example/mirror?sslnegotiation=now', /sslnegotiation/],
])('%s is refused, with a problem that says why', (url, problem) => {
  expect(problemsOf(url)).toEqual([expect.stringMatching(problem)]);
});

test('several problems are told at once, none with a secret', () => {
  const url =
    'postgres://app:hunter2hunter2@db.example:99999/mirror?sslmode=prefer&password=hunter2hunter2&foo=hunter2hunter2';
  const problems = problemsOf(url);
  expect(problems).toHaveLength(3);
  expect(problems.join()).not.toContain('hunter2');
  expect(problemsOf('postgres://app:p?hunter2&x@db.example:99999/mirror').join()).not.toContain('hunter2');
});
