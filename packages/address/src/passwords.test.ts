import fc from 'fast-check';
import { expect, test } from 'vitest';
import { passwordsIn, withoutPasswords } from './passwords.ts';

test.each<[address: string, masked: string, leftOut: string, passwords: string[]]>([
  ['postgres://host/db', 'postgres://host/db', 'postgres://host/db', []],
  ['postgres://me@host/db', 'postgres://me@host/db', 'postgres://me@host/db', []],
  ['postgres://me:pw@host:5432/db', 'postgres://me:***@host:5432/db', 'postgres://me@host:5432/db', ['pw']],
  ['redis://:pw@host', 'redis://:***@host', 'redis://host', ['pw']],
  ['postgres://me:@host/db', 'postgres://me:@host/db', 'postgres://me:@host/db', []],
  ['rediss+cluster://me:pw@a:1,b:2/0', 'rediss+cluster://me:***@a:1,b:2/0', 'rediss+cluster://me@a:1,b:2/0', ['pw']],
  ['postgres://me@it:pw@host/db', 'postgres://me%40it:***@host/db', 'postgres://me%40it@host/db', ['pw']],
  ['postgres://me:a@b:c@host/db', 'postgres://me:***@host/db', 'postgres://me@host/db', ['a@b:c']],
  ['postgres://me:12/34@host/db', 'postgres://me:***@host/db', 'postgres://me@host/db', ['12/34']],
  ['postgres://me:1#2?3@host/db', 'postgres://me:***@host/db', 'postgres://me@host/db', ['1#2?3']],
  ['postgres://me:p%40w%2f@host/db', 'postgres://me:***@host/db', 'postgres://me@host/db', ['p%40w%2f', 'p@w/']],
  [
    'postgres://app:p@ssw0rd?level=Secret99@h/db',
    'postgres://app:***@h/db',
    'postgres://app@h/db',
    ['p@ssw0rd?level=Secret99'],
  ],
  [
    'postgres://me:secret@h/db?&application_name=a@b',
    'postgres://me:***@h/db?&application_name=a@b',
    'postgres://me@h/db?&application_name=a@b',
    ['secret'],
  ],
  ['redis://me@corp:pw?x=1@h/0', 'redis://me%40corp:***@h/0', 'redis://me%40corp@h/0', ['pw?x=1']],
  ['postgres://me:50%@host/db', 'postgres://me:***@host/db', 'postgres://me@host/db', ['50%']],
  ['postgres://me:pw@[::1]:5432/db', 'postgres://me:***@[::1]:5432/db', 'postgres://me@[::1]:5432/db', ['pw']],
  [
    'postgres://me@host/db?sslmode=require&password=pw&connect_timeout=3',
    'postgres://me@host/db?sslmode=require&password=***&connect_timeout=3',
    'postgres://me@host/db?sslmode=require&connect_timeout=3',
    ['pw'],
  ],
  [
    'postgres:///db?host=/var/run/postgresql&user=a@b&sslpassword=p%20w+x',
    'postgres:///db?host=/var/run/postgresql&user=a@b&sslpassword=***',
    'postgres:///db?host=/var/run/postgresql&user=a@b',
    ['p%20w+x', 'p w+x', 'p w x'],
  ],
  ['postgres://host/db?pass%77ord=a=b#c', 'postgres://host/db?pass%77ord=***', 'postgres://host/db', ['a=b#c']],
  [
    'redis+sentinel://:pw@a:1,b:2/main?db=1&sentinelPassword=other',
    'redis+sentinel://:***@a:1,b:2/main?db=1&sentinelPassword=***',
    'redis+sentinel://a:1,b:2/main?db=1',
    ['pw', 'other'],
  ],
  [
    'postgres://host/db?passfile=/x&PASSWORD=pw',
    'postgres://host/db?passfile=/x&PASSWORD=***',
    'postgres://host/db?passfile=/x',
    ['pw'],
  ],
  ['postgres://host/db?password=', 'postgres://host/db?password=', 'postgres://host/db?password=', []],
  [
    'https://me:pw@mirror.example.com/hooks?token=t',
    'https://me:***@mirror.example.com/hooks?token=***',
    'https://me@mirror.example.com/hooks',
    ['pw', 't'],
  ],
  ['postgres://a:1,b:2/db?user=me@x', 'postgres://a:1,b:2/db?user=me@x', 'postgres://a:1,b:2/db?user=me@x', []],
  ['postgres://[::1]:5/db?user=me@x', 'postgres://[::1]:5/db?user=me@x', 'postgres://[::1]:5/db?user=me@x', []],
  ['postgres://me:a?b=c@host/db', 'postgres://me:***@host/db', 'postgres://me@host/db', ['a?b=c']],
  ['no address: a@b?password=x', 'no address: a@b?password=x', 'no address: a@b?password=x', []],
])('%s is shown as %s', (address, masked, leftOut, passwords) => {
  expect(withoutPasswords(address)).toBe(masked);
  expect(withoutPasswords(address, { mask: null })).toBe(leftOut);
  expect(passwordsIn(address)).toEqual(passwords);
});

test('whatever is a password within an address, nothing of it is shown, and the rest of it is', () => {
  const word = fc.stringMatching(/^[a-y]{1,12}$/);
  const isQuery = /\?[^=&@]+=/;
  const password = fc.stringMatching(/^z[z0-9 %!:@/#?&=+~.-]{0,20}z$/);
  fc.assert(
    fc.property(word, word, word, password, fc.boolean(), (user, host, database, secret, isEncoded) => {
      const written = isEncoded || isQuery.test(secret) ? encodeURIComponent(secret) : secret;
      const shown = withoutPasswords(`postgres://${user}:${written}@${host}/${database}`);
      expect(shown).toBe(`postgres://${user}:***@${host}/${database}`);
      const asked = withoutPasswords(
        `postgres://${user}@${host}/${database}?password=${encodeURIComponent(secret)}&a=b`,
      );
      expect(asked).toBe(`postgres://${user}@${host}/${database}?password=***&a=b`);
      expect(passwordsIn(`postgres://${user}:${encodeURIComponent(secret)}@${host}`)).toContain(secret);
    }),
  );
});
