// The secret of the hooks is rotated while 20 events a second arrive: nobody is refused, nothing is lost.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { fingerprint } from '@procore-mirror/runtime';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { expectNoSecretWritten } from './find-secrets.ts';
import { type Mirror, startMirror } from './start-mirror.ts';

type Told = { deliveries: { attempts: { status: number | null }[] }[] };

const companyId = '598134325683880';
const main = path.join(import.meta.dirname, '../../apps/cli/src/main.ts');
const quietly = { timeout: 120_000, interval: 200 };

let mirror: Mirror;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'rotate-secret-'));
  mirror = await startMirror('postgres', { projects: 1, simulator: { callsPerHour: null, callsPerTenSeconds: null } });
});
afterEach(async () => {
  await mirror.close();
  await rm(directory, { recursive: true });
});

test('a rotation under deliveries refuses none and loses none, and the old value may go when it says so', {
  timeout: 180_000,
}, async () => {
  const { system, database, queueUrl } = mirror;
  const old = system.secrets.authorization;
  const young = 'Bearer another-webhook-secret-that-nobody-may-see';
  const file = path.join(directory, 'authorization');
  await writeFile(file, old);
  await system.startIngest({ WEBHOOK_AUTHORIZATION: '', WEBHOOK_AUTHORIZATION_FILE: file });
  const settings = {
    DATABASE_URL: queueUrl,
    PROCORE_LOGIN_URL: system.simulatorUrl,
    PROCORE_API_URL: system.simulatorUrl,
    PROCORE_CLIENT_ID: system.secrets.clientId,
    PROCORE_CLIENT_SECRET: system.secrets.clientSecret,
    PROCORE_COMPANY_IDS: companyId,
    WEBHOOK_URL: system.receiverUrl,
    WEBHOOK_AUTHORIZATION_FILE: file,
  };
  // Hooks of the worker's own making.
  await system.startWorker(settings);
  const hooked = async () => (await database.pool.query('select from mirror.hooks where hook_id is not null')).rowCount;
  await expect.poll(hooked, quietly).toBe(2);

  const rotate = async () => {
    const env = { ...settings, PATH: process.env.PATH, LOG_LEVEL: 'silent' };
    const args = [main, 'hooks', 'rotate-secret', '--json'];
    return JSON.parse((await promisify(execFile)(process.execPath, args, { env, cwd: directory })).stdout);
  };
  const count = async (where: string) =>
    (await database.pool.query(`select count(*)::int as count from mirror.events where ${where}`)).rows[0].count;
  let isRotated = false;
  const edit = async (): Promise<void> => {
    while (!isRotated) {
      await system.control('POST', '/control/edits', { count: 20, kinds: { update: 1 }, spreadOverMs: 1_000 });
      await sleep(1_000); // so long they are spread
    }
  };
  const editing = edit();
  await expect.poll(() => count('true'), quietly).toBeGreaterThan(10);
  await writeFile(file, `${young},${old}`);
  const first = await rotate();
  isRotated = true;
  await editing;
  expect(first.hooks.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['changed', 'changed']);
  expect(first.proved_at).not.toBeNull();

  const outstanding = async () =>
    (await system.control<{ outstanding: number }>('GET', '/control/deliveries/summary')).outstanding;
  await expect.poll(outstanding, quietly).toBe(0);
  const told = await system.controlLines<Told>('/control/events');
  const statuses = told.flatMap(({ deliveries }) =>
    deliveries.flatMap(({ attempts }) => attempts.map((one) => one.status)),
  );
  expect(new Set(statuses)).toEqual(new Set([204]));
  await expect.poll(() => count('true'), quietly).toBe(told.filter(({ deliveries }) => deliveries.length > 0).length);
  expect(await count(`key = '${fingerprint(old)}'`)).toBeGreaterThan(0);
  expect(await count(`key = '${fingerprint(young)}'`)).toBeGreaterThan(0);

  expect(await rotate()).toMatchObject({ old_value: { may_go: true } });
  await writeFile(file, young);
  await system.control('POST', '/control/edits', { edits: [{ resource: 'RFIs', action: 'update' }] });
  await expect
    .poll(() => count('true'), quietly)
    .toBe(told.filter(({ deliveries }) => deliveries.length > 0).length + 1);
  await expectNoSecretWritten(mirror);
});
