import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Envelope } from '@procore-mirror/queue';
import { afterEach, expect, test, vi } from 'vitest';
import { type AppOptions, createApp } from './app.ts';
import { createAuthorization } from './authorization.ts';
import { type Receiver, type ReceiverOptions, startReceiver } from './receiver.ts';

const authorization = 'Bearer a-value-that-is-long-enough';
const patience = { timeout: 20_000, interval: 10 };
let cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

async function aReceiver(options: Partial<AppOptions> & Partial<ReceiverOptions> = {}) {
  const stored: string[] = [];
  let bytesRead = 0;
  const app = createApp({
    keyOf: createAuthorization([authorization]).keyOf,
    store: async ({ body }: Envelope) => {
      stored.push(body.toString());
      return 'queue';
    },
    metrics: { answered: () => {}, stored: () => {} },
    onRefused: () => {},
    lingerMs: 200,
    ...options,
  });
  const receiver: Receiver = await startReceiver({
    app: (request, response) => {
      request.socket.once('close', () => {
        bytesRead += request.socket.bytesRead;
      });
      app(request, response);
    },
    host: '127.0.0.1',
    port: 0,
    ...options,
  });
  cleanUps.push(() => receiver.close());
  return { receiver, stored, bytesRead: () => bytesRead };
}

/** A connection that remembers what it was told, and whether it was closed. */
async function aConnection(port: number) {
  const socket: Socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  cleanUps.push(async () => socket.destroy());
  let heard = '';
  let hasEnded = false;
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket.on('error', () => {}); // a reset counts as closed
  socket.on('end', () => {
    hasEnded = true;
  });
  socket.on('close', () => {
    hasEnded = true;
  });
  await once(socket, 'connect');
  return { socket, heard: () => heard, hasEnded: () => hasEnded };
}

function head(lines: readonly string[], value: string | null = authorization): string {
  const proof = value === null ? [] : [`Authorization: ${value}`];
  return `${['POST /webhooks/procore HTTP/1.1', 'Host: localhost', ...proof, ...lines].join('\r\n')}\r\n\r\n`;
}

test('half a request and then silence is cut off', async () => {
  const { receiver, stored } = await aReceiver({ requestWithinMs: 300 });
  for (const start of ['POST /webhooks/pro', head([]).slice(0, 50), `${head(['Content-Length: 10'])}12345`]) {
    const { socket, hasEnded } = await aConnection(receiver.port);
    socket.write(start);
    await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  }
  expect(stored).toEqual([]);
});

test('a connection on which nothing ever comes is cut off', async () => {
  const { receiver } = await aReceiver({ requestWithinMs: 300 });
  const { hasEnded } = await aConnection(receiver.port);
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
});

test('a body that comes drop by drop is cut off', async () => {
  const { receiver, stored } = await aReceiver({ requestWithinMs: 500 });
  const { socket, hasEnded } = await aConnection(receiver.port);
  socket.write(head(['Content-Length: 100000']));
  const drops = setInterval(() => socket.write('x'), 20);
  try {
    await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  } finally {
    clearInterval(drops);
  }
  expect(stored).toEqual([]);
});

test('other senders are served while one is slow', async () => {
  const { receiver, stored } = await aReceiver();
  const slow = await aConnection(receiver.port);
  slow.socket.write(`${head(['Content-Length: 10'])}12345`);
  const quick = await aConnection(receiver.port);
  quick.socket.write(`${head(['Content-Length: 2'])}{}`);
  await vi.waitFor(() => expect(quick.heard()).toMatch(/^HTTP\/1.1 204 /), patience);
  slow.socket.write('67890');
  await vi.waitFor(() => expect(slow.heard()).toMatch(/^HTTP\/1.1 204 /), patience);
  expect(stored).toEqual(['{}', '1234567890']);
});

test.each([
  { name: 'no Authorization', value: null, lines: ['Content-Length: 10000000'], status: 401 },
  { name: 'a wrong Authorization', value: 'Bearer wrong', lines: ['Content-Length: 10000000'], status: 401 },
  {
    name: 'a wrong Authorization, length untold',
    value: 'Bearer wrong',
    lines: ['Transfer-Encoding: chunked'],
    status: 401,
  },
  { name: 'too much, and says so', value: authorization, lines: ['Content-Length: 10000000'], status: 413 },
])('a sender with $name gets its answer, and its 10 MB are not read', async ({ value, lines, status }) => {
  const { receiver, stored, bytesRead } = await aReceiver();
  const { socket, heard, hasEnded } = await aConnection(receiver.port);
  socket.write(head(lines, value));
  const megabyte = Buffer.alloc(1_000_000, 'a');
  for (let n = 0; n < 10; n += 1) {
    if (lines[0]?.startsWith('Transfer')) socket.write(`${megabyte.length.toString(16)}\r\n`);
    socket.write(megabyte);
    if (lines[0]?.startsWith('Transfer')) socket.write('\r\n');
  }
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  expect(heard()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(heard()).toContain('Content-Length: 0'.toLowerCase());
  expect(stored).toEqual([]);
  socket.destroy();
  await vi.waitFor(() => expect(bytesRead()).toBeGreaterThan(0), patience);
  expect(bytesRead()).toBeLessThan(300_000); // what one or two reads of the socket bring
});

test('a sender that gives up its connection before the answer is 401 is told without its body', async () => {
  const { receiver } = await aReceiver();
  const { socket, heard, hasEnded } = await aConnection(receiver.port);
  socket.write(head(['Content-Length: 1000'], null)); // and no body follows
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  expect(heard()).toMatch(/^HTTP\/1.1 401 /);
});

test('a body of untold length is cut off beyond 1 MiB', async () => {
  const { receiver, stored, bytesRead } = await aReceiver();
  const { socket, heard, hasEnded } = await aConnection(receiver.port);
  socket.write(head(['Transfer-Encoding: chunked']));
  const chunk = Buffer.alloc(100_000, 'a');
  for (let n = 0; n < 100; n += 1) {
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    socket.write('\r\n');
  }
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  expect(heard()).toMatch(/^HTTP\/1.1 413 /);
  expect(stored).toEqual([]);
  socket.destroy();
  await vi.waitFor(() => expect(bytesRead()).toBeGreaterThan(0), patience);
  expect(bytesRead()).toBeLessThan(1_500_000);
});

test('requests sent one behind the other are answered in order, and the refused one ends it', async () => {
  const { receiver, stored } = await aReceiver();
  const { socket, heard, hasEnded } = await aConnection(receiver.port);
  const good = (body: string) => `${head([`Content-Length: ${body.length}`])}${body}`;
  socket.write(`${good('one')}${good('two')}${head(['Content-Length: 3'], 'Bearer wrong')}bad${good('three')}`);
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  expect(heard().match(/HTTP\/1.1 \d+/g)).toEqual(['HTTP/1.1 204', 'HTTP/1.1 204', 'HTTP/1.1 401']);
  expect(stored.slice(0, 2)).toEqual(['one', 'two']);
  expect(stored).not.toContain('bad');
});

test('a sender that asks before it sends its body may go on only when it is proved', async () => {
  const { receiver, stored } = await aReceiver();
  const proved = await aConnection(receiver.port);
  proved.socket.write(head(['Content-Length: 2', 'Expect: 100-continue']));
  await vi.waitFor(() => expect(proved.heard()).toMatch(/^HTTP\/1.1 100 /), patience);
  proved.socket.write('{}');
  await vi.waitFor(() => expect(proved.heard()).toMatch(/\nHTTP\/1.1 204 /), patience);
  const unknown = await aConnection(receiver.port);
  unknown.socket.write(head(['Content-Length: 2', 'Expect: 100-continue'], null));
  await vi.waitFor(() => expect(unknown.hasEnded()).toBe(true), patience);
  expect(unknown.heard()).toMatch(/^HTTP\/1.1 401 /);
  expect(stored).toEqual(['{}']);
});

test('an expectation we do not know is no reason to refuse', async () => {
  const { receiver } = await aReceiver();
  const { socket, heard } = await aConnection(receiver.port);
  socket.write(`${head(['Content-Length: 2', 'Expect: the-unexpected'])}{}`);
  await vi.waitFor(() => expect(heard()).toMatch(/^HTTP\/1.1 204 /), patience);
});

test('a sender that goes away in the middle leaves nothing', async () => {
  const counted: string[] = [];
  const metrics = { answered: (status: unknown) => void counted.push(`${status}`), stored: () => {} };
  const { receiver, stored } = await aReceiver({ metrics });
  const { socket } = await aConnection(receiver.port);
  socket.write(`${head(['Content-Length: 10'])}12345`);
  socket.destroy();
  await vi.waitFor(() => expect(counted).toEqual(['none']), patience);
  expect(stored).toEqual([]);
});

test('closing lets requests under way end, and refuses new connections', async () => {
  const gate = Promise.withResolvers<void>();
  const storing = Promise.withResolvers<void>();
  const { receiver } = await aReceiver({
    store: async () => {
      storing.resolve();
      await gate.promise;
      return 'queue';
    },
  });
  const { socket, heard, hasEnded } = await aConnection(receiver.port);
  const idle = await aConnection(receiver.port);
  socket.write(`${head(['Content-Length: 2'])}{}`);
  await storing.promise;
  const closed = receiver.close();
  const late = connect(receiver.port, '127.0.0.1');
  const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException]; // the one argument of 'error'
  expect(error.code).toBe('ECONNREFUSED');
  gate.resolve();
  await closed;
  expect(heard()).toMatch(/^HTTP\/1.1 204 /);
  await vi.waitFor(() => expect([hasEnded(), idle.hasEnded()]).toEqual([true, true]), patience);
});

test('closing resets nobody: each of 40 senders that keep their connections is answered until it is told to end', async () => {
  const { receiver, stored } = await aReceiver({ store: async () => sleep(Math.random() * 20, 'queue' as const) });
  const troubles: unknown[] = [];
  let answered = 0;
  const senders = Array.from({ length: 40 }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    cleanUps.push(async () => agent.destroy());
    for (let isOpen = true; isOpen; ) {
      const outgoing = request({
        ...{ agent, port: receiver.port, host: '127.0.0.1', method: 'POST', path: '/webhooks/procore' },
        headers: { authorization },
      });
      outgoing.end('{}');
      try {
        const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
        await once(answer.resume(), 'end');
        expect(answer.statusCode).toBe(204);
        answered += 1;
        isOpen = answer.headers.connection !== 'close';
      } catch (error) {
        troubles.push(error);
        isOpen = false;
      }
      await sleep(Math.random() * 40);
    }
  });
  await vi.waitFor(() => expect(answered).toBeGreaterThan(200), patience);
  const closed = receiver.close();
  await Promise.all(senders);
  await closed;
  expect(troubles).toEqual([]);
  expect(stored).toEqual([]);
});

test('closing tells a sender whose request is under way to end its connection', async () => {
  const { promise: isStored, resolve: store } = Promise.withResolvers<'queue'>();
  const { receiver } = await aReceiver({ store: () => isStored });
  const { socket, heard, hasEnded } = await aConnection(receiver.port);
  socket.write(`${head(['Content-Length: 2'])}{}`);
  await sleep(100); // the request is under way
  const closed = receiver.close();
  store('queue');
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
  expect(heard()).toMatch(/^HTTP\/1.1 204 [\s\S]*connection: close/i);
  await closed;
});

test('closing ends connections that stay idle', async () => {
  const { receiver } = await aReceiver({ idleMs: 50 });
  const idle = await aConnection(receiver.port);
  const answered = await aConnection(receiver.port);
  answered.socket.write(`${head(['Content-Length: 2'])}{}`);
  await vi.waitFor(() => expect(answered.heard()).toMatch(/^HTTP\/1.1 204 /), patience);
  await receiver.close();
  await vi.waitFor(() => expect([idle.hasEnded(), answered.hasEnded()]).toEqual([true, true]), patience);
});

test('closing does not wait for ever', async () => {
  const { receiver } = await aReceiver({ closeWithinMs: 100, store: () => new Promise(() => {}) });
  const { socket, hasEnded } = await aConnection(receiver.port);
  socket.write(`${head(['Content-Length: 2'])}{}`);
  await receiver.close();
  await vi.waitFor(() => expect(hasEnded()).toBe(true), patience);
});

test('an address that is taken is named', async () => {
  const { receiver } = await aReceiver();
  await expect(aReceiver({ port: receiver.port })).rejects.toThrow('INGEST_PORT');
});
