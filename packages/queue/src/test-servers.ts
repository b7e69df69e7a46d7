// Servers for tests that must be broken: the shared ones of the test run belong to everybody.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';

export type RedisServer = {
  port: number;
  url: string;
  /** With these settings, too. */
  start: (more?: readonly string[]) => Promise<void>;
  /** SIGKILL, as an out-of-memory killer would. */
  kill: () => Promise<void>;
  freeze: () => void;
  thaw: () => void;
  close: () => Promise<void>;
};

/** A redis-server of its own; `settings` as on its command line, for example `['--appendonly', 'no']`. */
export async function startRedis(settings: readonly string[]): Promise<RedisServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let server: ChildProcess | undefined;
  async function start(more: readonly string[] = []): Promise<void> {
    const place = ['--port', String(port), '--bind', '127.0.0.1', '--dir', directory];
    server = spawn('redis-server', [...place, '--save', '', ...settings, ...more], { stdio: 'ignore' });
    await answers(url);
  }
  async function kill(): Promise<void> {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  }
  await start();
  return {
    port,
    url,
    start,
    kill,
    freeze: () => void server?.kill('SIGSTOP'),
    thaw: () => void server?.kill('SIGCONT'),
    async close() {
      await kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A sentinel that watches the Redis on `masterPort` under this name. */
export async function startSentinel(
  name: string,
  masterPort: number,
): Promise<{ port: number; close: () => Promise<void> }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-sentinel-'));
  const port = await freePort();
  const config = path.join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${name} 127.0.0.1 ${masterPort} 1`,
  ];
  await writeFile(config, `${lines.join('\n')}\n`);
  const server = spawn('redis-server', [config, '--sentinel'], { stdio: 'ignore' });
  await answers(`redis://127.0.0.1:${port}`);
  return {
    port,
    async close() {
      server.kill('SIGKILL');
      await once(server, 'exit');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<void> {
  const client = new Redis(url, { retryStrategy: (times) => (times < 200 ? 50 : null), maxRetriesPerRequest: null });
  client.on('error', () => {}); // until it listens
  try {
    await client.ping();
  } finally {
    client.disconnect();
  }
}

export type Proxy = {
  port: number;
  /** Cuts all connections and refuses new ones. */
  takeAway: () => Promise<void>;
  bringBack: () => Promise<void>;
  /** Keeps connections, takes new ones, and hands nothing on. */
  silence: () => Promise<void>;
  endSilence: () => Promise<void>;
  close: () => Promise<void>;
};

/** Hands on every byte to another port, until told otherwise. */
export async function startProxy(targetPort: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const server = createServer((socket) => {
    const target = tcpConnect(targetPort, '127.0.0.1');
    for (const [one, other] of [
      [socket, target],
      [target, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.on('data', (bytes) => void other.write(bytes));
      if (isSilent) one.pause();
    }
  });
  const port = await listen(server, 0);
  async function takeAway(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
  return {
    port,
    takeAway,
    async bringBack() {
      await listen(server, port);
    },
    async silence() {
      isSilent = true;
      for (const socket of sockets) socket.pause();
    },
    async endSilence() {
      isSilent = false;
      for (const socket of sockets) socket.resume();
    },
    close: takeAway,
  };
}

/** A port that takes connections and whatever is sent, and never answers. */
export async function startSilence(): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).resume();
  });
  const port = await listen(server, 0);
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise((resolve) => server.close(resolve));
  return port;
}
