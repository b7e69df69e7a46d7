// Runs whole batches against a scripted Procore: a function from path to answer, over real HTTP.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadCatalogue } from '@procore-mirror/catalogue';
import { type Lane, migrateDatabase } from '@procore-mirror/database';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { fetchBatch } from './fetch-batch.ts';
import { recordDelivery } from './record-delivery.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  procore.calls = [];
});

const run = (resource: string, projectId: string | null = '7', lane: Lane = 'live') =>
  mirror.run(resource, { projectId, lane });

const idsOf = (query: URLSearchParams) => query.getAll('filters[id][]');

test('records of a complete list come in one call, and one the list lacks is asked for alone', async () => {
  await mirror.hear('Locations', [1, 2, 3]);
  procore.answer = (path, query) => {
    if (path.endsWith('/locations/3')) return { status: 404 };
    if (path.endsWith('/me')) return { body: { id: 5 } };
    return {
      body: idsOf(query)
        .filter((id) => id !== '3')
        .map((id) => ({ id: Number(id), name: `place ${id}` })),
    };
  };
  expect(await run('Locations')).toMatchObject({ outcome: 'done', stored: 2, absent: 0 });
  expect(procore.calls).toHaveLength(2);
  expect(await mirror.pendingIds()).toEqual(['3']); // one answer may come from a copy that lags
  expect(await run('Locations')).toMatchObject({ outcome: 'done', absent: 1 });
  expect(procore.calls).toHaveLength(4); // the company tells that it is there
  expect(await mirror.rows('locations', 'id, name')).toEqual([
    { id: '1', name: 'place 1', deleted: false, hidden: false },
    { id: '2', name: 'place 2', deleted: false, hidden: false },
    { id: '3', name: null, deleted: false, hidden: true },
  ]);
  expect(await mirror.pendingIds()).toEqual([]);
});

test('a list that ignores its filter stores nothing that was not asked for', async () => {
  await mirror.hear('Locations', [1, 2]);
  procore.answer = (path) =>
    path.endsWith('/2') ? { body: { id: 2 } } : { body: [{ id: 1 }, { id: 98 }, { id: 99 }] };
  await run('Locations');
  expect((await mirror.rows('locations')).map(({ id }) => id)).toEqual(['1', '2']);
  expect(procore.calls).toHaveLength(2);
});

test('a list that refuses its filter is replaced by single calls', async () => {
  await mirror.hear('Locations', [1, 2]);
  procore.answer = (path) => (/\/\d+$/.test(path) ? { body: { id: Number(path.split('/').at(-1)) } } : { status: 400 });
  await run('Locations');
  expect((await mirror.rows('locations')).map(({ id }) => id)).toEqual(['1', '2']);
});

test('without a show, what a filtered list lacks is looked for in the whole list', async () => {
  await mirror.hear('Drawing Areas', [1, 2]);
  await mirror.hear('Drawing Areas', [3], { reason: 'delete' });
  procore.answer = (_, query) => ({ body: query.has('filters[id]') ? [{ id: 1 }] : [{ id: 1 }, { id: 4 }] });
  await run('Drawing Areas');
  expect(procore.calls).toHaveLength(2);
  expect(await mirror.pendingIds()).toEqual(['2']);
  await run('Drawing Areas');
  expect(await mirror.pendingIds()).toEqual([]);
  expect(await mirror.rows('drawing_areas')).toEqual([
    { id: '1', deleted: false, hidden: false },
    { id: '2', deleted: false, hidden: true },
    { id: '3', deleted: true, hidden: false },
    { id: '4', deleted: false, hidden: false },
  ]);
});

test('when calls are short, a thin list refreshes the rows first and loses no detail', async () => {
  await mirror.hear('RFIs', [1, 2, 3]);
  const whole = (id: number) => ({ id, subject: 'old', draft: false, assignee: { id: 5, name: 'Ann', login: 'a@x' } });
  procore.answer = (path) => ({ body: whole(Number(path.split('/').at(-1))) });
  await run('RFIs');
  const short = `update mirror.budget set remaining = $1 where window_name = 'hour'`;
  await mirror.database.pool.query(short, [2]);
  await mirror.hear('RFIs', [1, 2]);
  await mirror.hear('RFIs', [3], { reason: 'delete' });
  procore.calls = [];
  const thin = (id: number) => ({ id, subject: 'new', assignee: { id: 5, name: 'Anna' } });
  procore.answer = (path) => (/\/\d+$/.test(path) ? { status: path.endsWith('/3') ? 404 : 500 } : { body: [thin(1)] });
  await run('RFIs');
  expect(procore.calls).toHaveLength(1);
  expect(await mirror.rows('rfis', 'id, subject, draft, assignee, _complete')).toMatchObject([
    { id: '1', subject: 'new', draft: false, assignee: { id: 5, name: 'Anna', login: 'a@x' }, _complete: false },
    { id: '2', subject: 'old', _complete: true },
    { id: '3', deleted: false, _complete: true },
  ]);
  expect(await mirror.pendingIds()).toEqual(['1', '2', '3']);
  await mirror.database.pool.query(short, [1_000_000]);
  procore.answer = (path) =>
    path.endsWith('/3') ? { status: 404 } : { body: { id: Number(path.split('/').at(-1)), subject: 'new' } };
  await run('RFIs');
  await run('RFIs', '7', 'detail');
  expect(procore.calls).toHaveLength(4);
  expect(await mirror.rows('rfis', 'id, subject, assignee, _complete')).toMatchObject([
    { id: '1', subject: 'new', assignee: null, _complete: true },
    { id: '2', subject: 'new', _complete: true },
    { id: '3', deleted: true },
  ]);
  await mirror.database.pool.query(short, [1_000_000]);
});

test('a run ends when no call is left, and its other records gather news', async () => {
  const left = `update mirror.budget set remaining = $1 where window_name = 'hour'`;
  await mirror.database.pool.query(left, [0]);
  await mirror.hear('Generic Tool Items', [1, 2, 3]);
  procore.answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  expect(await run('Generic Tool Items')).toMatchObject({ outcome: 'wait', stored: 2 });
  expect(procore.calls).toHaveLength(2);
  await mirror.database.pool.query(left, [1_000_000]);
  expect(await run('Generic Tool Items')).toMatchObject({ outcome: 'done', stored: 1 });
});

test('a thin list that refuses its filter is passed over', async () => {
  await mirror.database.pool.query(`update mirror.budget set remaining = 0 where window_name = 'hour'`);
  await mirror.hear('RFIs', [1, 2]);
  procore.answer = (path) => (/\/\d+$/.test(path) ? { body: { id: Number(path.split('/').at(-1)) } } : { status: 400 });
  await run('RFIs');
  await run('RFIs');
  await run('RFIs');
  expect((await mirror.rows('rfis')).map(({ id }) => id)).toEqual(['1', '2']);
  await mirror.database.pool.query(`update mirror.budget set remaining = 1000000 where window_name = 'hour'`);
});

test('404 with a delete event buries, without one hides, and a later answer brings the row back', async () => {
  await mirror.hear('RFIs', [1], { reason: 'delete' });
  await mirror.hear('RFIs', [2]);
  procore.answer = (path) => (path.endsWith('/rfis') ? { body: [] } : { status: 404 });
  await run('RFIs');
  expect(await mirror.rows('rfis')).toEqual([{ id: '1', deleted: true, hidden: false }]);
  await run('RFIs');
  expect(await mirror.rows('rfis')).toEqual([
    { id: '1', deleted: true, hidden: false },
    { id: '2', deleted: false, hidden: true },
  ]);
  await mirror.hear('RFIs', [1, 2]);
  procore.answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await run('RFIs');
  expect(await mirror.rows('rfis')).toEqual([
    { id: '1', deleted: false, hidden: false },
    { id: '2', deleted: false, hidden: false },
  ]);
});

test('a place in which nothing is there hides nothing but what a delete event named', async () => {
  await mirror.hear('RFIs', [1], { reason: 'delete' });
  await mirror.hear('RFIs', [2]);
  procore.answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await run('RFIs');
  await mirror.hear('RFIs', [1], { reason: 'delete' });
  await mirror.hear('RFIs', [2, 3, 4]);
  procore.answer = () => ({ status: 404 });
  for (let runs = 0; runs < 4; runs += 1) {
    await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
    await run('RFIs');
  }
  expect(await mirror.rows('rfis')).toEqual([
    { id: '1', deleted: true, hidden: false },
    { id: '2', deleted: false, hidden: false },
  ]);
  expect(await mirror.pendingIds()).toEqual(['2', '3', '4']);
});

test('an answer with another id is no proof of the record asked for', async () => {
  await mirror.hear('RFIs', [1]);
  procore.answer = () => ({ body: { id: 2, subject: 'wrong one' } });
  await run('RFIs');
  expect(await mirror.rows('rfis')).toEqual([]);
  expect(await mirror.pendingIds()).toEqual(['1']);
});

test('a record clearly older than its event is read once more, and then taken as it is', async () => {
  await mirror.hear('RFIs', [1]);
  procore.answer = () => ({ body: { id: 1, updated_at: '2020-01-01T00:00:00Z' } });
  await run('RFIs');
  expect(await mirror.pendingIds()).toEqual(['1']);
  await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  await run('RFIs');
  expect(await mirror.pendingIds()).toEqual([]);
  expect(procore.calls).toHaveLength(2);
});

test('one refused record waits and its neighbours go on', async () => {
  await mirror.hear('RFIs', [1, 2]);
  procore.answer = (path) => (path.endsWith('/1') ? { status: 403 } : { body: { id: 2 } });
  await run('RFIs');
  expect(await mirror.pendingIds()).toEqual(['1']);
  expect((await mirror.database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
});

test('a resource that refuses everything is parked with its reason, and nothing pending is lost', async () => {
  await mirror.hear('RFIs', [1, 2, 3]);
  procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
  expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
  const scopes = await mirror.database.pool.query('select company_id, project_id, resource, reason from mirror.scopes');
  expect(scopes.rows).toEqual([{ company_id: '1', project_id: '7', resource: 'RFIs', reason: 'forbidden' }]);
  expect(await mirror.pendingIds()).toEqual(['1', '2', '3']);
  procore.answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  await run('RFIs');
  expect((await mirror.database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
});

test.each([
  ['Change Events', 'Change Event Line Items'],
  ['Change Event Line Items', 'Change Events'],
])('an answer to %s takes up %s again, too, which come from the same address', async (answered, other) => {
  await mirror.hear('Change Events', [5, 6, 7]);
  await mirror.hear('Change Event Line Items', [15, 16, 17]);
  procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
  for (const resource of [answered, other]) expect(await run(resource)).toMatchObject({ outcome: 'parked' });
  expect((await mirror.database.pool.query('select from mirror.scopes')).rowCount).toBe(2);
  procore.answer = () => ({
    body: [5, 6, 7].map((id) => ({ id, change_items: [{ id: id + 10 }] })),
    headers: { total: '3' },
  });
  await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  await run(answered);
  expect(await mirror.pendingIds()).toEqual([]);
  expect((await mirror.database.pool.query('select from mirror.scopes')).rowCount).toBe(0);
});

test('a company that refuses everything is parked as a whole', async () => {
  await mirror.hear('RFIs', [1]);
  procore.answer = () => ({ status: 403 });
  await run('RFIs');
  const scopes = await mirror.database.pool.query('select company_id, project_id, resource, reason from mirror.scopes');
  expect(scopes.rows).toEqual([{ company_id: '1', project_id: null, resource: null, reason: 'not_connected' }]);
});

test('a company that refuses a fresh token is parked', async () => {
  await mirror.hear('RFIs', [1]);
  procore.answer = () => ({ status: 401 });
  expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
  const scopes = await mirror.database.pool.query('select reason from mirror.scopes');
  expect(scopes.rows).toEqual([{ reason: 'unauthorized' }]);
});

test('an answer that makes no sense becomes a dead letter in the end, its neighbour is stored', async () => {
  await mirror.hear('RFIs', [1, 2]);
  procore.answer = (path) => {
    if (path.endsWith('/rfis')) return { body: [] };
    return path.endsWith('/1') ? { text: '{"id": 1, "subject": "cut of' } : { body: { id: 2 } };
  };
  for (let attempt = 0; attempt < 12; attempt += 1) {
    await run('RFIs');
    await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  }
  expect((await mirror.rows('rfis')).map(({ id }) => id)).toEqual(['2']);
  expect(await mirror.pendingIds()).toEqual([]);
  const { rows: letters } = await mirror.database.pool.query('select reason, raw from mirror.dead_letters');
  expect(letters).toMatchObject([{ reason: 'malformed_answer', raw: expect.stringContaining('"resource_id": "1"') }]);
});

test.each([['maintenance'], [{}], [{ message: 'ok' }], [[]]])(
  'an answer that makes no sense for everybody makes no dead letters: %j',
  async (body) => {
    await mirror.hear('RFIs', [1, 2, 3, 4]);
    await mirror.database.pool.query('update mirror.pending set attempts = 11');
    procore.answer = (path) => ({ body: path.endsWith('/rfis') ? 'maintenance' : body });
    expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
    expect((await mirror.database.pool.query('select from mirror.dead_letters')).rowCount).toBe(0);
    expect(await mirror.pendingIds()).toEqual(['1', '2', '3', '4']);
  },
);

test('a resource in trouble is parked after three records failed and none was shown, and everything stays pending', async () => {
  await mirror.hear('RFIs', [1, 2, 3, 4, 5, 6]);
  procore.answer = () => ({ status: 500 });
  expect(await run('RFIs')).toMatchObject({ outcome: 'parked' });
  expect(new Set(procore.calls).size).toBe(3);
  expect(await mirror.pendingIds()).toEqual(['1', '2', '3', '4', '5', '6']);
});

test('children inside their parent come with it; one the parent no longer holds is gone', async () => {
  await mirror.hear('Change Event Line Items', [11, 12]);
  const event = (items: number[]) => ({ id: 5, title: 'Flood', change_items: items.map((id) => ({ id })) });
  procore.answer = () => ({ body: [event([11, 12]), { id: 6, change_items: [] }], headers: { total: '2' } });
  await run('Change Event Line Items');
  expect(procore.calls).toHaveLength(1);
  expect(await mirror.rows('change_event_line_items', 'id, change_event_id')).toEqual([
    { id: '11', change_event_id: '5', deleted: false, hidden: false },
    { id: '12', change_event_id: '5', deleted: false, hidden: false },
  ]);
  expect((await mirror.rows('change_events')).map(({ id }) => id)).toEqual(['5', '6']);
  procore.answer = () => ({ body: event([12]) });
  await mirror.hear('Change Events', [5]);
  await run('Change Events');
  expect(await mirror.rows('change_event_line_items')).toEqual([
    { id: '11', deleted: true, hidden: false },
    { id: '12', deleted: false, hidden: false },
  ]);
});

test('a parent and its children with news need one call together', async () => {
  await mirror.hear('Change Events', [5]);
  procore.answer = () => ({ body: { id: 5, change_items: [{ id: 11 }] } });
  await run('Change Events');
  await mirror.hear('Change Events', [5]);
  await mirror.hear('Change Event Line Items', [11]);
  procore.calls = [];
  await run('Change Event Line Items');
  expect(procore.calls).toHaveLength(1);
  expect(await mirror.pendingIds()).toEqual([]);
});

test('a child of an unknown parent is found by walking parents, those with news first; its parent is refreshed', async () => {
  await mirror.hear('RFIs', [1, 2]);
  procore.answer = (path) => ({ body: { id: Number(path.split('/').at(-1)) } });
  await run('RFIs');
  await mirror.hear('RFI Replies', [21]);
  await mirror.hear('RFIs', [2]);
  procore.calls = [];
  procore.answer = (path) => ({ body: path.includes('/rfis/2/') ? [{ id: 21 }, { id: 22 }] : [] });
  await run('RFI Replies');
  expect(procore.calls).toHaveLength(1);
  expect(await mirror.rows('rfi_replies', 'id, rfi_id')).toMatchObject([{ rfi_id: '2' }, { rfi_id: '2' }]);
  expect(await mirror.pendingIds()).toEqual(['2']);
});

test('parents nobody told us of are taken from the listing', async () => {
  await mirror.hear('Drawings', [31]);
  procore.answer = (path) => {
    if (path.endsWith('/drawing_areas')) return { body: [{ id: 8 }, { id: 9 }] };
    return { body: path.includes('/9/') ? [{ id: 31, title: 'Roof' }] : [] };
  };
  await run('Drawings');
  expect(await mirror.rows('drawings', 'drawing_area_id, title')).toMatchObject([
    { drawing_area_id: '9', title: 'Roof' },
  ]);
});

test('a drawing that moved to another area is looked for before anything is concluded', async () => {
  await mirror.hear('Drawings', [31]);
  let area = '8';
  procore.answer = (path) => {
    if (path.endsWith('/drawing_areas')) return { body: [{ id: 8 }, { id: 9 }] };
    return { body: path.includes(`/${area}/`) ? [{ id: 31 }] : [] };
  };
  await run('Drawings');
  area = '9';
  await mirror.hear('Drawings', [31]);
  await run('Drawings');
  await run('Drawings');
  expect(await mirror.rows('drawings', 'drawing_area_id')).toEqual([
    { drawing_area_id: '9', deleted: false, hidden: false },
  ]);
});

test('v2 answers come out of their wrapper, over all pages', async () => {
  await mirror.hear('Change Order Change Reasons', ['1', '2'], { project_id: '' });
  procore.answer = (_, query) => {
    const isLast = query.get('page') === '2';
    const link: Record<string, string> = isLast
      ? {}
      : { link: '</rest/v2.0/companies/1/change_order_change_reasons?page=2&per_page=100>; rel="next"' };
    return { body: { data: [{ id: isLast ? '2' : '1' }] }, headers: { total: '2', ...link } };
  };
  await run('Change Order Change Reasons', null);
  expect((await mirror.rows('change_order_change_reasons')).map(({ id }) => id)).toEqual(['1', '2']);
});

test('a listing that changed while it was read concludes nothing but what a delete event named', async () => {
  await mirror.hear('Change Order Change Reasons', ['3'], { project_id: '', reason: 'delete' });
  await mirror.hear('Change Order Change Reasons', ['4'], { project_id: '' });
  procore.answer = () => ({ body: { data: [{ id: '1' }] }, headers: { total: String(2 + procore.calls.length) } });
  for (let runs = 0; runs < 3; runs += 1) {
    await run('Change Order Change Reasons', null);
    await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  }
  expect(await mirror.pendingIds()).toEqual(['4']);
  expect(await mirror.rows('change_order_change_reasons')).toMatchObject([{ id: '1' }, { id: '3', deleted: true }]);
});

test('an edited person is refreshed in every project, and needs no project in the event', async () => {
  await mirror.hear('Project Users', [4], { project_id: '7' });
  await mirror.hear('Project Users', [4], { project_id: '8' });
  procore.answer = () => ({ body: { id: 4, name: 'Ann' } });
  await run('Project Users', '7');
  await run('Project Users', '8');
  await mirror.hear('Company Users', [4], { project_id: '' });
  const { rows: news } = await mirror.database.pool.query(
    'select resource, project_id from mirror.pending order by 1, 2',
  );
  expect(news).toEqual([
    { resource: 'Company Users', project_id: null },
    { resource: 'Project Users', project_id: '7' },
    { resource: 'Project Users', project_id: '8' },
  ]);
});

test('an id beyond 2^53 and a decimal of thirty digits are stored digit for digit', async () => {
  await mirror.hear('Purchase Order Contracts', ['9007199254740993']);
  const text =
    '{"id": 9007199254740993, "grand_total": "123456789012345678901234567.890", "extra": 0.1234567890123456789}';
  procore.answer = () => ({ text });
  await run('Purchase Order Contracts');
  const [row] = await mirror.rows('purchase_order_contracts', `id, grand_total, _data ->> 'extra' as extra`);
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
  await migrateDatabase({ url: mirror.url, tables: loaded.tables });
  const own = { ...mirror.settings, catalogue: loaded };
  const body = { id: 'OWN1', timestamp: new Date().toISOString(), reason: 'create', company_id: '1', project_id: '7' };
  const text = JSON.stringify({ ...body, resource_type: 'Site Instructions', resource_id: '5' });
  const delivery = { body: Buffer.from(text), receivedAt: new Date() };
  await recordDelivery({ ...own, selection: { companyIds: null, resources: null } }, delivery);
  procore.answer = (where) =>
    where.endsWith('/projects/7/instructions/5') ? { body: { id: 5, title: 'Dig' } } : { status: 404 };
  const batch = { companyId: '1', projectId: '7', resource: 'Site Instructions', lane: 'live' } as const;
  expect(await fetchBatch(own, batch, AbortSignal.timeout(30_000))).toMatchObject({ outcome: 'done', stored: 1 });
  expect(await mirror.rows('site_instructions', 'id, title')).toEqual([
    { id: '5', title: 'Dig', deleted: false, hidden: false },
  ]);
});

test('quotes go with the RFQ that was deleted: they send no delete of their own', async () => {
  const contract = '/rest/v1.0/work_order_contracts';
  const isRfqs = (path: string, query: URLSearchParams) =>
    path === '/rest/v1.0/rfqs' && query.get('contract_id') === '3';
  procore.answer = (path, query) => {
    if (path === contract) return { body: [{ id: 3 }] };
    if (path.endsWith('_contracts')) return { body: [] };
    if (isRfqs(path, query)) return { body: [{ id: 4 }] };
    if (path === '/rest/v1.0/rfqs/4' && query.get('contract_id') === '3') return { body: { id: 4 } };
    if (path === '/rest/v1.0/rfqs/4/quotes' && query.get('contract_id') === '3')
      return { body: [{ id: 5, amount: '1' }] };
    return { status: 404 };
  };
  await mirror.hear('RFQ Quotes', [5]);
  expect(await run('RFQ Quotes')).toMatchObject({ outcome: 'done', stored: 2 }); // and the RFQ, which the walk passed
  await mirror.hear('RFQs', [4]);
  expect(await run('RFQs')).toMatchObject({ outcome: 'done' });
  expect(await mirror.rows('rfqs', 'id, contract_id')).toEqual([
    { id: '4', contract_id: '3', deleted: false, hidden: false },
  ]);
  procore.answer = () => ({ status: 404 });
  await mirror.hear('RFQs', [4], { reason: 'delete' });
  await run('RFQs');
  expect(await mirror.rows('rfqs')).toEqual([{ id: '4', deleted: true, hidden: false }]);
  expect(await mirror.rows('rfq_quotes')).toEqual([{ id: '5', deleted: true, hidden: false }]);
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
  procore.answer = (path) => {
    if (path.endsWith('/meetings')) return { body: [{ group_title: 'June', meetings: [{ id: 2 }] }] };
    return path.endsWith('/meetings/2') ? { body: meeting([6, 7]) } : { status: 404 };
  };
  await mirror.hear('Meeting Topics', [6]);
  expect(await run('Meeting Topics')).toMatchObject({ outcome: 'done' });
  expect(await mirror.rows('meeting_attendees', 'id, meeting_id')).toMatchObject([{ id: '8', meeting_id: '2' }]);
  expect(await mirror.rows('meeting_topics', 'id, meeting_id')).toEqual([
    { id: '6', meeting_id: '2', deleted: false, hidden: false },
    { id: '7', meeting_id: '2', deleted: false, hidden: false },
  ]);
  const before = procore.answer;
  procore.answer = (path, query) => (path.endsWith('/meetings/2') ? { body: meeting([7]) } : before(path, query));
  await mirror.hear('Meeting Topics', [6], { reason: 'delete' });
  await run('Meeting Topics');
  expect((await mirror.rows('meeting_topics')).map(({ deleted }) => deleted)).toEqual([true, false]);
});

test('a list that names parents saves looking through them', async () => {
  procore.answer = (path, query) => {
    if (path.endsWith('/potential_change_orders')) {
      return { body: idsOf(query).map((id) => ({ id: Number(id), contract_id: 3 })) };
    }
    const isShown = path.endsWith('/potential_change_orders/9') && query.get('contract_id') === '3';
    return isShown ? { body: { id: 9, contract_id: 3, title: 'more steel' } } : { status: 404 };
  };
  await mirror.hear('Potential Change Orders', [9]);
  expect(await run('Potential Change Orders')).toMatchObject({ outcome: 'done', stored: 1 });
  expect(procore.calls).toHaveLength(2);
  expect(await mirror.rows('potential_change_orders', 'id, contract_id, title')).toMatchObject([
    { id: '9', contract_id: '3', title: 'more steel' },
  ]);
});

test('a parent that a list named for its child is refreshed, too, and the list is not asked again', async () => {
  let isUp = false;
  procore.answer = (path) => {
    if (path.endsWith('/direct_costs/line_items')) return { body: [{ id: 9, holder: { id: 3 } }] };
    if (!isUp) return { status: 500 };
    return path.endsWith('/direct_costs/3/line_items/9') ? { body: { id: 9, amount: '1.00' } } : { status: 404 };
  };
  await mirror.hear('Direct Cost Line Items', [9]);
  expect(await run('Direct Cost Line Items')).toMatchObject({ outcome: 'done', stored: 0 });
  expect(await mirror.pendingIds()).toEqual(['3', '9']);
  await mirror.database.pool.query(`delete from mirror.pending where record_id = '3'`);
  await mirror.hear('Direct Cost Line Items', [9]);
  expect(await mirror.pendingIds()).toEqual(['3', '9']);
  isUp = true;
  procore.calls.length = 0;
  await mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
  expect(await run('Direct Cost Line Items')).toMatchObject({ outcome: 'done', stored: 1 });
  expect(procore.calls).toHaveLength(1);
  expect(await mirror.pendingIds()).toEqual(['3']);
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
  procore.answer = (path, query) => {
    if (path.includes('/rfis/')) return { text: record(3) };
    if (path.includes('change_events')) return { text: record(4, `,"change_items":[${line}]`) };
    return { text: `[${idsOf(query).map((id) => record(Number(id)))}]` };
  };
  await mirror.hear('Locations', [1, 2]);
  await mirror.hear('RFIs', [3]);
  await mirror.hear('Change Events', [4]);
  for (const resource of ['Locations', 'RFIs', 'Change Events']) {
    expect(await run(resource)).toMatchObject({ outcome: 'done' });
  }
  expect(await mirror.rows('locations', 'name')).toMatchObject([{ name: 'place 1' }, { name: 'place 2' }]);
  expect(await mirror.rows('rfis')).toMatchObject([{ id: '3', deleted: false, hidden: false }]);
  expect(await mirror.rows('change_events')).toMatchObject([{ id: '4', deleted: false, hidden: false }]);
  expect(await mirror.pendingIds()).toEqual([]);
});
