// Runs whole batches against a scripted Procore: a function from path to answer, over real HTTP.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogue, loadCatalogue } from '@procore-mirror/catalogue';
import type { Lane } from '@procore-mirror/database';
import { type Database, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { createProcoreClient, type ProcoreClient } from '@procore-mirror/procore';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchBatch } from './fetch-batch.ts';
import { recordDelivery } from './record-delivery.ts';
import { createNeighbours } from './run/neighbours.ts';

type Scripted = { status?: number; body?: unknown; text?: string; headers?: Record<string, string> };

const PLENTY = `insert into mirror.budget (window_name, call_limit, remaining, reset_at, known_by)
  values ('hour', 1000000, 1000000, now() + interval '1 hour', 'header')`;

let test_: TestDatabase;
let database: Database;
let server: Server;
let client: ProcoreClient;
let calls: string[] = [];
let answer: (path: string, query: URLSearchParams) => Scripted = () => ({ status: 404 });

beforeAll(async () => {
  test_ = await createTestDatabase();
  await migrateDatabase({ url: test_.url, tables: catalogue.tables });
  database = openDatabase({ url: test_.url, applicationName: 'test' });
  await database.pool.query(PLENTY);
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://procore');
    calls.push(decodeURIComponent(request.url ?? ''));
    const { status = 200, body, text, headers = {} } = answer(url.pathname, url.searchParams);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(text ?? JSON.stringify(body ?? { errors: 'no' }));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo; // listening on TCP, so this is its address
  client = createProcoreClient({
    apiUrl: new URL(`http://127.0.0.1:${port}`),
    token: async () => 'token-of-the-test',
    refuseToken: () => {},
    sleep: async () => {},
  });
});
afterAll(async () => {
  await client.close();
  server.close();
  await database.close();
  await test_.drop();
});
beforeEach(async () => {
  calls = [];
  const names = catalogue.tables.map(({ name }) => `procore.${name}`);
  await database.pool.query(
    `truncate mirror.events, mirror.pending, mirror.batches, mirror.scopes, mirror.dead_letters, ${names.join(', ')}`,
  );
});

const settings = {
  catalogue,
  delayMs: 0,
  maxWaitMs: 60_000,
  absencePauseMs: 0,
  pageSize: 100,
  parking: { firstPauseMs: 60_000, longestPauseMs: 600_000 },
  random: () => 0.5,
  neighbours: createNeighbours(),
};

let eventNumber = 0;
async function hear(resource: string, ids: readonly (string | number)[], change: Record<string, unknown> = {}) {
  for (const id of ids) {
    eventNumber += 1;
    const event = {
      id: `EVENT${eventNumber}`,
      timestamp: new Date().toISOString(),
      reason: 'update',
      company_id: '1',
      project_id: '7',
      resource_type: resource,
      resource_id: String(id),
      ...change,
    };
    const delivery = { body: Buffer.from(JSON.stringify(event)), receivedAt: new Date() };
    await recordDelivery({ ...settings, database, selection: { companyIds: null, resources: null } }, delivery);
  }
}

function run(resource: string, projectId: string | null = '7', lane: Lane = 'live') {
  const batch = { companyId: '1', projectId, resource, lane };
  return fetchBatch({ ...settings, database, client }, batch, AbortSignal.timeout(30_000));
}

async function rows(table: string, columns = 'id'): Promise<Record<string, unknown>[]> {
  const marks = '_deleted_at is not null as deleted, _hidden_at is not null as hidden';
  const result = await database.pool.query(`select ${columns}, ${marks} from procore.${table} order by id`);
  return result.rows;
}

async function pendingIds(): Promise<string[]> {
  const result = await database.pool.query('select record_id from mirror.pending order by record_id::numeric');
  return result.rows.map(({ record_id }) => record_id);
}

const idsOf = (query: URLSearchParams) => query.getAll('filters[id][]');

test('records of a complete list come in one call, and one the list lacks is asked for alone', async () => {
  await hear('Locations', [1, 2, 3]);
  answer = (path, query) => {
    if (path.endsWith('/locations/3')) return { status: 404 };
    if (path.endsWith('/me')) return { body: { id: 5 } };
    return {
      body: idsOf(query)
        .filter((id) => id !== '3')
        .map((id) => ({ id: Number(id), name: `place ${id}` })),
    };
  };
  expect(await run('Locations')).toMatchObject({ outcome: 'done', stored: 2, absent: 0 });
  expect(calls).toHaveLength(2);
  expect(await pendingIds()).toEqual(['3']); // one answer may come from a copy that lags
  expect(await run('Locations')).toMatchObject({ outcome: 'done', absent: 1 });
  expect(calls).toHaveLength(4); // the company tells that it is there
  expect(await rows('locations', 'id, name')).toEqual([
    { id: '1', name: 'place 1', deleted: false, hidden: false },
    { id: '2', name: 'place 2', deleted: false, hidden: false },
    { id: '3', name: null, deleted: false, hidden: true },
  ]);
  expect(await pendingIds()).toEqual([]);
});

test('a list that ignores its filter stores nothing that was not asked for', async () => {
  await hear('Locations', [1, 2]);
  answer = (path) => (path.endsWith('/2') ? { body: { id: 2 } } : { body: [{ id: 1 }, { id: 98 }, { id: 99 }] });
  await run('Locations');
  expect((await rows('locations')).map(({ id }) => id)).toEqual(['1', '2']);
  expect(calls).toHaveLength(2);
});

test('a list that refuses its filter is replaced by single calls', async () => {
  await hear('Locations', [1, 2]);
  answer = (path) => (/\/\d+$/.test(path) ? { body: { id: Number(path.split('/').at(-1)) } } : { status: 400 });
  await run('Locations');
  expect((await rows('locations')).map(({ id }) => id)).toEqual(['1', '2']);
});

test('without a show, what a filtered list lacks is looked for in the whole list', async () => {
  await hear('Drawing Areas', [1, 2]);
  await hear('Drawing Areas', [3], { reason: 'delete' });
  answer = (_, query) => ({ body: query.has('filters[id]') ? [{ id: 1 }] : [{ id: 1 }, { id: 4 }] });
  await run('Drawing Areas');
  expect(calls).toHaveLength(2);
  expect(await pendingIds()).toEqual(['2']);
  await run('Drawing Areas');
  expect(await pendingIds()).toEqual([]);
  expect(await rows('drawing_areas')).toEqual([
    { id: '1', deleted: false, hidden: false },
    { id: '2', deleted: false, hidden: true },
    { id: '3', deleted: true, hidden: false },
    { id: '4', deleted: false, hidden: false },
  ]);
});

test('when calls are short, a thin list refreshes the rows first and loses no detail', async () => {
  await hear('RFIs', [1, 2, 3]);
  const whole = (id: number) => ({ id, subject: 'old', draft: false, assignee: { id: 5, name: 'Ann', login: 'a@x' } });
  answer = (path) => ({ body: whole(Number(path.split('/').at(-1))) });
  await run('RFIs');
  const short = `update mirror.budget set remaining = $1 where window_name = 'hour'`;
  await database.pool.query(short, [2]);
  await hear('RFIs', [1, 2]);
  await hear('RFIs', [3], { reason: 'delete' });
  calls = [];
  const thin = (id: number) => ({ id, subject: 'new', assignee: { id: 5, name: 'Anna' } });
  answer = (path) => (/\/\d+$/.test(path) ? { status: path.endsWith('/3') ? 404 : 500 } : { body: [thin(1)] });
  await run('RFIs');
  expect(calls).toHaveLength(1);
  expect(await rows('rfis', 'id, subject, draft, assignee, _complete')).toMatchObject([
    { id: '1', subject: 'new', draft: false, assignee: { id: 5, name: 'Anna', login: 'a@x' }, _complete: false },
    { id: '2', subject: 'old', _complete: true },
    { id: '3', deleted: false, _complete: true },
  ]);
  expect(await pendingIds()).toEqual(['1', '2', '3']);
  await database.pool.query(short, [1_000_000]);
  answer = (path) =>
    path.endsWith('/3') ? { status: 404 } : { body: { id: Number(path.split('/').at(-1)), subject: 'new' } };
  await run('RFIs');
  await run('RFIs', '7', 'detail');
  expect(calls).toHaveLength(4);
  expect(await rows('rfis', 'id, subject, assignee, _complete')).toMatchObject([
    { id: '1', subject: 'new', assignee: null, _complete: true },
    { id: '2', subject: 'new', _complete: true },
    { id: '3', deleted: true },
  ]);
  await database.pool.query(short, [1_000_000]);
});

test('a run ends when no call is left, and its other records gather news', async () => {
  const left = `update mirror.budget set remaining = $1 where window_name = 'hour'`;
  await database.pool.query(left, [0]);
  await hear('Generic Tool Items', [1, 2, 3]);
  answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  expect(await run('Generic Tool Items')).toMatchObject({ outcome: 'wait', stored: 2 });
  expect(calls).toHaveLength(2);
  await database.pool.query(left, [1_000_000]);
  expect(await run('Generic Tool Items')).toMatchObject({ outcome: 'done', stored: 1 });
});

test('a thin list that refuses its filter is passed over', async () => {
  await database.pool.query(`update mirror.budget set remaining = 0 where window_name = 'hour'`);
  await hear('RFIs', [1, 2]);
  answer = (path) => (/\/\d+$/.test(path) ? { body: { id: Number(path.split('/').at(-1)) } } : { status: 400 });
  await run('RFIs');
  await run('RFIs');
  await run('RFIs');
  expect((await rows('rfis')).map(({ id }) => id)).toEqual(['1', '2']);
  await database.pool.query(`update mirror.budget set remaining = 1000000 where window_name = 'hour'`);
});

test('404 with a delete event buries, without one hides, and a later answer brings the row back', async () => {
  await hear('RFIs', [1], { reason: 'delete' });
  await hear('RFIs', [2]);
  answer = (path) => (path.endsWith('/rfis') ? { body: [] } : { status: 404 });
  await run('RFIs');
  expect(await rows('rfis')).toEqual([{ id: '1', deleted: true, hidden: false }]);
  await run('RFIs');
  expect(await rows('rfis')).toEqual([
    { id: '1', deleted: true, hidden: false },
    { id: '2', deleted: false, hidden: true },
  ]);
  await hear('RFIs', [1, 2]);
  answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await run('RFIs');
  expect(await rows('rfis')).toEqual([
    { id: '1', deleted: false, hidden: false },
    { id: '2', deleted: false, hidden: false },
  ]);
});

test('a place in which nothing is there hides nothing but what a delete event named', async () => {
  await hear('RFIs', [1], { reason: 'delete' });
  await hear('RFIs', [2]);
  answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await run('RFIs');
  await hear('RFIs', [1], { reason: 'delete' });
  await hear('RFIs', [2, 3, 4]);
  answer = () => ({ status: 404 });
  for (let runs = 0; runs < 4; runs += 1) {
    await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
    await run('RFIs');
  }
  expect(await rows('rfis')).toEqual([
    { id: '1', deleted: true, hidden: false },
    { id: '2', deleted: false, hidden: false },
  ]);
  expect(await pendingIds()).toEqual(['2', '3', '4']);
});

test('an answer with another id is no proof of the record asked for', async () => {
  await hear('RFIs', [1]);
  answer = () => ({ body: { id: 2, subject: 'wrong one' } });
  await run('RFIs');
  expect(await rows('rfis')).toEqual([]);
  expect(await pendingIds()).toEqual(['1']);
});

test('a record clearly older than its event is read once more, and then taken as it is', async () => {
  await hear('RFIs', [1]);
  answer = () => ({ body: { id: 1, updated_at: '2020-01-01T00:00:00Z' } });
  await run('RFIs');
  expect(await pendingIds()).toEqual(['1']);
  await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  await run('RFIs');
  expect(await pendingIds()).toEqual([]);
  expect(calls).toHaveLength(2);
});

test('one refused record waits and its neighbours go on', async () => {
  await hear('RFIs', [1, 2]);
  answer = (path) => (path.endsWith('/1') ? { status: 403 } : { body: { id: 2 } });
  await run('RFIs');
  expect(await pendingIds()).toEqual(['1']);
  expect((await database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
});

test('a resource that refuses everything is parked with its reason, and nothing pending is lost', async () => {
  await hear('RFIs', [1, 2, 3]);
  answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
  expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
  const scopes = await database.pool.query('select company_id, project_id, resource, reason from mirror.scopes');
  expect(scopes.rows).toEqual([{ company_id: '1', project_id: '7', resource: 'RFIs', reason: 'forbidden' }]);
  expect(await pendingIds()).toEqual(['1', '2', '3']);
  answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  await run('RFIs');
  expect((await database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
});

test.each([
  ['Change Events', 'Change Event Line Items'],
  ['Change Event Line Items', 'Change Events'],
])('an answer to %s takes up %s again, too, which come from the same address', async (answered, other) => {
  await hear('Change Events', [5, 6, 7]);
  await hear('Change Event Line Items', [15, 16, 17]);
  answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
  for (const resource of [answered, other]) expect(await run(resource)).toMatchObject({ outcome: 'parked' });
  expect((await database.pool.query('select from mirror.scopes')).rowCount).toBe(2);
  answer = () => ({ body: [5, 6, 7].map((id) => ({ id, change_items: [{ id: id + 10 }] })), headers: { total: '3' } });
  await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  await run(answered);
  expect(await pendingIds()).toEqual([]);
  expect((await database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
});

test('a company that refuses everything is parked as a whole', async () => {
  await hear('RFIs', [1]);
  answer = () => ({ status: 403 });
  await run('RFIs');
  const scopes = await database.pool.query('select company_id, project_id, resource, reason from mirror.scopes');
  expect(scopes.rows).toEqual([{ company_id: '1', project_id: null, resource: null, reason: 'not_connected' }]);
});

test('a company that refuses a fresh token is parked', async () => {
  await hear('RFIs', [1]);
  answer = () => ({ status: 401 });
  expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
  const scopes = await database.pool.query('select reason from mirror.scopes');
  expect(scopes.rows).toEqual([{ reason: 'unauthorized' }]);
});

test('an answer that makes no sense becomes a dead letter in the end, its neighbour is stored', async () => {
  await hear('RFIs', [1, 2]);
  answer = (path) => {
    if (path.endsWith('/rfis')) return { body: [] };
    return path.endsWith('/1') ? { text: '{"id": 1, "subject": "cut of' } : { body: { id: 2 } };
  };
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await run('RFIs');
    await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  }
  expect((await rows('rfis')).map(({ id }) => id)).toEqual(['2']);
  expect(await pendingIds()).toEqual([]);
  const { rows: letters } = await database.pool.query('select reason, raw from mirror.dead_letters');
  expect(letters).toMatchObject([{ reason: 'malformed_answer', raw: expect.stringContaining('"resource_id": "1"') }]);
});

test.each([['maintenance'], [{}], [{ message: 'ok' }], [[]]])(
  'an answer that makes no sense for everybody makes no dead letters: %j',
  async (body) => {
    await hear('RFIs', [1, 2, 3, 4]);
    await database.pool.query('update mirror.pending set attempts = 11');
    answer = (path) => ({ body: path.endsWith('/rfis') ? 'maintenance' : body });
    expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
    expect((await database.pool.query('select from mirror.dead_letters')).rowCount).toBe(0);
    expect(await pendingIds()).toEqual(['1', '2', '3', '4']);
  },
);

test('a resource in trouble is parked after three records failed and none was shown, and everything stays pending', async () => {
  await hear('RFIs', [1, 2, 3, 4, 5, 6]);
  answer = () => ({ status: 500 });
  expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
  expect(new Set(calls).size).toBe(3);
  expect(await pendingIds()).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('children inside their parent come with it; one the parent no longer holds is gone', async () => {
  await hear('Change Event Line Items', [11, 12]);
  const event = (items: number[]) => ({ id: 5, title: 'Flood', change_items: items.map((id) => ({ id })) });
  answer = () => ({ body: [event([11, 12]), { id: 6, change_items: [] }], headers: { total: '2' } });
  await run('Change Event Line Items');
  expect(calls).toHaveLength(1);
  expect(await rows('change_event_line_items', 'id, change_event_id')).toEqual([
    { id: '11', change_event_id: '5', deleted: false, hidden: false },
    { id: '12', change_event_id: '5', deleted: false, hidden: false },
  ]);
  expect((await rows('change_events')).map(({ id }) => id)).toEqual(['5', '6']);
  answer = () => ({ body: event([12]) });
  await hear('Change Events', [5]);
  await run('Change Events');
  expect(await rows('change_event_line_items')).toEqual([
    { id: '11', deleted: true, hidden: false },
    { id: '12', deleted: false, hidden: false },
  ]);
});

test('a parent and its children with news need one call together', async () => {
  await hear('Change Events', [5]);
  answer = () => ({ body: { id: 5, change_items: [{ id: 11 }] } });
  await run('Change Events');
  await hear('Change Events', [5]);
  await hear('Change Event Line Items', [11]);
  calls = [];
  await run('Change Event Line Items');
  expect(calls).toHaveLength(1);
  expect(await pendingIds()).toEqual([]);
});

test('a child of an unknown parent is found by walking parents, those with news first; its parent is refreshed', async () => {
  await hear('RFIs', [1, 2]);
  answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await run('RFIs');
  await hear('RFI Replies', [21]);
  await hear('RFIs', [2]);
  calls = [];
  answer = (path) => ({ body: path.includes('/rfis/2/') ? [{ id: 21 }, { id: 22 }] : [] });
  await run('RFI Replies');
  expect(calls).toHaveLength(1);
  expect(await rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ rfi_id: '2' }, { rfi_id: '2' }]);
  expect(await pendingIds()).toEqual(['2']);
});

test('parents nobody told us of are taken from the listing', async () => {
  await hear('Drawings', [31]);
  answer = (path) => {
    if (path.endsWith('/drawing_areas')) return { body: [{ id: 8 }, { id: 9 }] };
    return { body: path.includes('/9/') ? [{ id: 31, title: 'Roof' }] : [] };
  };
  await run('Drawings');
  expect(await rows('drawings', 'drawing_area_id, title')).toMatchObject([{ drawing_area_id: '9', title: 'Roof' }]);
});

test('a drawing that moved to another area is looked for before anything is concluded', async () => {
  await hear('Drawings', [31]);
  let area = '8';
  answer = (path) => {
    if (path.endsWith('/drawing_areas')) return { body: [{ id: 8 }, { id: 9 }] };
    return { body: path.includes(`/${area}/`) ? [{ id: 31 }] : [] };
  };
  await run('Drawings');
  area = '9';
  await hear('Drawings', [31]);
  await run('Drawings');
  await run('Drawings');
  expect(await rows('drawings', 'drawing_area_id')).toEqual([{ drawing_area_id: '9', deleted: false, hidden: false }]);
});

test('v2 answers come out of their wrapper, over all pages', async () => {
  await hear('Change Order Change Reasons', ['1', '2'], { project_id: '' });
  answer = (_, query) => {
    const isLast = query.get('page') === '2';
    const link: Record<string, string> = isLast
      ? {}
      : { link: '</rest/v2.0/companies/1/change_order_change_reasons?page=2&per_page=100>; rel="next"' };
    return { body: { data: [{ id: isLast ? '2' : '1' }] }, headers: { total: '2', ...link } };
  };
  await run('Change Order Change Reasons', null);
  expect((await rows('change_order_change_reasons')).map(({ id }) => id)).toEqual(['1', '2']);
});

test('a listing that changed while it was read concludes nothing but what a delete event named', async () => {
  await hear('Change Order Change Reasons', ['3'], { project_id: '', reason: 'delete' });
  await hear('Change Order Change Reasons', ['4'], { project_id: '' });
  answer = () => ({ body: { data: [{ id: '1' }] }, headers: { total: String(2 + calls.length) } });
  for (let runs = 0; runs < 3; runs += 1) {
    await run('Change Order Change Reasons', null);
    await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  }
  expect(await pendingIds()).toEqual(['4']);
  expect(await rows('change_order_change_reasons')).toMatchObject([{ id: '1' }, { id: '3', deleted: true }]);
});

test('an edited person is refreshed in every project, and needs no project in the event', async () => {
  await hear('Project Users', [4], { project_id: '7' });
  await hear('Project Users', [4], { project_id: '8' });
  answer = () => ({ body: { id: 4, name: 'Ann' } });
  await run('Project Users', '7');
  await run('Project Users', '8');
  await hear('Company Users', [4], { project_id: '' });
  const { rows: news } = await database.pool.query('select resource, project_id from mirror.pending order by 1, 2');
  expect(news).toEqual([
    { resource: 'Company Users', project_id: null },
    { resource: 'Project Users', project_id: '7' },
    { resource: 'Project Users', project_id: '8' },
  ]);
});

test('an id beyond 2^53 and a decimal of thirty digits are stored digit for digit', async () => {
  await hear('Purchase Order Contracts', ['9007199254740993']);
  const text =
    '{"id": 9007199254740993, "grand_total": "123456789012345678901234567.890", "extra": 0.1234567890123456789}';
  answer = () => ({ text });
  await run('Purchase Order Contracts');
  const [row] = await rows('purchase_order_contracts', `id, grand_total, _data ->> 'extra' as extra`);
  expect(row).toMatchObject({
    id: '9007199254740993',
    grand_total: '123456789012345678901234567.890',
    extra: '0.1234567890123456789',
  });
});

test('a resource that the operator defined is fetched into its table', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-fetch-'));
  const file = path.join(directory, 'catalogue.json');
  const entry = {
    resource: 'Site Instructions',
    show: '/rest/v1.0/projects/{project_id}/instructions/{id}',
    columns: [{ name: 'title', type: 'text' }],
  };
  await writeFile(file, JSON.stringify([entry]));
  const loaded = loadCatalogue(file);
  await rm(directory, { recursive: true });
  await migrateDatabase({ url: test_.url, tables: loaded.tables });
  const own = { ...settings, catalogue: loaded, database, client };
  const body = { id: 'OWN1', timestamp: new Date().toISOString(), reason: 'create', company_id: '1', project_id: '7' };
  const text = JSON.stringify({ ...body, resource_type: 'Site Instructions', resource_id: '5' });
  const delivery = { body: Buffer.from(text), receivedAt: new Date() };
  await recordDelivery({ ...own, selection: { companyIds: null, resources: null } }, delivery);
  answer = (where) =>
    where.endsWith('/projects/7/instructions/5') ? { body: { id: 5, title: 'Dig' } } : { status: 404 };
  const batch = { companyId: '1', projectId: '7', resource: 'Site Instructions', lane: 'live' } as const;
  expect(await fetchBatch(own, batch, AbortSignal.timeout(30_000))).toMatchObject({ outcome: 'done', stored: 1 });
  expect(await rows('site_instructions', 'id, title')).toEqual([
    { id: '5', title: 'Dig', deleted: false, hidden: false },
  ]);
});

test('quotes go with the RFQ that was deleted: they send no delete of their own', async () => {
  const contract = '/rest/v1.0/work_order_contracts';
  const isRfqs = (path: string, query: URLSearchParams) =>
    path === '/rest/v1.0/rfqs' && query.get('contract_id') === '3';
  answer = (path, query) => {
    if (path === contract) return { body: [{ id: 3 }] };
    if (path.endsWith('_contracts')) return { body: [] };
    if (isRfqs(path, query)) return { body: [{ id: 4 }] };
    if (path === '/rest/v1.0/rfqs/4' && query.get('contract_id') === '3') return { body: { id: 4 } };
    if (path === '/rest/v1.0/rfqs/4/quotes' && query.get('contract_id') === '3')
      return { body: [{ id: 5, amount: '1' }] };
    return { status: 404 };
  };
  await hear('RFQ Quotes', [5]);
  expect(await run('RFQ Quotes')).toMatchObject({ outcome: 'done', stored: 2 }); // and the RFQ, which the walk passed
  await hear('RFQs', [4]);
  expect(await run('RFQs')).toMatchObject({ outcome: 'done' });
  expect(await rows('rfqs', 'id, contract_id')).toEqual([{ id: '4', contract_id: '3', deleted: false, hidden: false }]);
  answer = () => ({ status: 404 });
  await hear('RFQs', [4], { reason: 'delete' });
  await run('RFQs');
  expect(await rows('rfqs')).toEqual([{ id: '4', deleted: true, hidden: false }]);
  expect(await rows('rfq_quotes')).toEqual([{ id: '5', deleted: true, hidden: false }]);
});

test('children two levels inside their parent are stored, and gone when it lacks them', async () => {
  const meeting = (topics: number[]) => ({
    id: 2,
    attendees: [{ id: 8, status: 'Present' }],
    meeting_categories: [
      { id: 3, meeting_topic: [] },
      { id: 4, meeting_topic: topics.map((id) => ({ id, title: `topic ${id}` })) },
    ],
  });
  answer = (path) => {
    if (path.endsWith('/meetings')) return { body: [{ group_title: 'June', meetings: [{ id: 2 }] }] };
    return path.endsWith('/meetings/2') ? { body: meeting([6, 7]) } : { status: 404 };
  };
  await hear('Meeting Topics', [6]);
  expect(await run('Meeting Topics')).toMatchObject({ outcome: 'done' });
  expect(await rows('meeting_attendees', 'id, meeting_id')).toMatchObject([{ id: '8', meeting_id: '2' }]);
  expect(await rows('meeting_topics', 'id, meeting_id')).toEqual([
    { id: '6', meeting_id: '2', deleted: false, hidden: false },
    { id: '7', meeting_id: '2', deleted: false, hidden: false },
  ]);
  const before = answer;
  answer = (path, query) => (path.endsWith('/meetings/2') ? { body: meeting([7]) } : before(path, query));
  await hear('Meeting Topics', [6], { reason: 'delete' });
  await run('Meeting Topics');
  expect((await rows('meeting_topics')).map(({ deleted }) => deleted)).toEqual([true, false]);
});

test('a list that names parents saves looking through them', async () => {
  answer = (path, query) => {
    if (path.endsWith('/potential_change_orders')) {
      return { body: idsOf(query).map((id) => ({ id: Number(id), contract_id: 3 })) };
    }
    const isShown = path.endsWith('/potential_change_orders/9') && query.get('contract_id') === '3';
    return isShown ? { body: { id: 9, contract_id: 3, title: 'more steel' } } : { status: 404 };
  };
  await hear('Potential Change Orders', [9]);
  expect(await run('Potential Change Orders')).toMatchObject({ outcome: 'done', stored: 1 });
  expect(calls).toHaveLength(2);
  expect(await rows('potential_change_orders', 'id, contract_id, title')).toMatchObject([
    { id: '9', contract_id: '3', title: 'more steel' },
  ]);
});

test('a parent that a list named for its child is refreshed, too, and the list is not asked again', async () => {
  let isUp = false;
  answer = (path) => {
    if (path.endsWith('/direct_costs/line_items')) return { body: [{ id: 9, holder: { id: 3 } }] };
    if (!isUp) return { status: 500 };
    return path.endsWith('/direct_costs/3/line_items/9') ? { body: { id: 9, amount: '1.00' } } : { status: 404 };
  };
  await hear('Direct Cost Line Items', [9]);
  expect(await run('Direct Cost Line Items')).toMatchObject({ outcome: 'done', stored: 0 });
  expect(await pendingIds()).toEqual(['3', '9']);
  await database.pool.query(`delete from mirror.pending where record_id = '3'`);
  await hear('Direct Cost Line Items', [9]);
  expect(await pendingIds()).toEqual(['3', '9']);
  isUp = true;
  calls.length = 0;
  await database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  expect(await run('Direct Cost Line Items')).toMatchObject({ outcome: 'done', stored: 1 });
  expect(calls).toHaveLength(1);
  expect(await pendingIds()).toEqual(['3']);
});

test.each([
  ['arrays', 900, '[', ']'],
  ['arrays', 5000, '[', ']'],
  ['objects', 900, '{"x":', '}'],
  ['objects', 5000, '{"x":', '}'],
  ['objects with ids', 50_000, '{"id":1,"x":', '}'],
] as const)('a field with %s nested %i deep keeps no record from being read', async (_, depth, open, close) => {
  const deep = `${open.repeat(depth)}1${close.repeat(depth)}`;
  const record = (id: number, more = '') => `{"id":${id},"name":"place ${id}","more":${deep}${more}}`;
  const line = '{"id":31,"more":["DEEP"]}'.replace('"DEEP"', () => deep);
  answer = (path, query) => {
    if (path.includes('/rfis/')) return { text: record(3) };
    if (path.includes('change_events')) return { text: record(4, `,"change_items":[${line}]`) };
    return { text: `[${idsOf(query).map((id) => record(Number(id)))}]` };
  };
  await hear('Locations', [1, 2]);
  await hear('RFIs', [3]);
  await hear('Change Events', [4]);
  for (const resource of ['Locations', 'RFIs', 'Change Events']) {
    expect(await run(resource)).toMatchObject({ outcome: 'done' });
  }
  expect(await rows('locations', 'name')).toMatchObject([{ name: 'place 1' }, { name: 'place 2' }]);
  expect(await rows('rfis')).toMatchObject([{ id: '3', deleted: false, hidden: false }]);
  expect(await rows('change_events')).toMatchObject([{ id: '4', deleted: false, hidden: false }]);
  expect(await pendingIds()).toEqual([]);
});
