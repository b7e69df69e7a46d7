import { expect, test } from 'vitest';
import { serverOf } from './show-address.ts';

test.each([
  ['postgres://app:secret@db.example/mirror', 'db.example:5432/mirror'],
  ['postgres://app:p@ss/w?rd@[::1]:6000/mirror', '[::1]:6000/mirror'],
  ['postgres://u:p@/mirror?host=/cloudsql/project:region:instance', '/cloudsql/project:region:instance:5432/mirror'],
  ['postgres:///mirror', 'localhost:5432/mirror'],
  ['postgres:///mirror?host=/tmp&password=other', '/tmp:5432/mirror'],
  ['postgres://db.example', 'db.example:5432'],
  ['redis://app:p%40ss@cache.example/2', 'cache.example:6379/2'],
  ['rediss+cluster://:secret@one:7000,two', 'one:7000,two:6379'],
  ['redis+sentinel://:secret@one/main?sentinelPassword=other', 'one:26379/main'],
  ['amqp://app:secret@one', 'an address that cannot be read'],
])('%s leads to %s', (url, server) => {
  expect(serverOf(url)).toBe(server);
});
