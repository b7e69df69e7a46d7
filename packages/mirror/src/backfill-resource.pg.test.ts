// Backfills against a scripted Procore of thin lists: what a page carries is there at once, the shows follow.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { backfillResource } from './backfill-resource.ts';
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

const thin = (id: number, change = {}) => ({ id, subject: `subject ${id}`, ...change });
const whole = (id: number, change = {}) => ({ ...thin(id, change), draft: true });
const idOf = (path: string) => Number(/\/(\d+)$/.exec(path)?.[1]);
const isShow = (path: string) => /\/\d+$/.test(path);

/** Pages of a hundred, as Procore counts them. */
function page(path: string, query: URLSearchParams, ids: readonly number[]) {
  const number = Number(query.get('page') ?? 1);
  const next = `<${path}?page=${number + 1}&per_page=100>; rel="next"`;
  return {
    body: ids.slice((number - 1) * 100, number * 100).map((id) => thin(id)),
    headers: { total: String(ids.length), 'per-page': '100', ...(number * 100 < ids.length && { link: next }) },
  };
}

const rfis = Array.from({ length: 250 }, (_, index) => index + 1);
const fill = (resource = 'RFIs') =>
  backfillResource(
    mirror.settings,
    { companyId: '1', projectId: '7', resource },
    { signal: AbortSignal.timeout(30_000), now: new Date() },
  );

async function pending(): Promise<unknown[]> {
  const { rows } = await mirror.database.pool.query(
    `select record_id, listed_generation = generation as listed from mirror.pending
      order by record_id::bigint`,
  );
  return rows;
}

test('after one call a page all rows are there with what the list carries, and the shows that complete them follow', async () => {
  procore.answer = (path, query) => (isShow(path) ? { body: whole(idOf(path)) } : page(path, query, rfis));
  expect(await fill()).toEqual({ stored: 0, pending: 250 });
  expect(procore.calls).toHaveLength(3);
  const rows = await mirror.rows('rfis', 'id::int, subject, draft, _complete');
  expect(rows).toHaveLength(250);
  expect(rows[249]).toMatchObject({ id: 250, subject: 'subject 250', draft: null, _complete: false });
  expect(new Set((await pending()).map((row) => JSON.stringify({ ...Object(row), record_id: 0 })))).toEqual(
    new Set(['{"record_id":0,"listed":true}']),
  );
  procore.calls = [];
  for (let runs = 0; runs < 5; runs += 1) await mirror.run('RFIs', { lane: 'backfill' });
  expect(procore.calls.every((path) => isShow(path))).toBe(true);
  expect(procore.calls).toHaveLength(250);
  expect(await pending()).toEqual([]);
  expect((await mirror.rows('rfis', 'draft, _complete')).every(({ draft, _complete }) => draft && _complete)).toBe(
    true,
  );
});

test('a second fill leaves alone what waits already, and loses no detail of what was complete', async () => {
  await mirror.hear('RFIs', [2]);
  procore.answer = (path, query) => (isShow(path) ? { body: whole(idOf(path)) } : page(path, query, [1, 2, 3]));
  await fill();
  await fill();
  expect(await pending()).toEqual([
    { record_id: '1', listed: true },
    { record_id: '2', listed: null },
    { record_id: '3', listed: true },
  ]);
  await mirror.run('RFIs');
  await mirror.run('RFIs', { lane: 'backfill' });
  await fill();
  expect(await mirror.rows('rfis', 'id::int, draft, _complete')).toMatchObject([
    { id: 1, draft: true, _complete: false },
    { id: 2, draft: true, _complete: false },
    { id: 3, draft: true, _complete: false },
  ]);
  expect(await pending()).toHaveLength(3);
});

test('a show that a fill overtook completes nothing, so the record is shown again', async () => {
  await mirror.hear('RFIs', [1]);
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked = () => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  procore.answer = async (path, query) => {
    if (!isShow(path)) return page(path, query, [1]);
    asked();
    await held;
    return { body: whole(1, { subject: 'before' }) };
  };
  const slow = mirror.run('RFIs');
  await isAsked;
  await fill();
  release();
  await slow;
  expect(await mirror.rows('rfis', 'subject, _complete')).toMatchObject([{ subject: 'subject 1', _complete: false }]);
  expect(await mirror.pendingIds()).toEqual(['1']);
  await mirror.run('RFIs');
  expect(await mirror.rows('rfis', 'subject, draft, _complete')).toMatchObject([{ draft: true, _complete: true }]);
  expect(await mirror.pendingIds()).toEqual([]);
});

test('records that a list shows in groups are marked, to be fetched', async () => {
  procore.answer = () => ({ body: [{ group_title: 'June', meetings: [{ id: 2 }, { id: 3 }] }] });
  expect(await fill('Meetings')).toEqual({ stored: 0, pending: 2 });
  expect(await pending()).toMatchObject([{ record_id: '2', listed: null }, { record_id: '3' }]);
});

test('children that a list of the whole project names parents of are pending with their parents', async () => {
  procore.answer = () => ({ body: [thin(5, { holder: { id: 9 } })] });
  await fill('Direct Cost Line Items');
  const { rows } = await mirror.database.pool.query('select record_id, parent_id from mirror.pending');
  expect(rows).toEqual([{ record_id: '5', parent_id: '9' }]);
  expect(await mirror.rows('direct_cost_line_items', 'id, _complete')).toMatchObject([{ id: '5', _complete: false }]);
});

test('a listing that changes while it is read is read again, and what it left out the first time comes', async () => {
  const left = rfis.filter((id) => id !== 5);
  let readings = 0;
  procore.answer = (path, query) => {
    const isFirstPage = !query.has('page');
    readings += isFirstPage ? 1 : 0;
    // Record 5 goes away after the first page, so record 101 is on none.
    return page(path, query, readings === 1 && isFirstPage ? rfis : left);
  };
  expect(await fill()).toEqual({ stored: 0, pending: 249 });
  expect(readings).toBe(2);
  expect(new Set(await mirror.pendingIds())).toEqual(new Set(rfis.map(String)));
});

test('a listing whose Total changes without pause ends after three readings with what came', async () => {
  let total = 250;
  procore.answer = (path, query) => {
    total += 1;
    const { headers, body } = page(path, query, rfis);
    return { body, headers: { ...headers, total: String(total) } };
  };
  expect(await fill()).toEqual({ stored: 0, pending: 250 });
  expect(procore.calls).toHaveLength(12);
  expect(await mirror.rows('rfis')).toHaveLength(250);
});

test.each(['RFIs', 'Locations'])('a list of %s that shows the same page for ever ends', async (resource) => {
  procore.answer = (path, query) => {
    const next = `<${path}?page=${Number(query.get('page') ?? 1) + 1}>; rel="next"`;
    return { body: [thin(1), thin(2)], headers: { link: next } };
  };
  await expect(fill(resource)).rejects.toMatchObject({ issues: ['a page holds only records of the pages before it'] });
  expect(procore.calls).toHaveLength(2);
});

const parkedScopes = async () =>
  (await mirror.database.pool.query('select company_id, resource, reason from mirror.scopes')).rows;
const fourFills = async () => {
  for (const resource of ['RFIs', 'Submittals', 'Locations', 'Punch Items']) {
    await fill(resource).catch(() => {});
  }
};

test('resources that refuse are the trouble of nobody else', async () => {
  procore.answer = (path) => (path.endsWith('/me') ? { body: { id: 5 } } : { status: 403 });
  await fourFills();
  expect(await parkedScopes()).toEqual([]);
});

test.each([
  [403, 'not_connected'],
  [500, 'failing'],
])('a company that answers nothing but %i is parked after three fills', async (status, reason) => {
  procore.answer = () => ({ status });
  await fourFills();
  expect(await parkedScopes()).toEqual([{ company_id: '1', resource: null, reason }]);
});

test('records that are open or lately changed are completed first, whatever the order of the list', async () => {
  const old = { updated_at: '2019-05-01T00:00:00Z' };
  const listed = [
    thin(1, { status: 'closed', ...old }),
    thin(2, { status: 'open', ...old }),
    thin(3, { status: 'void', ...old }),
    thin(4, { status: 'closed', updated_at: new Date().toISOString() }),
    thin(5, { status: 'closed', ...old }),
  ];
  procore.answer = (path) => ({ body: isShow(path) ? whole(idOf(path)) : listed });
  await fill();
  procore.calls = [];
  await mirror.hear('RFIs', [5]);
  await mirror.run('RFIs');
  await mirror.run('RFIs', { lane: 'backfill' });
  expect(procore.calls.map(idOf)).toEqual([5, 2, 4, 1, 3]);
});

const company = (resource: string) =>
  backfillResource(
    mirror.settings,
    { companyId: '1', projectId: null, resource },
    { signal: AbortSignal.timeout(30_000), now: new Date(), onEnd: ({ notes }) => told.push(...notes) },
  );
const told: string[] = [];

test.each(['Company Users', 'Company Vendors'])(
  '%s who are inactive come from a list of their own',
  async (resource) => {
    procore.answer = (path, query) => page(path, query, path.endsWith('/inactive') ? [3] : [1, 2]);
    expect(await company(resource)).toEqual({ stored: 0, pending: 3 });
    expect(procore.calls).toHaveLength(2);
    expect(await mirror.pendingIds()).toEqual(['1', '2', '3']);
  },
);

test.each([
  ['404', { status: 404 }],
  ['403', { status: 403 }],
  ['nonsense', { body: { hello: 'there' } }],
])('where that is answered with %s it is done without', async (_, answer) => {
  told.splice(0);
  procore.answer = (path, query) => (path.endsWith('/inactive') ? answer : page(path, query, [1, 2]));
  expect(await company('Company Users')).toEqual({ stored: 0, pending: 2 });
  expect(told).toHaveLength(1);
});
