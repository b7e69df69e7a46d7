import { type Database, markPending } from '@procore-mirror/database';
import { backfillResource, fetchBatch, recordDelivery } from '@procore-mirror/mirror';
import { openMigratedDatabase, scriptProcore, testSettings } from '@procore-mirror/mirror/testing';
import { createProcoreClient } from '@procore-mirror/procore';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { type CallCounter, createCallCounter } from './call-counter.ts';

let database: Database;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ database, close } = await openMigratedDatabase());
});
afterAll(() => close());
beforeEach(async () => {
  await database.pool.query('truncate mirror.fetches');
});

type Call = Parameters<CallCounter['count']>[0];

function aCall(call: Partial<Call>): Call {
  const sent = { isSent: true, status: 200, ms: 300, bytes: 2, records: 1 };
  return { companyId: '1', purpose: null, route: 'GET /x/{id}', ...sent, ...call };
}

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
  counter.count(aCall({ companyId: '1', purpose: rfis, status: 200 }));
  counter.count(aCall({ companyId: '1', purpose: { ...rfis, lane: 'backfill' }, status: 404 }));
  counter.count(aCall({ companyId: '1', purpose: { ...rfis, projectId: null, resource: 'Projects' }, status: 200 }));
  counter.count(aCall({ companyId: '9007199254740993', purpose: null, status: null }));
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

test('what was never sent is no call', async () => {
  const counter = aCounter();
  counter.count(aCall({ isSent: false, status: null }));
  counter.count(aCall({ status: null }));
  await counter.close();
  expect(await counted()).toMatchObject([{ count: 1, failed: 1 }]);
});

test('counts are entered by themselves, and several processes add up', async () => {
  const counters = [aCounter({ flushEveryMs: 1 }), aCounter({ flushEveryMs: 1 })];
  for (const counter of counters) counter.count(aCall({ companyId: '1', purpose: rfis, status: 200 }));
  await vi.waitFor(async () => expect(await counted()).toMatchObject([{ count: 2 }]), 30_000);
  await Promise.all(counters.map((counter) => counter.close()));
  expect(await counted()).toMatchObject([{ count: 2 }]);
});

test('counts that could not be entered are entered later', async () => {
  const errors: unknown[] = [];
  const counter = aCounter({ flushEveryMs: 1, onError: (error) => errors.push(error) });
  await database.pool.query('alter table mirror.fetches rename to not_there');
  counter.count(aCall({ companyId: '1', purpose: rfis, status: 200 }));
  await vi.waitFor(() => expect(errors).toHaveLength(1), 30_000);
  await database.pool.query('alter table mirror.not_there rename to fetches');
  counter.count(aCall({ companyId: '1', purpose: rfis, status: 429 }));
  await counter.close();
  expect(await counted()).toMatchObject([{ count: 2, failed: 1, last_status: 429 }]);
  expect(errors).toHaveLength(1);
});

test('a call is written down with all that is known of it, at the time when it went out', async () => {
  const counter = aCounter();
  const call = { route: 'GET /rest/v1.0/projects/{id}/rfis', ms: 60_000.4, bytes: 5_000_000_000 };
  counter.count(aCall({ ...call, purpose: { ...rfis, version: '9007199254740993' } }));
  counter.count(aCall({ status: null, bytes: null, records: null }));
  await counter.close();
  const { rows } = await database.pool.query(
    `select version, company_id, project_id, resource, lane, route, status, ms, bytes, records,
        round(extract(epoch from now() - called_at) / 10)::int * 10 as seconds_ago
      from mirror.fetches order by called_at`,
  );
  expect(rows).toEqual([
    {
      ...{ version: '9007199254740993', company_id: '1', project_id: '7', resource: 'RFIs', lane: 'live' },
      ...{ route: 'GET /rest/v1.0/projects/{id}/rfis', status: 200, ms: 60_000, bytes: '5000000000', records: 1 },
      seconds_ago: 60,
    },
    {
      ...{ version: null, company_id: '1', project_id: null, resource: null, lane: null },
      ...{ route: 'GET /x/{id}', status: null, ms: 300, bytes: null, records: null },
      seconds_ago: 0,
    },
  ]);
});

test('five hundred calls do not wait for their time, and while the database is away only the newest are kept', async () => {
  const errors: unknown[] = [];
  const counter = aCounter({ onError: (error) => errors.push(error) });
  for (let call = 1; call <= 500; call += 1) counter.count(aCall({}));
  await vi.waitFor(async () => expect(await counted()).toMatchObject([{ count: 500 }]), 30_000);
  await database.pool.query('alter table mirror.fetches rename to not_there');
  for (let call = 1; call <= 12_000; call += 1) counter.count(aCall({ status: call <= 1_000 ? 500 : 200 }));
  await vi.waitFor(() => expect(errors.length).toBeGreaterThan(0), 30_000);
  await database.pool.query('alter table mirror.not_there rename to fetches');
  await counter.close();
  const [{ count, failed } = {}] = await counted();
  expect(count).toBeGreaterThan(10_000);
  expect(count).toBeLessThanOrEqual(11_000);
  expect(failed).toBe(0);
});

test('calls of the last two days count', async () => {
  await database.pool.query(
    `insert into mirror.fetches (called_at, company_id, route, status, ms) select now() - ago::interval, 1, 'GET /x', 200, 1
      from (values ('49 hours', 3), ('47 hours', 10)) as f(ago, count), generate_series(1, count)`,
  );
  expect(await counted()).toMatchObject([{ count: 10 }]);
});

test('each request of a run counts for the resource that wanted it, retries included; a backfill is no event', async () => {
  let refusals = 1;
  const procore = await scriptProcore();
  procore.answer = (path) => {
    if (refusals-- > 0) return { status: 500, text: '[]' };
    const id = /\/(\d+)$/.exec(path)?.[1];
    return { text: id === undefined ? '[]' : `{"id": ${id}, "change_items": [{"id": 5}]}` };
  };
  const counter = aCounter();
  const client = createProcoreClient({
    apiUrl: new URL(procore.url),
    token: procore.token,
    refuseToken: () => {},
    sleep: async () => {},
    afterCall: counter.count,
  });
  const settings = testSettings(database, client);
  const event = {
    ...{ id: 'EVENT1', timestamp: new Date().toISOString(), reason: 'update', company_id: '1', project_id: '7' },
    ...{ resource_type: 'RFIs', resource_id: '3' },
  };
  const delivery = { body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() };
  await recordDelivery({ ...settings, selection: { companyIds: null, resources: null } }, delivery);
  const signal = AbortSignal.timeout(30_000);
  const rfi = { companyId: '1', projectId: '7', resource: 'RFIs', parentId: null, isDelete: false, isRelative: false };
  const filled = ['4', '5'].map((recordId) => ({ ...rfi, recordId }));
  await markPending(database.pool, { news: filled, lane: 'backfill', pace: settings });
  for (const lane of ['live', 'backfill'] as const) {
    await fetchBatch(settings, { companyId: '1', projectId: '7', resource: 'RFIs', lane }, signal);
  }
  const locations = { companyId: '1', projectId: '7', resource: 'Locations' };
  await backfillResource(settings, locations, { signal, now: new Date() });
  await counter.close();
  await client.close();
  await procore.close();
  expect(await counted()).toMatchObject([
    { company_id: '1', project_id: '7', resource: 'Locations', count: 1, for_events: 0, failed: 0 },
    { company_id: '1', project_id: '7', resource: 'RFIs', count: 4, for_events: 2, failed: 1, last_status: 200 },
  ]);
  const { rows } = await database.pool.query(
    `select resource, route, status, min(bytes)::int as bytes, count(distinct version)::int as runs, count(*)::int as calls
      from mirror.fetches group by 1, 2, 3 order by 1, 2, 3`,
  );
  const shown = { resource: 'RFIs', route: 'GET /rest/v1.0/projects/{id}/rfis/{id}', runs: 2 };
  expect(rows).toMatchObject([
    { resource: 'Locations', status: 200, bytes: 2, runs: 1 },
    { ...shown, status: 200, calls: 3 },
    { ...shown, status: 500, bytes: null, runs: 1, calls: 1 },
  ]);
});
