import { expect, test } from 'vitest';
import { parseRedisUrl } from './redis-url.ts';

test.each(['redis://127.0.0.1:6379', 'rediss://user:pa%40ss@cache.example:6380/2', 'redis://[::1]:6379?family=6'])(
  '%s is left to ioredis',
  (url) => {
    expect(parseRedisUrl(url)).toMatchObject({ kind: 'single', url });
  },
);

test('a cluster is a list of nodes', () => {
  expect(parseRedisUrl('rediss+cluster://app:p%3Aw@one:7000,[::1]:7001,three')).toEqual({
    kind: 'cluster',
    nodes: [
      { host: 'one', port: 7000 },
      { host: '::1', port: 7001 },
      { host: 'three', port: 6379 },
    ],
    signIn: { username: 'app', password: 'p:w', tls: {} },
    server: 'one:7000,[::1]:7001,three',
  });
});

test('sentinels name the master they watch, and may have a password of their own', () => {
  expect(parseRedisUrl('redis+sentinel://:secret@one,two:5000/the%20master?db=3&sentinelPassword=other')).toEqual({
    kind: 'sentinel',
    sentinels: [
      { host: 'one', port: 26379 },
      { host: 'two', port: 5000 },
    ],
    name: 'the master',
    db: 3,
    signIn: { password: 'secret' },
    sentinelSignIn: { sentinelPassword: 'other' },
    server: 'one,two:5000',
  });
});

test('the server it names is free of credentials', () => {
  expect(parseRedisUrl('redis://user:p@ss@host:1').server).toBe('host:1');
});

test.each([
  'http://127.0.0.1',
  'redis://',
  'redis+sentinel://one:26379',
  'redis+sentinel://one/master?db=x',
  'redis+cluster://one:2:3',
  'secret-thing',
])('%s is refused without being repeated', (url) => {
  expect(() => parseRedisUrl(url)).toThrow(TypeError);
  expect(() => parseRedisUrl(url)).not.toThrow(new RegExp(url.replace(/[+?]/g, '.')));
});
