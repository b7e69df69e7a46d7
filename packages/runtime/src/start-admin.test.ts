import { once } from 'node:events';
import { createServer } from 'node:net';
import { Registry } from 'prom-client';
import { afterEach, expect, test } from 'vitest';
import { createLog } from './create-log.ts';
import { createRegistry } from './create-registry.ts';
import { createSecrets } from './secrets.ts';
import { startAdmin } from './start-admin.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function anAdmin(options: Partial<Parameters<typeof startAdmin>[0]> = {}) {
  const lines: string[] = [];
  const log = createLog({ name: 'test', level: 'info', secrets: createSecrets(), write: (line) => lines.push(line) });
  const admin = await startAdmin({
    host: '127.0.0.1',
    port: 0,
    registry: new Registry(),
    ready: async () => [],
    log,
    ...options,
  });
  closers.push(admin.close);
  const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${admin.port}${path}`, init);
  return { ...admin, ask, lines };
}

test('/healthz answers while the process lives, ready or not', async () => {
  const { ask } = await anAdmin({ ready: async () => ['no database'] });
  expect((await ask('/healthz')).status).toBe(200);
});

test('/readyz says ready, or what is wrong', async () => {
  const problems: string[] = [];
  const { ask } = await anAdmin({ ready: async () => problems });
  const ready = await ask('/readyz');
  expect([ready.status, await ready.json()]).toEqual([200, { ready: true }]);
  problems.push('Postgres does not answer', 'the queue does not answer');
  const notReady = await ask('/readyz?verbose');
  expect([notReady.status, await notReady.json()]).toEqual([
    503,
    { ready: false, problems: ['Postgres does not answer', 'the queue does not answer'] },
  ]);
});

test('a readiness check that fails is a problem, and its error goes to the log only', async () => {
  const { ask, lines } = await anAdmin({ ready: () => Promise.reject(new Error('password of x is y')) });
  const answer = await ask('/readyz');
  expect(answer.status).toBe(503);
  expect(await answer.text()).not.toContain('password');
  expect(lines.join('')).toContain('password of x is y');
});

test('a readiness check that hangs is a problem, and is not asked again while it hangs', async () => {
  let asked = 0;
  const { promise, resolve } = Promise.withResolvers<string[]>();
  const ready = () => {
    asked++;
    return promise;
  };
  const { ask } = await anAdmin({ ready, readyTimeoutMs: 20 });
  for (let probe = 0; probe < 3; probe++) {
    const answer = await ask('/readyz');
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { ready: false, problems: ['the readiness check took more than 20 ms'] },
    ]);
  }
  expect(asked).toBe(1);
  resolve([]);
  await promise;
  expect((await ask('/readyz')).status).toBe(200);
  expect(asked).toBe(2);
});

test('/metrics speaks Prometheus', async () => {
  const { ask } = await anAdmin({ registry: createRegistry() });
  const answer = await ask('/metrics');
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(await answer.text()).toMatch(/^process_cpu_seconds_total \d/m);
});

test('a metric that cannot be read is a 500, and the server lives on', async () => {
  const { ask, lines } = await anAdmin({
    registry: Object.assign(new Registry(), { metrics: () => Promise.reject(new Error('broken metric')) }),
  });
  expect((await ask('/metrics')).status).toBe(500);
  expect(lines.join('')).toContain('broken metric');
  expect((await ask('/healthz')).status).toBe(200);
});

test('other paths are 404, other methods 405', async () => {
  const { ask } = await anAdmin();
  expect((await ask('/')).status).toBe(404);
  expect((await ask('/__proto__')).status).toBe(404);
  expect((await ask('/healthz', { method: 'POST' })).status).toBe(405);
  const head = await ask('/readyz', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([200, '']);
});

test('close ends connections that are kept alive, and requests under way', async () => {
  const { ask, close } = await anAdmin({ ready: () => new Promise(() => {}) });
  await (await ask('/healthz')).text();
  const hanging = ask('/readyz').catch((error: unknown) => error);
  closers.length = 0;
  await close();
  expect(await hanging).toBeInstanceOf(Error);
  await expect(ask('/healthz')).rejects.toThrow();
});

test('an address in use is said, with the variables to change', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const address = other.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(anAdmin({ port })).rejects.toThrow(`cannot listen on 127.0.0.1:${port}; see ADMIN_HOST and ADMIN_PORT`);
  other.close();
});
