import { expect, test } from 'vitest';
import { z } from 'zod';
import { addEnvSecrets } from './add-env-secrets.ts';
import { readEnv } from './read-env.ts';
import { createSecrets } from './secrets.ts';

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
