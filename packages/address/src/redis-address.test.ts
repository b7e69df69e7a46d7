import { expect, test } from 'vitest';
import { AddressError } from './errors.ts';
import { readRedisAddress } from './redis-address.ts';

test.each<[url: string, expected: Record<string, unknown>]>([
  ['redis://127.0.0.1', { nodes: [{ host: '127.0.0.1', port: 6379 }], db: 0, signIn: {} }],
  ['REDIS://127.0.0.1:6380/', { nodes: [{ host: '127.0.0.1', port: 6380 }], db: 0 }],
  ['redis://[::1]:6379/2?family=6', { nodes: [{ host: '::1', port: 6379 }], db: 2, family: 6 }],
  ['redis://cache.example?db=3', { db: 3 }],
  ['rediss://user:pa%40ss@cache.example', { signIn: { username: 'user', password: 'pa@ss', tls: {} } }],
  ['redis://:pa@ss/w?r#d@cache.example/1', { signIn: { password: 'pa@ss/w?r#d' }, db: 1 }],
  ['valkeys://cache.example', { signIn: { tls: {} } }],
  ['rediss://:pw@cache.example:6380?ssl_cert_reqs=none', { signIn: { tls: { rejectUnauthorized: false } } }],
  ['redis://cache.example/3?db=', { db: 3 }],
  ['redis://user@cache.example', { signIn: { username: 'user' } }],
  ['redis://app:100%@cache.example', { signIn: { username: 'app', password: '100%' } }],
])('%s is one server', (url, expected) => {
  expect(readRedisAddress(url)).toMatchObject({ kind: 'single', ...expected });
});

test('a cluster is a list of nodes', () => {
  expect(readRedisAddress('rediss+cluster://app:p%3Aw@one:7000,[::1]:7001,three')).toEqual({
    kind: 'cluster',
    nodes: [
      { host: 'one', port: 7000 },
      { host: '::1', port: 7001 },
      { host: 'three', port: 6379 },
    ],
    signIn: { username: 'app', password: 'p:w', tls: {} },
  });
});

test('sentinels name the master they watch, and may have a password of their own', () => {
  expect(readRedisAddress('redis+sentinel://:secret@one,two:5000/the%20master?db=3&sentinelPassword=other')).toEqual({
    kind: 'sentinel',
    nodes: [
      { host: 'one', port: 26379 },
      { host: 'two', port: 5000 },
    ],
    name: 'the master',
    db: 3,
    signIn: { password: 'secret' },
    sentinelSignIn: { sentinelPassword: 'other' },
  });
});

test.each<[url: string, problem: RegExp]>([
  ['http://127.0.0.1', /must look like redis/],
  ['redis://', /must look like redis/],
  ['secret-thing', /must look like redis/],
  ['redis://one/x', /database must be a number/],
  ['redis://one/-1', /database must be a number/],
  ['redis://one?db=first', /database must be a number/],
  ['redis://one/0/1', /database must be a number/],
  ['redis://one:x', /host:port is wanted/],
  ['redis://one:99999', /port must be/],
  ['redis://one:0', /port must be/],
  ['redis://one,two', /several hosts.*cluster/],
  ['redis://one?tls=true', /parameter that is unknown; there are db, family, ssl_cert_reqs/],
  ['redis://one?family=5', /family/],
  ['redis+sentinel://one:26379', /name of the master/],
  ['redis+sentinel://one/master?db=x', /database must be a number/],
  ['redis+sentinel://one/master/3/4', /too many parts/],
  ['rediss://one?ssl_cert_reqs=maybe', /ssl_cert_reqs must be/],
  ['redis+sentinel://one/master?sentinelPassword=a@b', /write it as %40/],
  ['redis+cluster://one:2:3', /host:port is wanted/],
  ['redis+cluster://one/1', /a cluster has no other/],
])('%s is refused', (url, problem) => {
  expect(() => readRedisAddress(url)).toThrow(AddressError);
  expect(() => readRedisAddress(url)).toThrow(problem);
});

test('several problems are told at once, none with a secret', () => {
  let told: unknown;
  try {
    readRedisAddress('redis://app:hunter2hunter2@one:99999/x?hunter2hunter2&family=5');
  } catch (error) {
    told = error;
  }
  expect(told).toMatchObject({ problems: { length: 4 } });
  expect(String(told)).not.toContain('hunter2');
});
