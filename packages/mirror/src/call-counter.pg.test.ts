import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Database, markPending, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { createProcoreClient } from '@procore-mirror/procore';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { backfillResource } from './backfill-resource.ts';
import { type CallCounter, createCallCounter } from './call-counter.ts';
import { catalogue } from './catalogue/catalogue.ts';
import { fetchBatch } from './fetch-batch.ts';
import { createNeighbours } from './neighbours.ts';
import { recordDelivery } from './record-delivery.ts';

let test_: TestDatabase;
let database: Database;

beforeAll(async () => {
  test_ = await createTestDatabase();
  await migrateDatabase({ url: test_.url, tables: catalogue.resources.map(({ table }) => table) });
  database = openDatabase({ url: test_.url, applicationName: 'test' });
  await database.pool.query(
    `insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
      values ('hour', 1000000, 1000000, now() + interval '1 hour', 'header')`,
  );
});
afterAll(async () => {
  await database.close();
  await test_.drop();
});
beforeEach(async () => {
  await database.pool.query('truncate mirror.calls');
});

const rfis = { projectId: '7', resource: 'RFIs', lane: 'live' } as const;

function aCounter(options: Partial<Parameters<typeof createCallCounter>[0]> = {}): CallCounter {
  const onError = (error: unknown) => {
    throw error;
  };
  return createCallCounter({ database, onError, flushEveryMs: 600_000, ...options });
}

async function counted(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query(
    `select company_id, project_id, resource, sum(count)::int as count, sum(for_events)::int as for_events,
        sum(failed)::int as failed, (array_agg(last_status order by period_start desc))[1] as last_status
      from mirror.calls group by 1, 2, 3 order by company_id, project_id nulls first, resource nulls first`,
  );
  return rows;
}

test('calls are counted by company, project and resource, in one statement', async () => {
  const counter = aCounter();
  const statements = vi.spyOn(database.pool, 'query');
  counter.count({ companyId: '1', purpose: rfis, status: 200 });
  counter.count({ companyId: '1', purpose: { ...rfis, lane: 'backfill' }, status: 404 });
  counter.count({ companyId: '1', purpose: { ...rfis, projectId: null, resource: 'Projects' }, status: 200 });
  counter.count({ companyId: '9007199254740993', purpose: null, status: null });
  expect(statements).not.toHaveBeenCalled();
  await counter.close();
  expect(statements.mock.calls.filter(([query]) => typeof query === 'object')).toHaveLength(1);
  statements.mockRestore();
  expect(await counted()).toEqual([
    { company_id: '1', project_id: null, resource: 'Projects', count: 1, for_events: 1, failed: 0, last_status: 200 },
    { company_id: '1', project_id: '7', resource: 'RFIs', count: 2, for_events: 1, failed: 1, last_status: 404 },
    {
      ...{ company_id: '9007199254740993', project_id: null, resource: null },
      ...{ count: 1, for_events: 0, failed: 1, last_status: null },
    },
  ]);
});

test('counts are entered by themselves, and several processes add up', async () => {
  const counters = [aCounter({ flushEveryMs: 1 }), aCounter({ flushEveryMs: 1 })];
  for (const counter of counters) counter.count({ companyId: '1', purpose: rfis, status: 200 });
  await vi.waitFor(async () => expect(await counted()).toMatchObject([{ count: 2 }]), 30_000);
  await Promise.all(counters.map((counter) => counter.close()));
  expect(await counted()).toMatchObject([{ count: 2 }]);
});

test('counts that could not be entered are entered later', async () => {
  const errors: unknown[] = [];
  const counter = aCounter({ flushEveryMs: 1, onError: (error) => errors.push(error) });
  await database.pool.query('alter table mirror.calls rename to not_there');
  counter.count({ companyId: '1', purpose: rfis, status: 200 });
  await vi.waitFor(() => expect(errors).toHaveLength(1), 30_000);
  await database.pool.query('alter table mirror.not_there rename to calls');
  counter.count({ companyId: '1', purpose: rfis, status: 429 });
  await counter.close();
  expect(await counted()).toMatchObject([{ count: 2, failed: 1, last_status: 429 }]);
  expect(errors).toHaveLength(1);
});

test('counts older than two days are removed', async () => {
  await database.pool.query(
    `insert into mirror.calls (company_id, period_start, count, for_events, failed, last_called_at)
      values (1, now() - interval '49 hours', 1, 0, 0, now()), (1, now() - interval '47 hours', 10, 0, 0, now())`,
  );
  const counter = aCounter();
  counter.count({ companyId: '1', purpose: null, status: 200 });
  await counter.close();
  expect(await counted()).toMatchObject([{ count: 11 }]);
});

test('each request of a run counts for the resource that wanted it, retries included; a first fill is no event', async () => {
  let refusals = 1;
  const server = createServer((request, response) => {
    const isFine = refusals-- <= 0;
    response.writeHead(isFine ? 200 : 500, { 'content-type': 'application/json' });
    const id = /\/(\d+)(\?|$)/.exec(request.url ?? '')?.[1];
    response.end(id === undefined || !isFine ? '[]' : `{"id": ${id}, "change_items": [{"id": 5}]}`);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const counter = aCounter();
  const client = createProcoreClient({
    apiUrl: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`), // it listens on TCP
    token: async () => 'token-of-the-test',
    refuseToken: () => {},
    sleep: async () => {},
    afterCall: counter.count,
  });
  const settings = {
    ...{
      database,
      client,
      catalogue,
      delayMs: 0,
      maxWaitMs: 60_000,
      absencePauseMs: 0,
      pageSize: 100,
      random: () => 0.5,
      neighbours: createNeighbours(),
    },
    parking: { firstPauseMs: 60_000, longestPauseMs: 600_000 },
  };
  const event = {
    ...{ id: 'EVENT1', timestamp: new Date().toISOString(), reason: 'update', company_id: '1', project_id: '7' },
    ...{ resource_type: 'RFIs', resource_id: '3' },
  };
  const delivery = { body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() };
  await recordDelivery({ ...settings, selection: { companyIds: null, resources: null } }, delivery);
  const signal = AbortSignal.timeout(30_000);
  const rfi = { companyId: '1', projectId: '7', resource: 'RFIs', parentId: null, isDelete: false, isRelative: false };
  const filled = ['4', '5'].map((recordId) => ({ ...rfi, recordId }));
  await markPending(database.pool, { ...settings, news: filled, lane: 'backfill', eventId: null, occurredAt: null });
  for (const lane of ['live', 'backfill'] as const) {
    await fetchBatch(settings, { companyId: '1', projectId: '7', resource: 'RFIs', lane }, signal);
  }
  const locations = { companyId: '1', projectId: '7', resource: 'Locations' };
  await backfillResource(settings, locations, { signal, now: new Date() });
  await counter.close();
  await client.close();
  server.close();
  expect(await counted()).toMatchObject([
    { company_id: '1', project_id: '7', resource: 'Locations', count: 1, for_events: 0, failed: 0 },
    { company_id: '1', project_id: '7', resource: 'RFIs', count: 4, for_events: 2, failed: 1, last_status: 200 },
  ]);
});
