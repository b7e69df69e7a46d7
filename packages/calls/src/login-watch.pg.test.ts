import { claimBatch, type Database, unparkScopes } from '@procore-mirror/database';
import { openMigratedDatabase } from '@procore-mirror/mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createLoginWatch, type LoginWatch } from './login-watch.ts';

let database: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ database, close } = await openMigratedDatabase());
});
afterAll(() => close());
beforeEach(async () => {
  await database.pool.query('truncate mirror.scopes, mirror.batches');
});

const { signal } = new AbortController();
const REFUSED = 'the login server rejects the service account';

type Worker = {
  canSignIn: () => Promise<boolean>;
  login: { trouble: string | null; hasToken: boolean };
  clock: number;
};

function aWorker(trouble: string | null = REFUSED): Worker {
  const worker: Worker = {
    login: { trouble, hasToken: false },
    clock: 0,
    canSignIn: () => watch.canSignIn(signal),
  };
  const watch: LoginWatch = createLoginWatch({
    database,
    now: () => worker.clock,
    login: {
      trouble: () => worker.login.trouble,
      token: async () => {
        if (worker.login.trouble !== null && !worker.login.hasToken) throw new Error('no token');
        return 'a-token';
      },
    },
  });
  return worker;
}

/** The trouble of the worker is over. */
async function recover(worker: Worker): Promise<void> {
  worker.login.trouble = null;
  expect(await worker.canSignIn()).toBe(true);
}

async function scopes(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query(
    `select concat_ws('/', company_id, project_id, resource) as scope, reason, detail from mirror.scopes order by 1`,
  );
  return rows;
}

const parkEverything = (reason: string, probeIn: string, probes = 0) =>
  database.pool.query(
    `insert into mirror.scopes (reason, detail, probe_at, probes) values ($1, 'told before', now() + $2::interval, $3)`,
    [reason, probeIn, probes],
  );
const aDueBatch = () =>
  database.pool.query(
    `insert into mirror.batches (company_id, project_id, resource, due_at) values (1, 7, 'RFIs', now()), (1, 8, 'RFIs', now())`,
  );
const claim = () => claimBatch(database, { holder: 'another', leaseMs: 60_000, mostPerCompany: 9, onlyLive: false });

test('while no token is to be had everything is parked, and not any more when one is', async () => {
  const worker = aWorker();
  expect(await worker.canSignIn()).toBe(false);
  expect(await scopes()).toEqual([{ scope: '', reason: 'no_token', detail: REFUSED }]);
  expect(await worker.canSignIn()).toBe(false);
  await recover(worker);
  expect(await scopes()).toEqual([]);
});

test('a login without trouble, or with a token that is still good, parks nothing', async () => {
  const worker = aWorker(null);
  expect(await worker.canSignIn()).toBe(true);
  Object.assign(worker.login, { trouble: 'the login server cannot be reached', hasToken: true });
  expect(await worker.canSignIn()).toBe(true);
  expect(await scopes()).toEqual([]);
});

test('other trouble stays when the login is well again', async () => {
  const worker = aWorker();
  await worker.canSignIn();
  await database.pool.query(
    `insert into mirror.scopes (company_id, reason, probe_at) values (11, 'not_connected', now()), (12, 'no_token', now())`,
  );
  await recover(worker);
  expect(await scopes()).toMatchObject([{ scope: '11' }, { scope: '12' }]);
});

test('other trouble of everything stays, but not beyond its next probe, which nobody can make', async () => {
  await parkEverything('unreachable', '1 minute');
  const worker = aWorker();
  await worker.canSignIn();
  expect(await scopes()).toMatchObject([{ reason: 'unreachable', detail: 'told before' }]);
  await recover(worker);
  expect(await scopes()).toMatchObject([{ reason: 'unreachable' }]);
  worker.login.trouble = REFUSED;
  await database.pool.query('update mirror.scopes set probe_at = now()');
  await worker.canSignIn();
  expect(await scopes()).toMatchObject([{ reason: 'no_token', detail: REFUSED }]);
});

test('another worker that is well probes at once, also what a batch parked', async () => {
  await aDueBatch();
  await parkEverything('no_token', '20 s');
  expect(await claim()).toBeNull();
  await aWorker().canSignIn();
  expect(await claim()).toMatchObject({ isProbe: true, isWideProbe: true });
  expect(await claim()).toBeNull();
});

test('a probe that another worker made in vain is not made again before its time', async () => {
  await aDueBatch();
  await parkEverything('no_token', '20 s', 1);
  await aWorker().canSignIn();
  expect(await claim()).toBeNull();
});

test('what others freed is parked again while the trouble lasts, ever more rarely', async () => {
  const worker = aWorker();
  const parkedAt: number[] = [];
  for (worker.clock = 0; worker.clock <= 3_600_000; worker.clock += worker.clock < 60_000 ? 1_000 : 10_000) {
    await worker.canSignIn();
    if ((await unparkScopes(database, { companyId: '1', projectId: '7', resource: 'RFIs' })) > 0)
      parkedAt.push(worker.clock / 1_000);
  }
  expect(parkedAt.slice(0, 5)).toEqual([0, 5, 10, 15, 23]);
  expect(parkedAt.length).toBeLessThan(25);
});

test('the database is asked again when it could not be told', async () => {
  const worker = aWorker();
  await database.pool.query('alter table mirror.scopes rename to not_there');
  await expect(worker.canSignIn()).rejects.toThrow('does not exist');
  await database.pool.query('alter table mirror.not_there rename to scopes');
  expect(await worker.canSignIn()).toBe(false);
  expect(await scopes()).toHaveLength(1);
  await database.pool.query('alter table mirror.scopes rename to not_there');
  worker.login.trouble = null;
  await expect(worker.canSignIn()).rejects.toThrow('does not exist');
  await database.pool.query('alter table mirror.not_there rename to scopes');
  expect(await worker.canSignIn()).toBe(true);
  expect(await scopes()).toEqual([]);
});

test('a worker that is stopping parks nothing', async () => {
  const watch = createLoginWatch({
    database,
    login: { trouble: () => REFUSED, token: (aborted) => Promise.reject(aborted?.reason) },
  });
  expect(await watch.canSignIn(AbortSignal.abort())).toBe(false);
  expect(await scopes()).toEqual([]);
});
