import { expect, test } from 'vitest';
import { envExample } from './env-example.ts';

// The table in the contract: what is not in the schemas does not exist, and the other way round.
const contract = [
  'DATABASE_URL',
  'DATABASE_URL_DIRECT',
  'QUEUE_URL',
  'QUEUE_ALLOW_VOLATILE',
  'PROCORE_ENVIRONMENT',
  'PROCORE_LOGIN_URL',
  'PROCORE_API_URL',
  'PROCORE_CLIENT_ID',
  'PROCORE_CLIENT_SECRET',
  'PROCORE_COMPANY_IDS',
  'WEBHOOK_AUTHORIZATION',
  'WEBHOOK_URL',
  'WEBHOOK_NAMESPACE',
  'INGEST_HOST',
  'INGEST_PORT',
  'INGEST_SPOOL_DIR',
  'ADMIN_HOST',
  'ADMIN_PORT',
  'FETCH_DELAY_MS',
  'CHECK_HOOKS_EVERY_MS',
  'REPAIR_EVERY_MS',
  'VERIFY_EVERY_MS',
  'WORKER_CONCURRENCY',
  'DELETE_CAP',
  'KEEP_EVENTS_DAYS',
  'RETRY_DEAD_LETTERS_AFTER_MS',
  'MIRROR_PROJECTS',
  'MIRROR_RESOURCES',
  'MIRROR_CATALOGUE',
  'LOG_LEVEL',
];

test('.env.example is what the schemas say (after a change: pnpm generate)', async () => {
  await expect(envExample()).toMatchFileSnapshot('../../../.env.example');
});

test('.env.example names every variable of the contract, and no other', () => {
  const named = [...envExample().matchAll(/^#?([A-Z_]+)=/gm)].map((match) => match[1]);
  expect(named.toSorted()).toEqual(contract.toSorted());
});

test('.env.example shows the defaults and holds no secret', () => {
  expect(envExample()).toContain('\n#INGEST_PORT=3000\n');
  expect(envExample()).toContain('\n#RETRY_DEAD_LETTERS_AFTER_MS=3600000,86400000\n');
  expect(envExample()).toMatch(/^PROCORE_CLIENT_SECRET=$/m);
  expect(envExample()).toMatch(/^WEBHOOK_AUTHORIZATION=$/m);
});
