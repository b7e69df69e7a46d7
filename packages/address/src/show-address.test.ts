import { expect, test } from 'vitest';
import { secretsOf, serverOf } from './show-address.ts';

test.each<[url: string, server: string, secrets: string[]]>([
  ['postgres://app:secret@db.example/mirror', 'db.example:5432/mirror', ['secret']],
  ['postgres://app:p@ss/w?rd@[::1]:6000/mirror', '[::1]:6000/mirror', ['p@ss/w?rd']],
  ['postgres:///mirror?host=/tmp&password=other', '/tmp:5432/mirror', ['other']],
  ['postgres://db.example', 'db.example:5432', []],
  ['redis://app:p%40ss@cache.example/2', 'cache.example:6379/2', ['p@ss', 'p%40ss']],
  ['rediss+cluster://:secret@one:7000,two', 'one:7000,two:6379', ['secret']],
  ['redis+sentinel://:secret@one/main?sentinelPassword=other', 'one:26379/main', ['secret', 'other']],
])('%s is shown without what is secret', (url, server, secrets) => {
  expect(serverOf(url)).toBe(server);
  for (const secret of secrets) {
    expect(secretsOf(url)).toContain(secret);
    expect(serverOf(url)).not.toContain(secret);
  }
});

test('an address that cannot be read is secret as a whole, and shown as nothing', () => {
  expect(serverOf('amqp://app:secret@one')).toBe('an address that cannot be read');
  expect(secretsOf('amqp://app:secret@one')).toEqual(['amqp://app:secret@one']);
});
