import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { addEnvSecrets } from './add-env-secrets.ts';
import { databaseEnv, procoreEnv, queueEnv, webhookEnv } from './environment.ts';
import { readEnv } from './read-env.ts';
import { createSecrets } from './secrets.ts';

function knowing(...values: string[]) {
  const secrets = createSecrets();
  for (const value of values) secrets.add(value);
  return secrets;
}

test('a secret is replaced wherever it stands, as often as it stands there', () => {
  expect(knowing('s3cr3t-value').redact('a s3cr3t-value, xs3cr3t-valuey')).toBe('a [redacted], x[redacted]y');
});

test('text without secrets stays as it is', () => {
  expect(knowing('s3cr3t-value').redact('nothing to see $& $1')).toBe('nothing to see $& $1');
});

test('values shorter than eight characters are ignored', () => {
  expect(knowing('seven77', '').redact('seven77 of them')).toBe('seven77 of them');
});

test('a secret that contains another one goes as a whole', () => {
  expect(knowing('inner-secret', 'outer-inner-secret-outer').redact('<outer-inner-secret-outer>')).toBe('<[redacted]>');
});

const odd = 'p"a\\s/s&wörd +~\'(1)';

test.each([
  ['JSON', JSON.stringify({ odd })],
  ['JSON within JSON', JSON.stringify({ body: JSON.stringify({ odd }) })],
  ['a URL', `https://host/?a=${encodeURIComponent(odd)}&b=2`],
  ['a URL in lower case', `https://host/?a=${encodeURIComponent(odd).replaceAll(/%../g, (c) => c.toLowerCase())}`],
  ['a form', new URLSearchParams({ client_secret: odd, b: '2' }).toString()],
])('a secret is found within %s', (_, text) => {
  const redacted = knowing(odd).redact(text);
  expect(redacted).toContain('[redacted]');
  expect(redacted).not.toContain('rd');
});

test('a secret is found within Basic credentials, whatever stands around it', () => {
  const secretText = fc.string({ minLength: 8, maxLength: 60, unit: 'grapheme' });
  fc.assert(
    fc.property(secretText, fc.string(), fc.string(), fc.boolean(), (secret, before, after, url) => {
      const text = Buffer.from(`${before}${secret}${after}`).toString(url ? 'base64url' : 'base64');
      expect(knowing(secret).redact(text)).toContain('[redacted]');
    }),
  );
});

test.each(['id:', 'id0:', 'id01:'])(
  'of Basic credentials after %s, the id stays readable and the secret goes',
  (id) => {
    const redacted = knowing('the-client-secret').redact(`Basic ${btoa(`${id}the-client-secret`)}`);
    const left = /^Basic (\w+)\[redacted\]\w{0,1}=*$/.exec(redacted)?.[1] ?? '';
    expect(atob(left.slice(0, left.length - (left.length % 4)))).toMatch(/^id/);
    expect(atob(left.slice(0, left.length - (left.length % 4)))).not.toContain('th');
  },
);

test('however many tokens follow, the first secrets and the latest tokens stay known', () => {
  const secrets = knowing('the-client-secret');
  for (let number = 0; number < 1_000; number++) secrets.add(`token-number-${number}`);
  expect(secrets.redact('the-client-secret token-number-999 token-number-950')).toBe(
    '[redacted] [redacted] [redacted]',
  );
});

test('the secrets of an environment are learnt from its schema', () => {
  const schema = z.object({ ...databaseEnv, ...queueEnv, ...procoreEnv, ...webhookEnv });
  const secrets = createSecrets();
  addEnvSecrets(
    secrets,
    schema,
    readEnv(schema, {
      DATABASE_URL: 'postgres://mirror:database%2Fpassword@127.0.0.1/mirror',
      QUEUE_URL: 'redis+cluster://:queue-password%@a:1,b:2',
      PROCORE_CLIENT_ID: 'client-id-is-public',
      PROCORE_CLIENT_SECRET: 'the-client-secret',
      PROCORE_COMPANY_IDS: '4264807000',
      WEBHOOK_AUTHORIZATION: 'Bearer webhook-value-one,webhook-value-two',
    }),
  );
  const text = [
    'database/password database%2Fpassword queue-password% the-client-secret',
    'webhook-value-one webhook-value-two client-id-is-public 4264807000',
  ].join(' ');
  expect(secrets.redact(text)).toBe(`${'[redacted] '.repeat(6)}client-id-is-public 4264807000`);
});
