// Procore answers what was not asked for, the same again, or a list that moves while it is read: right rows or none.
import { catalogue } from '@procore-mirror/catalogue';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from '../testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());
beforeEach(async () => {
  await mirror.clear();
  await mirror.database.pool.query('update mirror.budget set remaining = 1000000');
  procore.calls = [];
});

const shownId = (path: string) => /\/(\d+)$/.exec(path)?.[1];
const ready = () => mirror.database.pool.query('update mirror.pending set ready_at = now(), not_before = null');
const COMPANY = { projectId: null };

/** All records in pages of a hundred, whatever the query asks for. */
function everything(path: string, query: URLSearchParams, ids: readonly number[], fields: object = {}) {
  const page = Number(query.get('page') ?? 1);
  const isLast = page * 100 >= ids.length;
  const link = `<${path}?page=${page + 1}>; rel="next"`;
  return {
    body: ids.slice((page - 1) * 100, page * 100).map((id) => ({ id, ...fields })),
    headers: { total: String(ids.length), 'per-page': '100', ...(!isLast && { link }) },
  };
}
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test('a list of many pages that ignores its filter costs one call, and those it did not bring are shown', async () => {
  await mirror.hear('Locations', [5, 205]);
  procore.answer = (path, query) =>
    shownId(path) === undefined ? everything(path, query, upTo(250)) : { body: { id: Number(shownId(path)) } };
  await mirror.run('Locations');
  expect(procore.calls).toHaveLength(2);
  expect((await mirror.rows('locations')).map(({ id }) => id)).toEqual(['5', '205']);
});

test('a thin list that ignores its filter refreshes those asked for only, and proves nothing', async () => {
  await mirror.database.pool.query('update mirror.budget set remaining = 0');
  await mirror.hear('RFIs', [2, 300]);
  procore.answer = (path, query) => everything(path, query, upTo(250), { subject: 'thin' });
  await mirror.run('RFIs');
  expect(await mirror.rows('rfis', 'id, _complete')).toMatchObject([{ id: '2', _complete: false }]);
  expect(await mirror.pendingIds()).toEqual(['2', '300']);
});

test('without a show, what a list that ignores its filter left to later pages is found there', async () => {
  await mirror.hear('Drawing Areas', [205, 999]);
  procore.answer = (path, query) => everything(path, query, upTo(250));
  await mirror.run('Drawing Areas');
  expect(await mirror.rows('drawing_areas')).toContainEqual({ id: '205', deleted: false, hidden: false });
});

test('a list that names parents of others, too, leads to those asked for only', async () => {
  await mirror.hear('Potential Change Orders', [9]);
  procore.answer = (path, query) =>
    shownId(path) === undefined
      ? everything(path, query, upTo(20), { contract_id: 3 })
      : { body: { id: Number(shownId(path)), contract_id: 3 } };
  await mirror.run('Potential Change Orders');
  expect(procore.calls).toHaveLength(2);
  expect(await mirror.rows('potential_change_orders')).toEqual([{ id: '9', deleted: false, hidden: false }]);
});

test('a list that ignores its dates gets as many pages as there are records wanted, then they are shown', async () => {
  await mirror.hear('Notes Logs', [1001, 1002, 1003]);
  let next = 0;
  procore.answer = (path) => {
    if (shownId(path) !== undefined) return { body: { id: Number(shownId(path)), date: '2026-06-01' } };
    next += 1;
    return { body: [{ id: next, date: '2020-01-01' }], headers: { link: `<${path}?page=${next}>; rel="next"` } };
  };
  await mirror.run('Notes Logs');
  expect(procore.calls).toHaveLength(6);
  const rows = await mirror.rows('notes_logs', 'id, date::text');
  expect(rows.filter(({ date }) => date === '2026-06-01')).toHaveLength(3);
  expect(rows.every(({ hidden, deleted }) => !hidden && !deleted)).toBe(true);
  expect(await mirror.pendingIds()).toEqual([]);
});

test.each([
  ['the same page under new links', (page: number) => `?page=${page + 1}`],
  ['a link to itself', () => '?page=2'],
])('a listing that repeats itself ends and proves nothing: %s', async (_, next) => {
  await mirror.hear('Change Order Change Reasons', [1], { project_id: '' });
  await mirror.hear('Change Order Change Reasons', [3], { project_id: '', reason: 'delete' });
  procore.answer = (path, query) => ({
    body: { data: [{ id: '1' }] },
    headers: { link: `<${path}${next(Number(query.get('page') ?? 1))}>; rel="next"` },
  });
  const { error } = await mirror.run('Change Order Change Reasons', COMPANY);
  expect(String(error)).toContain('list');
  expect(procore.calls.length).toBeLessThanOrEqual(3);
  expect(await mirror.rows('change_order_change_reasons')).toEqual([{ id: '1', deleted: false, hidden: false }]);
  expect(await mirror.pendingIds()).toEqual(['3']);
});

test('a listing that shifts while it is read proves nothing; read again at rest it does', async () => {
  await mirror.hear('Change Order Change Reasons', [101], { project_id: '' });
  let isMoving = true;
  procore.answer = (path, query) => {
    const ids = isMoving && !query.has('page') ? upTo(150) : upTo(150).filter((id) => id !== 5);
    const { body, headers } = everything(path, query, ids);
    return { body: { data: body }, headers };
  };
  await mirror.run('Change Order Change Reasons', COMPANY);
  expect(await mirror.pendingIds()).toEqual(['101']);
  expect(await mirror.rows('change_order_change_reasons', 'id::int')).not.toContainEqual(
    expect.objectContaining({ hidden: true }),
  );
  isMoving = false;
  await ready();
  await mirror.run('Change Order Change Reasons', COMPANY);
  expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '101', deleted: false, hidden: false });
  expect(await mirror.pendingIds()).toEqual([]);
});

test('what several pages lack is looked for once more before it is hidden: no count tells of every shift', async () => {
  await mirror.hear('Change Order Change Reasons', [999], { project_id: '' });
  procore.answer = (path, query) => {
    const { body, headers } = everything(path, query, upTo(150));
    return { body: { data: body }, headers };
  };
  await mirror.run('Change Order Change Reasons', COMPANY);
  expect(await mirror.pendingIds()).toEqual(['999']);
  await ready();
  await mirror.run('Change Order Change Reasons', COMPANY);
  expect(await mirror.rows('change_order_change_reasons')).toContainEqual({ id: '999', deleted: false, hidden: true });
  expect(await mirror.pendingIds()).toEqual([]);
});

test.each(['RFIs', 'Locations', 'Notes Logs', 'RFI Replies', 'Trades'])(
  'with a wrong path everything is 404: no row of %s is buried or loses anything, and all come back',
  async (resource) => {
    const { table, scope } = catalogue.get(resource);
    const change = scope === 'company' ? { project_id: '' } : {};
    const where = scope === 'company' ? COMPANY : {};
    const isParent = (path: string) => path.endsWith('/rfis');
    const right = (path: string) => {
      if (isParent(path)) return { body: [{ id: 40 }] };
      const id = shownId(path);
      return {
        body: id === undefined ? upTo(3).map((one) => ({ id: one, name: 'kept' })) : { id: Number(id), name: 'kept' },
      };
    };
    procore.answer = right;
    await mirror.hear(resource, [1, 2, 3], change);
    await mirror.run(resource, where);
    const read = () => mirror.rows(table.name, `id, _data ->> 'name' as name`);
    expect(await read()).toMatchObject([{ name: 'kept' }, { name: 'kept' }, { name: 'kept' }]);
    procore.answer = () => ({ status: 404 });
    await mirror.hear(resource, [1, 2], change);
    for (let runs = 0; runs < 3; runs += 1) {
      await ready();
      await mirror.run(resource, where);
    }
    expect((await read()).map(({ name, deleted }) => ({ name, deleted }))).toEqual(
      upTo(3).map(() => ({ name: 'kept', deleted: false })),
    );
    procore.answer = right;
    await mirror.hear(resource, [1, 2], change);
    await ready();
    await mirror.run(resource, where);
    expect(await read()).toEqual(
      upTo(3).map((id) => ({ id: String(id), name: 'kept', deleted: false, hidden: false })),
    );
  },
);
