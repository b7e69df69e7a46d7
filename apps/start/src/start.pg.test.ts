import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '@procore-mirror/database';
import { freePort } from '@procore-mirror/embedded';
import { ConfigError, createSecrets } from '@procore-mirror/runtime';
import { createTestDatabase, startApp } from '@procore-mirror/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Ports } from './settings.ts';
import { start } from './start.ts';

vi.setConfig({ testTimeout: 300_000 }); // it takes a few seconds, but beside others a minute or two

let directory: string;
let running: Started[];
let ports: Ports;
/** Below those that the system gives to whoever asks for any, so that nobody takes it before it is used. */
const quietPort = (index: number) => freePort(20_000 + 2_000 * index + Math.floor(Math.random() * 1_900));

beforeEach(async () => {
  directory = await mkdtemp('/tmp/procore-mirror-start-');
  await chmod(directory, 0o755); // root's Postgres is another user
  running = [];
  // The usual ports may be taken by another run of these tests at any moment.
  const [ingest = 0, ingestAdmin = 0, workerAdmin = 0, simulator = 0] = await Promise.all(
    Array.from({ length: 4 }, (_, index) => quietPort(index)),
  );
  ports = { ingest, ingestAdmin, workerAdmin, simulator };
});

afterEach(async () => {
  for (const started of running) await started.end();
  await rm(directory, { recursive: true, force: true });
});

type Started = {
  output: () => string;
  said: (text: string | RegExp) => Promise<void>;
  databaseUrl: () => Promise<string>;
  /** That of the process, had this been one. */
  exitCode: () => Promise<number>;
  /** As a signal would: what was started is closed, last first. */
  end: () => Promise<void>;
};

function startIn(env: Record<string, string>): Started {
  let text = '';
  const controller = new AbortController();
  const closing: (() => unknown)[] = [];
  let code = 0;
  const ended = start({
    env: { PATH: process.env.PATH, LOG_LEVEL: 'warn', FETCH_DELAY_MS: '100', ...env },
    ...{ directory: path.join(directory, '.data'), ports },
    lifetime: {
      signal: controller.signal,
      defer: (_name, close) => void closing.push(close),
      secrets: createSecrets(),
      useLog: () => {},
      fail: () => {},
    },
    terminal: {
      isTerminal: false,
      columns: () => 80,
      write: (more) => {
        text += more;
      },
    },
  }).catch((error: unknown) => {
    text += `failed: ${error instanceof Error ? error.message : error}`;
    code = error instanceof ConfigError ? 2 : 1;
  });
  const started: Started = {
    output: () => text,
    said: async (wanted) => {
      for (let tries = 0; !(typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text)); tries++) {
        if (tries > 5_000 || text.includes('failed: ')) throw new Error(`not said: ${wanted}\n${text}`);
        await sleep(50);
      }
    },
    databaseUrl: async () =>
      (await readFile(path.join(directory, '.data/start.env'), 'utf8')).match(/^DATABASE_URL='(.*)'$/m)?.[1] ?? '',
    exitCode: async () => {
      await ended;
      return code;
    },
    end: async () => {
      controller.abort();
      await ended;
      for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
    },
  };
  running.push(started);
  return started;
}

/** The settings of a mirror of this Procore. */
const mirrorOf = (simulatorUrl: string, databaseUrl: string) => ({
  DATABASE_URL: databaseUrl,
  PROCORE_LOGIN_URL: simulatorUrl,
  PROCORE_API_URL: simulatorUrl,
  PROCORE_CLIENT_ID: 'simulator',
  PROCORE_CLIENT_SECRET: 'simulator-secret',
  PROCORE_COMPANY_IDS: '598134325683880',
});

/** Calls to a simulator's control; the test knows what they answer. */
const controlOf = (simulatorUrl: string) => async (method: string, what: string, body?: unknown) => {
  const answer = await fetch(`${simulatorUrl}/control/${what}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return JSON.parse(await answer.text());
};

async function count(url: string, what: string): Promise<number> {
  const database = openDatabase({ url, applicationName: 'test' });
  const { rows } = await database.pool.query(`select count(*)::int as n from ${what}`);
  await database.close();
  return rows[0].n;
}

async function untilThereAre(url: string, what: string, atLeast: number): Promise<void> {
  for (let tries = 0; (await count(url, what)) < atLeast; tries++) {
    if (tries > 300) throw new Error(`fewer than ${atLeast} in ${what}`);
    await sleep(100);
  }
}

test('without credentials a simulated company is mirrored, on other ports than those that are taken, and the next start continues', async () => {
  const taker = createServer().listen(ports.workerAdmin, '127.0.0.1');
  await once(taker, 'listening');
  const first = startIn({ SIMULATOR_PROJECTS: '1' });
  await first.said('The mirror runs.');
  taker.close();
  const [, other] = /port (\d+) is taken; the health of the worker is on (\d+)/.exec(first.output())?.slice(1) ?? [];
  expect(first.output()).toContain(`http://127.0.0.1:${other}/readyz`);
  await first.said(/events\/s/);
  const url = await first.databaseUrl();
  expect(first.output()).toContain(`psql '${url}'`);
  expect(await count(url, 'procore.projects')).toBe(1);
  await untilThereAre(url, 'mirror.events', 1);
  for (const [, query] of first.output().matchAll(/(select .*);/g)) await count(url, `(${query}) q`);
  expect((await stat(path.join(directory, '.data/start.env'))).mode & 0o777).toBe(0o600);
  // An event whose delivery is due in an hour, when nobody runs.
  const control = controlOf(`http://127.0.0.1:${ports.simulator}`);
  await control('PATCH', 'settings', { deliveryDelayMs: 3_600_000 });
  const { records } = await control('POST', 'edits', { edits: [{ resource: 'RFIs', action: 'create' }] });
  const hooks = await control('GET', 'hooks');
  await first.end();
  await expect(count(url, 'mirror.events')).rejects.toThrow('ECONNREFUSED');

  // Another secret, and the one of before: hooks keep that until `hooks rotate-secret` replaces it.
  const env = await readFile(path.join(directory, '.data/start.env'), 'utf8');
  const old = /^WEBHOOK_AUTHORIZATION='(.*)'$/m.exec(env)?.[1] ?? '';
  const both = `Bearer of-the-time-to-come,${old}`;
  const second = startIn({ WEBHOOK_AUTHORIZATION: both });
  await second.said('The mirror runs.');
  expect(await readFile(path.join(directory, '.data/start.env'), 'utf8')).toContain(`WEBHOOK_AUTHORIZATION='${both}'`);
  expect(second.output()).toContain('Hooks: 2 scopes, 0 hooks created, 0 triggers added\n');
  expect(second.output()).toContain('Backfill: everything is filled already');
  expect(await control('GET', 'hooks')).toEqual(hooks);
  await control('POST', 'clock', { advanceMs: 3_600_000 });
  await untilThereAre(url, `mirror.events where record_id = '${records[0].id}'`, 1);
  await untilThereAre(url, `procore.rfis where id = ${records[0].id}`, 1);
  await second.end();
});

test('against a Procore it makes hooks and fills the mirror, and shows no password of the operator', async () => {
  const simulator = startApp('simulator', {
    SIMULATOR_PORT: '0',
    SIMULATOR_PROJECTS: '1',
    SIMULATOR_SETTINGS: JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null }),
  });
  const simulatorUrl = String((await simulator.line('url')).url);
  const port = String(await quietPort(4));
  const database = await createTestDatabase();
  const started = startIn({
    ...mirrorOf(simulatorUrl, database.url),
    WEBHOOK_URL: `http://127.0.0.1:${port}/webhooks/procore`,
    INGEST_HOST: '127.0.0.1',
    INGEST_PORT: port,
    MIRROR_RESOURCES: 'RFIs,Projects,Trades',
  });
  await started.said('The mirror runs.');
  expect(started.output()).toContain('Hooks: 2 scopes, 2 hooks created');
  const { username, password } = new URL(database.url);
  expect(started.output()).toContain(`psql 'postgres://${username}@`);
  expect(started.output()).not.toContain(password);
  await untilThereAre(database.url, 'procore.rfis', 1);
  await controlOf(simulatorUrl)('POST', 'edits', { edits: [{ resource: 'RFIs', action: 'update' }] });
  await untilThereAre(database.url, 'mirror.events', 1);
  await started.end();
  await simulator.end('SIGTERM');
  await database.drop();
});

test('a Procore that answers nothing for a while when the start begins costs nothing but that time', async () => {
  const faults = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const simulator = startApp('simulator', {
    SIMULATOR_PORT: '0',
    SIMULATOR_PROJECTS: '1',
    SIMULATOR_SETTINGS: JSON.stringify({ callsPerHour: null, callsPerTenSeconds: null }),
  });
  const simulatorUrl = String((await simulator.line('url')).url);
  const order = (fault: unknown) => fetch(`${simulatorUrl}/control/faults`, { ...faults, body: JSON.stringify(fault) });
  await order({ status: 502, times: 7 }); // more than the client tries at once
  await order({ kind: 'login', status: 503, body: '<html>', times: 1 });
  const database = await createTestDatabase();
  const started = startIn({
    ...mirrorOf(simulatorUrl, database.url),
    INGEST_HOST: '127.0.0.1',
    INGEST_PORT: String(await quietPort(4)),
    MIRROR_RESOURCES: 'RFIs,Projects,Trades',
  });
  await started.said('The mirror runs.');
  expect(started.output()).toMatch(/^Backfill: \d+ records of (\d+) of \1 lists in/m);
  expect(started.output()).not.toMatch(/not mirrored|Not filled|No hook/);
  await untilThereAre(database.url, 'procore.rfis', 1);
  await started.end();
  await simulator.end('SIGTERM');
  await database.drop();
});

test('a port of the receiver that is taken ends the start of a real mirror, and is named', async () => {
  const taker = createServer().listen(0);
  await once(taker, 'listening');
  const { port } = taker.address() as AddressInfo; // listening on TCP, so this is its address
  const database = await createTestDatabase();
  const nowhere = `http://127.0.0.1:${await quietPort(4)}`;
  const started = startIn({ ...mirrorOf(nowhere, database.url), INGEST_PORT: String(port) });
  await expect(started.said('The mirror runs.')).rejects.toThrow(
    new RegExp(`failed: .*cannot listen on 0.0.0.0:${port}; see INGEST_HOST and INGEST_PORT`, 's'),
  );
  await started.end();
  taker.close();
  await database.drop();
});

test('names in MIRROR_RESOURCES that no resource has end the start before anything runs', async () => {
  const started = startIn({
    PROCORE_CLIENT_ID: 'simulator',
    PROCORE_CLIENT_SECRET: 'simulator-secret',
    PROCORE_COMPANY_IDS: '598134325683880',
    MIRROR_RESOURCES: 'RFIs,Submital',
  });
  await expect(started.said('The mirror runs.')).rejects.toThrow(
    'there is no resource "Submital", did you mean "Submittals"?',
  );
  expect(started.output()).toMatch(/^failed: /);
});

test.each([
  ['598134325683808,598134325683880', /not see 598134325683808; it sees 598134325683880 \(.+\)$/],
  ['598134325683808', /not see 598134325683808 \(.*can only be asked with one of them$/],
])(
  'companies %s, of which the service account does not see all, end the start before anything is done',
  async (ids, told) => {
    const simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '0' });
    const simulatorUrl = String((await simulator.line('url')).url);
    const database = await createTestDatabase();
    const started = startIn({
      ...mirrorOf(simulatorUrl, database.url),
      PROCORE_COMPANY_IDS: ids,
      WEBHOOK_URL: 'http://127.0.0.1:9/webhooks/procore',
      INGEST_PORT: String(await quietPort(4)),
    });
    await expect(started.said('The mirror runs.')).rejects.toThrow(
      new RegExp(`failed: PROCORE_COMPANY_IDS: the service account does ${told.source}`),
    );
    expect(await started.exitCode()).toBe(2);
    expect(await (await fetch(`${simulatorUrl}/control/hooks`)).json()).toEqual([]);
    expect(await count(database.url, 'mirror.backfills')).toBe(0);
    await started.end();
    await simulator.end('SIGTERM');
    await database.drop();
  },
);

test('wrong credentials end the start with what is wrong, and not with the secret', async () => {
  const simulator = startApp('simulator', { SIMULATOR_PORT: '0', SIMULATOR_PROJECTS: '0' });
  const simulatorUrl = String((await simulator.line('url')).url);
  const database = await createTestDatabase();
  const started = startIn({
    ...mirrorOf(simulatorUrl, database.url),
    PROCORE_CLIENT_SECRET: 'not-the-secret-of-the-simulator',
    INGEST_PORT: String(await quietPort(4)),
  });
  await expect(started.said('The mirror runs.')).rejects.toThrow(/failed: /);
  expect(started.output()).not.toContain('not-the-secret-of-the-simulator');
  await started.end();
  await simulator.end('SIGTERM');
  await database.drop();
});
