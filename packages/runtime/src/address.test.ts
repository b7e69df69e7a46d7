import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { addEnvSecrets } from './add-env-secrets.ts';
import { passwordsIn, serverIn, withoutPasswords } from './address.ts';
import { databaseEnv, queueEnv } from './environment.ts';
import { readEnv } from './read-env.ts';
import { createSecrets } from './secrets.ts';

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

test.each([
  ['postgres://me:pw@host:5432/db?password=x', 'host:5432/db'],
  ['postgres://me@a:1,b:2/db', 'a:1,b:2/db'],
  ['postgres://me:12/34@host/db', 'host/db'],
  ['postgres:///db?host=/tmp', '/db'],
  ['rediss://:pw@host', 'host'],
  ['nonsense', 'an address that cannot be read'],
])('the server of %s is %s', (address, server) => {
  expect(serverIn(address)).toBe(server);
});

test.each(['12/34', 'secret/part', 'secret#part', 'secret?part', 'a?b=c'])(
  'a password %s is to be encoded',
  (password) => {
    const schema = z.object({ ...databaseEnv, ...queueEnv });
    const problem = 'spell / ? # in its password as %2F %3F %23';
    expect(() =>
      readEnv(schema, { DATABASE_URL: `postgres://me:${password}@host/db`, QUEUE_URL: `redis://:${password}@host` }),
    ).toThrow(`DATABASE_URL: ${problem}\nQUEUE_URL: ${problem}`);
    const encoded = encodeURIComponent(password);
    readEnv(schema, {
      DATABASE_URL: `postgres://me:${encoded}@host/db`,
      QUEUE_URL: `redis://:p@w:${encoded}@host:1/0`,
    });
  },
);

test('a wrong address is told without its password, even where it is no secret', () => {
  const schema = z.object({ WEBHOOK_URL: z.string().refine(() => false, 'must be an https:// address') });
  expect(() => readEnv(schema, { WEBHOOK_URL: 'http://me:pw@host/?token=abc' })).toThrow(
    'WEBHOOK_URL: must be an https:// address (it is "http://me:***@host/?token=***")',
  );
});

test('the passwords of every address are redacted, wherever in it they stand, and addresses without one are not', () => {
  const secret = z.string().meta({ secret: true });
  const schema = z.object({
    A_URL: secret,
    B_URL_DIRECT: secret,
    C_URL: secret,
    D_URL: z.string(),
    E_URL: secret,
    F: z.array(z.string()),
    G: secret,
  });
  const secrets = createSecrets();
  const env = {
    A_URL: 'postgres://me@server:first-password@host/db',
    B_URL_DIRECT: 'postgres://host/db?password=second%2Fpassword&sslpassword=third-password',
    C_URL: 'postgres://plain@host/db',
    D_URL: 'https://me:fourth-password@mirror.example.com/hooks',
    E_URL: 'postgres://me:a1@host/db',
    F: ['https://me:fifth-password@a', 'some-words'],
    G: 'looks://like-an-address',
  };
  addEnvSecrets(secrets, schema, env);
  const passwords =
    'first-password second/password second%2Fpassword third-password fourth-password fifth-password looks://like-an-address';
  expect(secrets.redact(passwords)).toBe(Array(7).fill('[redacted]').join(' '));
  expect(secrets.redact('postgres://plain@host/db some-words me a1')).toBe('postgres://plain@host/db some-words me a1');
  expect(secrets.redact('cannot connect to postgres://me:a1@host/other')).not.toContain('a1');
  expect(secrets.redact('Invalid URL: "postgres://me:a1@host/db"')).toBe('Invalid URL: "[redacted]"');
});
