// Rules 3 to 5 for short histories of every kind: whatever is edited, delivered twice, late or in the wrong order, and
// however slowly fetches answer, the rows end equal to Procore. fast-check shrinks a history that breaks this.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Database, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogue } from './catalogue/catalogue.ts';
import { fetchBatch } from './fetch-batch.ts';
import { recordDelivery } from './record-delivery.ts';

const RESOURCES = ['RFIs', 'Locations', 'Change Order Change Reasons', 'Notes Logs'] as const;
const IDS = ['1', '2', '3'];

type Command =
  | { do: 'edit'; id: string; kind: 'write' | 'delete' }
  | { do: 'deliver'; which: number }
  | { do: 'fetch' }
  | { do: 'begin slow fetch' }
  | { do: 'finish slow fetches' };

/** One resource of a Procore with three records. Answers can be held back after they were read. */
type World = { records: Map<string, { alive: boolean; state: number }>; isSlow: boolean; held: (() => void)[] };

const PLENTY = `insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
  values ('hour', 1000000, 1000000, now() + interval '1 hour', 'header')`;

let test_: TestDatabase;
let database: Database;
let server: Server;
let client: ProcoreClient;
let world: World;

beforeAll(async () => {
  test_ = await createTestDatabase();
  await migrateDatabase({ url: test_.url, tables: catalogue.resources.map(({ table }) => table) });
  database = openDatabase({ url: test_.url, applicationName: 'test' });
  await database.pool.query(PLENTY);
  server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://procore');
    const { status, body } = read(url);
    if (world.isSlow) await new Promise<void>((release) => world.held.push(release));
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // listening on TCP, so this is its address
  client = createProcoreClient({
    apiUrl: new URL(`http://127.0.0.1:${port}`),
    token: async () => 'token-of-the-test',
    refuseToken: () => {},
  });
});
afterAll(async () => {
  await client.close();
  server.close();
  await database.close();
  await test_.drop();
});

function read({ pathname, searchParams }: URL): { status: number; body: unknown } {
  const id = /\/(\d+)$/.exec(pathname)?.[1];
  const alive = [...world.records].filter(([, { alive }]) => alive);
  const items = alive.map(([key, { state }]) => ({ id: Number(key), name: `state ${state}` }));
  if (pathname.startsWith('/rest/v2.0')) return { status: 200, body: { data: items } };
  // Record 3 is of another day than its events make believe.
  if (searchParams.has('start_date')) return { status: 200, body: items.filter((item) => item.id !== 3) };
  const asked = id === undefined ? searchParams.getAll('filters[id][]') : [id];
  const found = items.filter((item) => asked.includes(String(item.id)));
  if (id === undefined) return { status: 200, body: found };
  return found.length === 0 ? { status: 404, body: {} } : { status: 200, body: found[0] };
}

const settings = {
  catalogue,
  delayMs: 0,
  maxWaitMs: 60_000,
  absencePauseMs: 0,
  pageSize: 100,
  parking: { firstPauseMs: 1, longestPauseMs: 1 },
  random: () => 0.5,
};

async function live(resource: (typeof RESOURCES)[number], history: readonly Command[], lastOrder: readonly number[]) {
  const { table, scope } = catalogue.get(resource);
  await database.pool.query(`truncate mirror.events, mirror.pending, mirror.batches, procore.${table.name}`);
  world = { records: new Map(IDS.map((id) => [id, { alive: false, state: 0 }])), isSlow: false, held: [] };
  const projectId = scope === 'project' ? '7' : null;
  const events: { body: Buffer; delivered: boolean }[] = [];
  const slow: Promise<unknown>[] = [];
  const run = () =>
    fetchBatch(
      { ...settings, database, client },
      { companyId: '1', projectId, resource, lane: 'live' },
      AbortSignal.timeout(20_000),
    );

  const edit = (id: string, kind: 'write' | 'delete') => {
    const record = world.records.get(id)!;
    if (kind === 'delete' && !record.alive) return;
    Object.assign(record, { alive: kind === 'write', state: record.state + 1 });
    const body = {
      id: `EVENT${events.length}`,
      timestamp: '2026-06-01T10:00:00Z', // the day of the logs, but for one
      reason: kind === 'delete' ? 'delete' : 'update',
      company_id: '1',
      project_id: projectId ?? '',
      resource_type: resource,
      resource_id: id,
    };
    events.push({ body: Buffer.from(JSON.stringify(body)), delivered: false });
  };
  const deliver = async (event: (typeof events)[number]) => {
    event.delivered = true;
    const selection = { companyIds: null, resources: null };
    await recordDelivery({ ...settings, database, selection }, { body: event.body, receivedAt: new Date() });
  };
  const beginSlowFetch = async () => {
    world.isSlow = true;
    const before = world.held.length;
    let ended = false;
    slow.push(
      run().finally(() => {
        ended = true;
      }),
    );
    await expect.poll(() => ended || world.held.length > before, { interval: 1 }).toBe(true);
    world.isSlow = false;
  };
  const finishSlowFetches = async () => {
    for (const release of world.held.splice(0)) release();
    await Promise.all(slow.splice(0));
  };

  for (const command of history) {
    if (command.do === 'edit') edit(command.id, command.kind);
    else if (command.do === 'fetch') await run();
    else if (command.do === 'begin slow fetch') await beginSlowFetch();
    else if (command.do === 'finish slow fetches') await finishSlowFetches();
    else if (events.length > 0) await deliver(events[command.which % events.length]!);
  }
  await finishSlowFetches();
  const late = events.filter(({ delivered }) => !delivered);
  for (const [index, event] of [...late.entries()].toSorted(([a], [b]) => (lastOrder[a] ?? 0) - (lastOrder[b] ?? 0))) {
    await deliver(event ?? late[index]!);
  }
  await run();
  const pending = await database.pool.query('select from mirror.pending');
  expect(pending.rowCount).toBe(0);
  const { rows } = await database.pool.query(
    `select id::text, _data ->> 'name' as name from procore.${table.name} where _deleted_at is null and _hidden_at is null order by id`,
  );
  const alive = [...world.records].filter(([, record]) => record.alive);
  expect(rows).toEqual(alive.map(([id, { state }]) => ({ id, name: `state ${state}` })));
}

const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      id: fc.constantFrom(...IDS),
      kind: fc.constantFrom('write' as const, 'write' as const, 'delete' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.constant<Command>({ do: 'fetch' }) },
  { weight: 2, arbitrary: fc.constant<Command>({ do: 'begin slow fetch' }) },
  { weight: 1, arbitrary: fc.constant<Command>({ do: 'finish slow fetches' }) },
);

test.each(RESOURCES)('%s end equal to Procore after any history', async (resource) => {
  const histories = fc.tuple(
    fc.array(command, { maxLength: 25 }),
    fc.array(fc.nat(), { minLength: 25, maxLength: 25 }),
  );
  await fc.assert(
    fc.asyncProperty(histories, ([history, order]) => live(resource, history, order)),
    { numRuns: 60 },
  );
});
