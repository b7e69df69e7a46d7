import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ReceiverReport } from '@procore-mirror/mirror';
import { consumeDeliveries } from '@procore-mirror/queue';
import { type RedisServer, startRedis } from '@procore-mirror/queue/test-servers';
import { fingerprint } from '@procore-mirror/runtime';
import { createTestDatabase } from '@procore-mirror/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const patience = { timeout: 30_000, interval: 50 };
const authorization = 'Bearer a-value-that-is-long-enough';
const password = 'open-sesame-open';
const safe = ['--appendonly', 'yes', '--appendfsync', 'always'];
const user = ['--user', 'app', 'on', `>${password}`, '~*', '&*', '+@all'];

let spoolDirectory: string;
let cleanUps: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  spoolDirectory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-ingest-'));
  cleanUps = [() => rm(spoolDirectory, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

async function aRedis(settings: readonly string[]): Promise<RedisServer & { appUrl: string }> {
  const redis = await startRedis([...settings, ...user]);
  cleanUps.push(() => redis.close());
  return { ...redis, appUrl: `redis://app:${password}@127.0.0.1:${redis.port}` };
}

/** The ingest in a process of its own; `said` is all it ever wrote. */
function startIngest(env: Record<string, string>): { process: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts')], {
    env: {
      PATH: process.env.PATH,
      INGEST_HOST: '127.0.0.1',
      INGEST_PORT: '0',
      ADMIN_PORT: '0',
      INGEST_SPOOL_DIR: spoolDirectory,
      LOG_LEVEL: 'trace',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: spoolDirectory,
  });
  cleanUps.push(async () => void child.kill('SIGKILL'));
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  }
  return { process: child, said: () => said };
}

/** Waits until it listens; `post` returns the status. */
async function aRunningIngest(env: Record<string, string>) {
  const ingest = startIngest({ WEBHOOK_AUTHORIZATION: authorization, ...env });
  const ports = await vi.waitFor(() => {
    const match = /"port":(\d+),"admin_port":(\d+)/.exec(ingest.said());
    if (match === null) throw new Error(`it does not listen: ${ingest.said()}`);
    return { public: match[1], admin: match[2] };
  }, patience);
  return {
    ...ingest,
    async post(body: string, value = authorization): Promise<number> {
      const url = `http://127.0.0.1:${ports.public}/webhooks/procore`;
      const answer = await fetch(url, { method: 'POST', headers: { authorization: value }, body });
      return answer.status;
    },
    async admin(page: string): Promise<{ status: number; text: string }> {
      const answer = await fetch(`http://127.0.0.1:${ports.admin}${page}`);
      return { status: answer.status, text: await answer.text() };
    },
  };
}

async function consumed(url: string, reports: ReceiverReport[] = []): Promise<Set<string>> {
  const bodies = new Set<string>();
  const consumer = await consumeDeliveries({
    url,
    allowVolatile: true,
    concurrency: 4,
    record: async ({ kind, body }) => {
      if (kind === 'report') reports.push(JSON.parse(body.toString()));
      else bodies.add(body.toString());
    },
    onWarning: () => {},
    onError: () => {},
  });
  cleanUps.push(() => consumer.close());
  return bodies;
}

test('values in a file are accepted as they are now, and the receiver reports which', async () => {
  const redis = await aRedis(safe);
  const file = path.join(spoolDirectory, 'authorization');
  const [fresh, old] = ['Bearer the-value-of-tomorrow', authorization];
  await writeFile(file, old);
  const ingest = await aRunningIngest({
    ...{ QUEUE_URL: redis.appUrl, WEBHOOK_AUTHORIZATION: '', WEBHOOK_AUTHORIZATION_FILE: file },
  });
  const reports: ReceiverReport[] = [];
  await consumed(redis.url, reports);
  expect([await ingest.post('{}', old), await ingest.post('{}', fresh)]).toEqual([204, 401]);
  await writeFile(file, `${fresh},${old}`);
  await vi.waitFor(() => expect(reports.at(-1)?.accepts).toEqual([fresh, old].map(fingerprint)), patience);
  expect([await ingest.post('{}', old), await ingest.post('{}', fresh)]).toEqual([204, 204]);
  await writeFile(file, '');
  await vi.waitFor(() => expect(ingest.said()).toContain('a secret cannot be read again'), patience);
  expect([await ingest.post('{}', old), await ingest.post('{}', fresh)]).toEqual([204, 204]);
  await writeFile(file, fresh);
  await vi.waitFor(() => expect(reports.at(-1)?.accepts).toEqual([fingerprint(fresh)]), patience);
  expect([await ingest.post('{}', old), await ingest.post('{}', fresh)]).toEqual([401, 204]);
});

test('what was answered 204 is not lost, though the queue and then the receiver are killed', async () => {
  const redis = await aRedis(safe);
  const said: (() => string)[] = [];
  const accepted: string[] = [];
  async function postTo(ingest: Awaited<ReturnType<typeof aRunningIngest>>, bodies: readonly string[]): Promise<void> {
    const statuses = await Promise.all(bodies.map((body) => ingest.post(body)));
    expect(new Set(statuses)).toEqual(new Set([204]));
    accepted.push(...bodies);
  }
  const bodies = (when: string) => Array.from({ length: 20 }, (_, n) => `{"secret-content":"${when} ${n}"}`);

  const first = await aRunningIngest({ QUEUE_URL: redis.appUrl });
  said.push(first.said);
  await postTo(first, bodies('queue up'));
  expect(await first.post('not from Procore', 'Bearer some-other-long-value')).toBe(401);
  await redis.kill();
  await postTo(first, bodies('queue down'));
  expect((await first.admin('/metrics')).text).toContain('procore_mirror_ingest_spooled_deliveries 20');
  expect((await first.admin('/readyz')).status).toBe(200);
  first.process.kill('SIGKILL');
  await once(first.process, 'exit');

  const second = await aRunningIngest({ QUEUE_URL: redis.appUrl }); // starts although the queue is down
  said.push(second.said);
  await postTo(second, bodies('queue still down'));
  await redis.start();
  const found = await consumed(redis.url);
  await vi.waitFor(() => expect(accepted.filter((body) => !found.has(body))).toEqual([]), patience);
  expect(found.size).toBe(accepted.length);
  await vi.waitFor(async () => {
    expect((await readdir(spoolDirectory)).filter((name) => !/\.alive$|^receiver\.json/.test(name))).toEqual([]);
  }, patience);
  expect(await second.post('{"after":true}')).toBe(204);
  await vi.waitFor(() => expect(found).toContain('{"after":true}'), patience);
  expect((await second.admin('/metrics')).text).toContain('procore_mirror_ingest_deliveries_total{answer="204"} 21');

  const all = said.map((each) => each()).join('');
  expect(all).toContain('the queue takes no deliveries; they go to the spool');
  for (const secret of [password, authorization, 'some-other-long-value', 'secret-content', 'not from Procore']) {
    expect(all).not.toContain(secret);
  }
});

test('told to end it ends with 0, and leaves nothing in the spool but a note of its life', async () => {
  const redis = await aRedis(safe);
  const ingest = await aRunningIngest({ QUEUE_URL: redis.appUrl });
  expect(await ingest.post('{}')).toBe(204); // and the connection stays open
  ingest.process.kill('SIGTERM');
  const [code] = await once(ingest.process, 'exit');
  expect(code).toBe(0);
  expect(await readdir(spoolDirectory)).toEqual(['receiver.json']);
});

test('it reports who it is, how long it was down and why, what it answered, and what it spooled', async () => {
  const redis = await aRedis(safe);
  const life = async () => JSON.parse(await readFile(path.join(spoolDirectory, 'receiver.json'), 'utf8'));

  const stopped = await aRunningIngest({ QUEUE_URL: redis.appUrl });
  expect(await stopped.post('{"id":1}')).toBe(204);
  expect(await stopped.post('{"id":1}', 'Bearer some-other-long-value')).toBe(401);
  stopped.process.kill('SIGTERM');
  expect(await once(stopped.process, 'exit')).toEqual([0, null]);
  expect(await life()).toMatchObject({ isStopped: true });

  const killed = await aRunningIngest({ QUEUE_URL: redis.appUrl });
  await vi.waitFor(async () => expect(await life()).toMatchObject({ isStopped: false }), patience);
  killed.process.kill('SIGKILL');
  await once(killed.process, 'exit');

  await redis.kill();
  const spooling = await aRunningIngest({ QUEUE_URL: redis.appUrl });
  expect(await spooling.post('{"id":2}')).toBe(204);
  spooling.process.kill('SIGTERM');
  expect(await once(spooling.process, 'exit')).toEqual([0, null]);
  await redis.start();
  await aRunningIngest({ QUEUE_URL: redis.appUrl }); // takes over the spool

  const reports: ReceiverReport[] = [];
  const bodies = await consumed(redis.url, reports);
  await vi.waitFor(() => expect([bodies.size, reports.length]).toEqual([2, 6]), patience);
  const [a, aEnd, b, c, cEnd, d] = reports.toSorted((one, other) => (one.at < other.at ? -1 : 1));
  expect([a, aEnd, b, c, cEnd, d]).toMatchObject([
    {
      reason: 'start',
      downSince: null,
      wasStopped: null,
      pid: stopped.process.pid,
      version: expect.stringMatching(/^\d+\.\d+/),
    },
    { reason: 'stop', answers: { '204': 1, '401': 1, '503': 0 }, refused: null, spooled: null },
    { reason: 'start', downSince: aEnd?.at, wasStopped: true, pid: killed.process.pid },
    { reason: 'start', downSince: b?.at, wasStopped: false, pid: spooling.process.pid },
    { reason: 'stop', answers: { '204': 1 }, spooled: { count: 1 }, spoolHolds: 2 },
    { reason: 'start', downSince: cEnd?.at, wasStopped: true },
  ]);
  expect(new Set(reports.map(({ receiver }) => receiver)).size).toBe(1);
});

test('without a queue URL the queue is in the database', async () => {
  const database = await createTestDatabase();
  cleanUps.push(() => database.drop());
  const ingest = await aRunningIngest({ DATABASE_URL: database.url });
  expect(await ingest.post('{"id":1}')).toBe(204);
  const found = await consumed(database.url);
  await vi.waitFor(() => expect([...found]).toEqual(['{"id":1}']), patience);
});

test('a wrong environment is told whole, with exit code 2', async () => {
  const ingest = startIngest({ INGEST_PORT: 'eighty' });
  const [code] = await once(ingest.process, 'exit');
  expect(code).toBe(2);
  expect(ingest.said()).toMatch(/WEBHOOK_AUTHORIZATION is not set/);
  expect(ingest.said()).toMatch(/DATABASE_URL is not set/);
  expect(ingest.said()).toMatch(/INGEST_PORT/);
});

test('a value too short to prove anything is refused without being shown', async () => {
  const ingest = startIngest({ QUEUE_URL: 'redis://127.0.0.1:1', WEBHOOK_AUTHORIZATION: `${authorization}, tooshort` });
  const [code] = await once(ingest.process, 'exit');
  expect(code).toBe(2);
  expect(ingest.said()).toContain('WEBHOOK_AUTHORIZATION: entry 2 must have at least 16 characters');
  expect(ingest.said()).not.toContain('tooshort');
});

test('a Redis that may forget is refused with what heals it, unless that is allowed', async () => {
  const redis = await aRedis(['--appendonly', 'no']);
  const refused = startIngest({ QUEUE_URL: redis.appUrl, WEBHOOK_AUTHORIZATION: authorization });
  const [code] = await once(refused.process, 'exit');
  expect(code).toBe(2);
  expect(refused.said()).toContain('CONFIG SET appendonly yes');
  const allowed = await aRunningIngest({ QUEUE_URL: redis.appUrl, QUEUE_ALLOW_VOLATILE: '1' });
  expect(await allowed.post('{}')).toBe(204);
});

test('a spool that cannot be written is refused', async () => {
  const ingest = startIngest({
    QUEUE_URL: 'redis://127.0.0.1:1',
    WEBHOOK_AUTHORIZATION: authorization,
    INGEST_SPOOL_DIR: path.join(import.meta.dirname, 'main.ts'),
  });
  const [code] = await once(ingest.process, 'exit');
  expect(code).toBe(2);
  expect(ingest.said()).toContain('INGEST_SPOOL_DIR');
});

test('with neither queue nor spool deliveries are refused, and it is not ready', async () => {
  const redis = await aRedis(safe);
  const ingest = await aRunningIngest({ QUEUE_URL: redis.appUrl });
  await redis.kill();
  await rm(spoolDirectory, { recursive: true });
  expect(await ingest.post('{}')).toBe(503);
  const readiness = await ingest.admin('/readyz');
  expect(readiness.status).toBe(503);
  expect(readiness.text).toContain('the queue cannot be reached');
  expect((await ingest.admin('/healthz')).status).toBe(200);
  await expect(readdir(spoolDirectory)).rejects.toThrow('ENOENT');
  await redis.start();
  await vi.waitFor(async () => expect(await ingest.post('{}')).toBe(204), patience);
});
