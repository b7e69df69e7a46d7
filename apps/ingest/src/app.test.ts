import { gzipSync } from 'node:zlib';
import type { Envelope } from '@procore-mirror/queue';
import { fingerprint } from '@procore-mirror/runtime';
import request from 'supertest';
import { expect, test } from 'vitest';
import { type AppOptions, createApp } from './app.ts';
import { createAuthorization } from './authorization.ts';

const authorization = 'Bearer a-value-that-is-long-enough';
const now = new Date('2026-06-01T10:00:00.123Z');

/** An app, what it stored, and how it counted. */
function anApp(options: Partial<AppOptions> = {}) {
  const stored: Envelope[] = [];
  const counted: string[] = [];
  const refused: unknown[][] = [];
  const app = createApp({
    keyOf: createAuthorization([authorization]).keyOf,
    store: async (envelope) => {
      stored.push(envelope);
      return 'queue';
    },
    metrics: { answered: (status) => counted.push(`${status}`), stored: (where) => counted.push(where) },
    onRefused: (...refusal) => refused.push(refusal),
    now: () => now,
    lingerMs: 50,
    ...options,
  });
  return { app, stored, counted, refused };
}

function post(app: ReturnType<typeof anApp>['app']) {
  return request(app).post('/webhooks/procore').set('authorization', authorization);
}

test('a delivery is stored as it came, then answered 204 with nothing', async () => {
  const { app, stored, counted } = anApp();
  const body = '{"id": 9007199254740993 ,\n"ulid":"x"}';
  const answer = await post(app).set('content-type', 'application/json').send(body);
  expect(answer.status).toBe(204);
  expect(answer.text).toBe('');
  expect(answer.headers).not.toHaveProperty('x-powered-by');
  const trace = expect.stringMatching(/^[0-9a-f]{32}$/);
  expect(stored).toEqual([
    { v: 1, kind: 'delivery', body: Buffer.from(body), receivedAt: now, key: fingerprint(authorization), trace },
  ]);
  expect(counted).toEqual(['queue', '204']);
});

test('the trace that the sender began goes with it', async () => {
  const { app, stored } = anApp();
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  await post(app).set('traceparent', `00-${trace}-00f067aa0ba902b7-01`).send('{}');
  expect(stored).toMatchObject([{ trace }]);
});

test.each([
  { name: 'nothing', type: 'application/json', body: Buffer.alloc(0) },
  { name: 'no JSON', type: 'application/json', body: Buffer.from('{"broken') },
  { name: 'an array', type: 'application/json', body: Buffer.from('[1]') },
  { name: 'bytes that are no text', type: 'text/plain', body: Buffer.from([0, 0xff, 0xc3, 0x28, 0x0a]) },
  { name: 'a form', type: 'application/x-www-form-urlencoded', body: Buffer.from('a=1&a=2') },
  { name: 'parts', type: 'multipart/form-data; boundary=x', body: Buffer.from('--x--') },
  { name: 'a strange character set', type: 'application/json; charset=klingon', body: Buffer.from('{}') },
  { name: 'no type that could be one', type: ';;;', body: Buffer.from('{}') },
  { name: 'exactly the largest body', type: 'application/json', body: Buffer.alloc(1024 * 1024, 'a') },
])('a proved sender may post $name', async ({ type, body }) => {
  const { app, stored } = anApp();
  const answer = await post(app)
    .set('content-type', type)
    .serialize((bytes) => bytes)
    .send(body);
  expect(answer.status).toBe(204);
  expect(stored.map((envelope) => envelope.body)).toEqual([body]);
});

test('a compressed body is kept compressed', async () => {
  const { app, stored } = anApp();
  const body = gzipSync('{"id":1}');
  const answer = await post(app)
    .set('content-encoding', 'gzip')
    .set('content-type', 'application/json')
    .serialize((bytes) => bytes)
    .send(body);
  expect(answer.status).toBe(204);
  expect(stored.map((envelope) => envelope.body)).toEqual([body]);
});

test.each([
  { name: 'no Authorization', headers: {} },
  { name: 'a wrong one', headers: { authorization: 'Bearer a-value-that-is-long-enougH' } },
])('with $name the answer is 401, empty, and nothing is stored', async ({ headers }) => {
  const { app, stored, counted, refused } = anApp();
  const answer = await request(app).post('/webhooks/procore').set(headers).send('{"id":1}');
  expect(answer.status).toBe(401);
  expect(answer.text).toBe('');
  expect(answer.headers.connection).toBe('close');
  expect(stored).toEqual([]);
  expect(counted).toEqual(['401']);
  expect(refused).toEqual([[401, expect.stringContaining('127.0.0.1'), undefined]]);
});

test('one byte too many is 413, whoever is told the length', async () => {
  const { app, stored, counted } = anApp();
  const body = Buffer.alloc(1024 * 1024 + 1, 'a');
  const answer = await post(app).set('content-type', 'text/plain').send(body.toString());
  expect(answer.status).toBe(413);
  expect(stored).toEqual([]);
  expect(counted).toEqual(['413']);
});

test('what could not be stored anywhere is 503', async () => {
  const cause = new Error('no room');
  const { app, counted, refused } = anApp({ store: () => Promise.reject(cause) });
  const answer = await post(app).send('{"id":1}');
  expect(answer.status).toBe(503);
  expect(answer.text).toBe('');
  expect(counted).toEqual(['503']);
  expect(refused).toEqual([[503, expect.any(String), cause]]);
});

test.each(['get', 'put', 'patch', 'delete', 'options', 'head'] as const)('%s is not allowed', async (method) => {
  const { app, stored } = anApp();
  const answer = await request(app)[method]('/webhooks/procore').set('authorization', authorization);
  expect(answer.status).toBe(405);
  expect(answer.headers.allow).toBe('POST');
  expect(stored).toEqual([]);
});

test.each(['/', '/webhooks', '/webhooks/procore//', '/Webhooks/Procore', '/metrics', '/healthz', '/%E0%A4%A'])(
  'there is nothing at %s',
  async (path) => {
    const { app, stored } = anApp();
    const answer = await request(app).post(path).set('authorization', authorization).send('{}');
    expect(answer.status).toBe(404);
    expect(answer.text).toBe('');
    expect(stored).toEqual([]);
  },
);

test('a slash at the end of the address does no harm', async () => {
  const { app, stored } = anApp();
  const answer = await request(app).post('/webhooks/procore/').set('authorization', authorization).send('{}');
  expect([answer.status, stored.length]).toEqual([204, 1]);
});

test('a query in the address does no harm', async () => {
  const { app, stored } = anApp();
  const answer = await request(app).post('/webhooks/procore?a[]=1&__proto__=x').set('authorization', authorization);
  expect(answer.status).toBe(204);
  expect(stored).toHaveLength(1);
});
