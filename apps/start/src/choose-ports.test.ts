import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from '@procore-mirror/embedded';
import { afterEach, expect, test } from 'vitest';
import { choosePorts } from './choose-ports.ts';
import { readWanted } from './env.ts';
import type { Ports } from './settings.ts';

const names = ['ingest', 'ingestAdmin', 'workerAdmin', 'simulator'] as const;
const simulated = readWanted({});
const realWith = (ingestPort: number) =>
  readWanted({
    PROCORE_CLIENT_ID: 'id',
    PROCORE_CLIENT_SECRET: 'secret',
    PROCORE_COMPANY_IDS: '1',
    INGEST_PORT: String(ingestPort),
  });

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

async function take(port: number): Promise<Server> {
  const server = createServer().listen(port, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return server;
}

/** Neighbours, as 9464 and 9465 are. */
async function freeNeighbours(): Promise<Ports> {
  for (;;) {
    const first = await freePort();
    const ports = [first, first + 1, first + 2, first + 3];
    const free = await Promise.all(
      [...ports, first + 4, first + 5, first + 6, first + 7].map((port) => freePort(port)),
    );
    if (ports.every((port, index) => free[index] === port) && free.at(-1) === first + 7)
      return Object.fromEntries(names.map((name, index) => [name, first + index])) as Ports; // all four of them
  }
}

async function choose(usual: Ports, wanted = simulated): Promise<{ ports: Ports; said: string[] }> {
  const said: string[] = [];
  return { ports: await choosePorts({ wanted, usual, say: (line) => said.push(line) }), said };
}

test('the usual ports are used while they are free, and that is no news', async () => {
  const usual = await freeNeighbours();
  expect(await choose(usual)).toEqual({ ports: usual, said: [] });
});

test.each([
  ['ingest', 'the receiver listens'],
  ['ingestAdmin', 'the health of the receiver is'],
  ['workerAdmin', 'the health of the worker is'],
  ['simulator', 'the simulated Procore listens'],
] as const)('a taken port (%s) is said, with the one in its place, and given back', async (name, what) => {
  const usual = await freeNeighbours();
  const taker = await take(usual[name]);
  const { ports, said } = await choose(usual);
  expect(ports).toEqual({ ...usual, [name]: ports[name] });
  // The next that is nobody's.
  expect(ports[name]).toBe(usual.simulator + 1);
  expect(said).toEqual([`Ports: port ${usual[name]} is taken; ${what} on ${ports[name]}`]);
  taker.close();
  await once(taker, 'close');
  expect(await choose(usual)).toEqual({ ports: usual, said: [] });
});

test('when all are taken, each gets one of its own', async () => {
  const usual = await freeNeighbours();
  for (const name of names) await take(usual[name]);
  const { ports, said } = await choose(usual);
  expect(new Set([...Object.values(ports), ...Object.values(usual)]).size).toBe(8);
  expect(said).toHaveLength(4);
});

test('the port of the receiver of a real Procore stays what is configured, and no other part takes it', async () => {
  const usual = await freeNeighbours();
  await take(usual.simulator); // none runs
  for (const port of [usual.ingest, usual.workerAdmin]) {
    const { ports, said } = await choose(usual, realWith(port));
    expect(ports.ingest).toBe(port);
    expect(new Set([ports.ingest, ports.ingestAdmin, ports.workerAdmin]).size).toBe(3);
    expect(said).toHaveLength(port === usual.workerAdmin ? 1 : 0);
  }
  await take(usual.ingest);
  expect(await choose(usual, realWith(usual.ingest))).toMatchObject({ ports: { ingest: usual.ingest }, said: [] });
});

test('above the highest port there is none', async () => {
  const usual = await freeNeighbours();
  const highest = { ...usual, ingest: 65_535 };
  if ((await freePort(65_535)) === 65_535) await take(65_535);
  const { ports, said } = await choose(highest);
  expect(ports.ingest).toBeLessThan(65_535);
  expect(said).toHaveLength(1);
});
