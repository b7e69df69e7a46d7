import { expect, test } from 'vitest';
import { z } from 'zod';
import {
  adminEnv,
  databaseEnv,
  ingestEnv,
  logEnv,
  mirrorEnv,
  pathWarning,
  procoreEnv,
  procoreHosts,
  queueAddress,
  queueEnv,
  webhookEnv,
  workerEnv,
} from './environment.ts';
import { ConfigError } from './errors.ts';
import { readEnv } from './read-env.ts';

const everything = z.object({
  ...logEnv,
  ...adminEnv(9465),
  ...databaseEnv,
  ...queueEnv,
  ...procoreEnv,
  ...webhookEnv,
  ...ingestEnv,
  ...workerEnv,
  ...mirrorEnv,
});

const required = {
  DATABASE_URL: 'postgres://mirror@127.0.0.1/mirror',
  PROCORE_CLIENT_ID: 'client',
  PROCORE_CLIENT_SECRET: 'client-secret',
  WEBHOOK_AUTHORIZATION: 'Bearer 0123456789',
};

test('with only the required variables set, the rest takes the defaults of the contract', () => {
  expect(readEnv(everything, required)).toEqual({
    ...required,
    WEBHOOK_AUTHORIZATION: ['Bearer 0123456789'],
    LOG_LEVEL: 'info',
    MIRROR_PROJECTS: 'active',
    ADMIN_HOST: '127.0.0.1',
    ADMIN_PORT: 9465,
    QUEUE_ALLOW_VOLATILE: false,
    PROCORE_ENVIRONMENT: 'production',
    WEBHOOK_NAMESPACE: 'procore-mirror',
    INGEST_HOST: '0.0.0.0',
    INGEST_PORT: 3000,
    INGEST_SPOOL_DIR: '.data/spool',
    FETCH_DELAY_MS: 2000,
    CHECK_HOOKS_EVERY_MS: 3_600_000,
    REPAIR_EVERY_MS: 900_000,
    VERIFY_EVERY_MS: 86_400_000,
    KEEP_EVENTS_DAYS: 90,
    WORKER_CONCURRENCY: 16,
    RETRY_DEAD_LETTERS_AFTER_MS: [3_600_000, 86_400_000],
  });
});

test('without anything set, each required variable is a problem of its own', () => {
  expect(() => readEnv(everything, {})).toThrow(ConfigError);
  try {
    readEnv(everything, {});
  } catch (error) {
    const named = error instanceof ConfigError ? error.problems.map((problem) => problem.split(' ')[0]) : [];
    expect(named.toSorted()).toEqual(Object.keys(required).toSorted());
  }
});

test.each([
  ['PROCORE_COMPANY_IDS', ' 1, ,2,1,', ['1', '2']],
  [
    'WEBHOOK_AUTHORIZATION',
    'new-0123456789abcdef, old-0123456789abcdef',
    ['new-0123456789abcdef', 'old-0123456789abcdef'],
  ],
  ['MIRROR_RESOURCES', 'RFIs, Daily Logs', ['RFIs', 'Daily Logs']],
  ['FETCH_DELAY_MS', '0', 0],
  ['WORKER_CONCURRENCY', '256', 256],
  ['RETRY_DEAD_LETTERS_AFTER_MS', '1, 2592000000', [1, 2_592_000_000]],
  ['ADMIN_PORT', '0', 0],
  ['QUEUE_ALLOW_VOLATILE', '1', true],
  ['QUEUE_ALLOW_VOLATILE', '0', false],
  ['QUEUE_URL', 'redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
  ['QUEUE_URL', 'rediss+cluster://a:1,b:2', 'rediss+cluster://a:1,b:2'],
  ['QUEUE_URL', 'redis+sentinel://a:1,b:2/main', 'redis+sentinel://a:1,b:2/main'],
  ['WEBHOOK_URL', 'http://127.0.0.1:3000/webhooks/procore', 'http://127.0.0.1:3000/webhooks/procore'],
  ['PROCORE_API_URL', 'http://[::1]:8080', 'http://[::1]:8080'],
  ['PROCORE_API_URL', 'https://proxy.example.com', 'https://proxy.example.com'],
])('%s=%s is read', (key, text, value) => {
  expect(readEnv(everything, { ...required, [key]: text })).toHaveProperty(key, value);
});

test.each([
  ['LOG_LEVEL', 'loud'],
  ['ADMIN_PORT', '65536'],
  ['ADMIN_PORT', '-1'],
  ['DATABASE_URL', 'mysql://localhost/mirror'],
  ['DATABASE_URL', 'postgres://localhost:99999/mirror'],
  ['DATABASE_URL_DIRECT', 'redis://localhost'],
  ['QUEUE_URL', 'postgres://localhost/mirror?sslmode=verify'],
  ['QUEUE_URL', 'redis://localhost/x'],
  ['QUEUE_URL', 'amqp://localhost'],
  ['QUEUE_ALLOW_VOLATILE', 'yes'],
  ['PROCORE_ENVIRONMENT', 'staging'],
  ['PROCORE_LOGIN_URL', 'http://login.example.com'],
  ['PROCORE_LOGIN_URL', 'https://login.example.com/oauth'],
  ['PROCORE_API_URL', 'https://user:password@api.example.com'],
  ['PROCORE_API_URL', 'not a url'],
  ['PROCORE_COMPANY_IDS', ' , '],
  ['PROCORE_COMPANY_IDS', '12,Acme'],
  ['PROCORE_COMPANY_IDS', '12345678901234567890'],
  ['WEBHOOK_AUTHORIZATION', 'long-enough-0123456789,short'],
  ['WEBHOOK_AUTHORIZATION', 'schlüssel-0123456789'],
  ['WEBHOOK_URL', 'http://mirror.example.com/webhooks/procore'],
  ['WEBHOOK_NAMESPACE', 'Acme Mirror'],
  ['FETCH_DELAY_MS', '-1'],
  ['FETCH_DELAY_MS', '1.5'],
  ['WORKER_CONCURRENCY', '0'],
  ['WORKER_CONCURRENCY', '257'],
  ['RETRY_DEAD_LETTERS_AFTER_MS', '0'],
  ['RETRY_DEAD_LETTERS_AFTER_MS', '3600000,1 day'],
  ['RETRY_DEAD_LETTERS_AFTER_MS', '86400000,3600000'],
  ['RETRY_DEAD_LETTERS_AFTER_MS', ','],
])('%s=%s is refused, by name', (key, text) => {
  expect(() => readEnv(everything, { ...required, [key]: text })).toThrow(new RegExp(`^${key}: .*must`));
});

test('a refused secret is not shown', () => {
  for (const [key, text] of [
    ['DATABASE_URL', 'mysql://mirror:hunter2hunter2@localhost/mirror'],
    ['QUEUE_URL', 'amqp://mirror:hunter2hunter2@localhost'],
    ['WEBHOOK_AUTHORIZATION', 'hunter2hunter2'],
  ] as const) {
    expect(() => readEnv(everything, { ...required, [key]: text })).toThrow(/^[^\n]+$/);
    expect(() => readEnv(everything, { ...required, [key]: text })).not.toThrow(/hunter2/);
  }
});

test('the queue is where the database is, unless told otherwise', () => {
  const queue = (env: Record<string, string>) => queueAddress(readEnv(everything, { ...required, ...env }));
  const direct = { DATABASE_URL_DIRECT: 'postgres://mirror@127.0.0.1:6432/mirror' };
  expect(queue({})).toEqual({ variable: 'DATABASE_URL', url: required.DATABASE_URL });
  expect(queue(direct)).toEqual({ variable: 'DATABASE_URL_DIRECT', url: direct.DATABASE_URL_DIRECT });
  expect(queue({ ...direct, QUEUE_URL: 'redis://127.0.0.1' })).toEqual({
    variable: 'QUEUE_URL',
    url: 'redis://127.0.0.1',
  });
  expect(() => queueAddress({})).toThrow(/QUEUE_URL/);
});

test.each([
  [undefined, false],
  ['https://mirror.example.com/webhooks/procore', false],
  ['https://mirror.example.com/webhooks/procore/', false],
  ['https://mirror.example.com/', true],
  ['https://mirror.example.com/hooks/procore?a=b', true],
])('a WEBHOOK_URL of %s: is its path a finding? %s', (url, isFinding) => {
  expect(pathWarning(url) !== null).toBe(isFinding);
  if (url !== undefined && isFinding) expect(pathWarning(url)).toContain(`path ${new URL(url).pathname},`);
});

test.each([
  ['production', 'https://login.procore.com/', 'https://api.procore.com/'],
  ['sandbox', 'https://login-sandbox.procore.com/', 'https://sandbox.procore.com/'],
  ['monthly-sandbox', 'https://login-sandbox-monthly.procore.com/', 'https://api-monthly.procore.com/'],
  ['federal', 'https://login.procoregov.com/', 'https://api.procoregov.com/'],
] as const)('%s has its own servers', (name, loginUrl, apiUrl) => {
  const hosts = procoreHosts({ PROCORE_ENVIRONMENT: name });
  expect([hosts.loginUrl.href, hosts.apiUrl.href]).toEqual([loginUrl, apiUrl]);
});

test('servers can be named one by one, but plain http leads to this machine only', () => {
  const env = { PROCORE_ENVIRONMENT: 'sandbox', PROCORE_API_URL: 'http://localhost:8080' } as const;
  expect(procoreHosts(env).loginUrl.href).toBe('https://login-sandbox.procore.com/');
  expect(procoreHosts(env).apiUrl.href).toBe('http://localhost:8080/');
  const plain = {
    ...env,
    PROCORE_LOGIN_URL: 'http://login.example.com',
    PROCORE_API_URL: 'http://127.0.0.1.example.com',
  };
  expect(() => procoreHosts(plain)).toThrow(ConfigError);
  expect(() => procoreHosts(plain)).toThrow(/PROCORE_LOGIN_URL.*\nPROCORE_API_URL/);
});
