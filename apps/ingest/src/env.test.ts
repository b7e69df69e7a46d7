import { ConfigError, createSecrets } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { readIngestEnv } from './env.ts';

const minimal = {
  WEBHOOK_AUTHORIZATION: 'Bearer the-new-value-123, Bearer the-old-value-123',
  QUEUE_URL: 'redis://app:open-sesame@127.0.0.1',
};

test('a queue URL will do', () => {
  const secrets = createSecrets();
  expect(readIngestEnv(minimal, secrets)).toMatchObject({
    QUEUE_URL: minimal.QUEUE_URL,
    QUEUE_ALLOW_VOLATILE: false,
    WEBHOOK_AUTHORIZATION: ['Bearer the-new-value-123', 'Bearer the-old-value-123'],
    INGEST_HOST: '0.0.0.0',
    INGEST_PORT: 3000,
    INGEST_SPOOL_DIR: '.data/spool',
    ADMIN_PORT: 9464,
  });
  expect(secrets.redact('the-old-value-123 and open-sesame')).toBe('[redacted] and [redacted]');
});

test('without one the queue is in the database', () => {
  const secrets = createSecrets();
  const url = 'postgres://app:open-sesame@127.0.0.1/mirror';
  expect(readIngestEnv({ ...minimal, QUEUE_URL: ' ', DATABASE_URL: url }, secrets).queue.url).toBe(url);
  const direct = { DATABASE_URL: 'postgres://pooler/mirror', DATABASE_URL_DIRECT: url };
  expect(readIngestEnv({ ...minimal, QUEUE_URL: '', ...direct }, secrets).queue).toEqual({
    variable: 'DATABASE_URL_DIRECT',
    url,
  });
  expect(secrets.redact('open-sesame')).toBe('[redacted]');
});

test('every problem is told at once, and no secret', () => {
  const env = { QUEUE_URL: 'http://app:open-sesame@127.0.0.1', WEBHOOK_AUTHORIZATION: 'short', ADMIN_PORT: '-1' };
  let error: unknown;
  try {
    readIngestEnv(env, createSecrets());
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(ConfigError);
  const told = String(error);
  for (const variable of ['QUEUE_URL', 'WEBHOOK_AUTHORIZATION', 'ADMIN_PORT']) expect(told).toContain(variable);
  expect(told).not.toContain('sesame');
  expect(told).not.toMatch(/short\b(?!er)/);
});
