import { ConfigError } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { readWorkerEnv } from './env.ts';

const least = {
  DATABASE_URL: 'postgres://mirror@localhost/mirror',
  PROCORE_CLIENT_ID: 'client',
  PROCORE_CLIENT_SECRET: 'a-client-secret',
};
const hooks = { WEBHOOK_URL: 'https://mirror.example.com/webhooks/procore' };

test.each<[string, Record<string, string>]>([
  ['without WEBHOOK_URL', {}],
  ['that never looks after hooks', { ...hooks, CHECK_HOOKS_EVERY_MS: '0' }],
  ['with all it takes', { ...hooks, PROCORE_COMPANY_IDS: '1', WEBHOOK_AUTHORIZATION: 'Bearer of-the-test-only' }],
])('a worker %s starts', async (_, env) => {
  expect((await readWorkerEnv({ ...least, ...env })).env.MIRROR_PROJECTS).toBe('active');
});

test('a worker that looks after hooks needs companies and a secret, and says so at once', async () => {
  const failed = await readWorkerEnv({ ...least, ...hooks }).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(ConfigError);
  const { problems } = failed as ConfigError; // the line before
  expect(problems.map((problem) => problem.split(' ')[0]).toSorted()).toEqual([
    'PROCORE_COMPANY_IDS',
    'WEBHOOK_AUTHORIZATION',
  ]);
});
