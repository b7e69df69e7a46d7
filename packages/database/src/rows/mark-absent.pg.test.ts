import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inTransaction } from '../connection/transaction.ts';
import { badges, notes, openSampleMirror, type SampleMirror } from '../testing/sample-mirror.ts';
import { type Absence, markAbsent } from './mark-absent.ts';

let mirror: SampleMirror;
let nextId = 1;
beforeAll(async () => {
  mirror = await openSampleMirror();
});
afterAll(() => mirror.close());

const freshId = () => String(nextId++);

function mark(absence: Pick<Absence, 'records' | 'version'> & Partial<Absence>) {
  return inTransaction(mirror.database, (client) =>
    markAbsent(client, { table: notes, companyId: '1', projectId: '2', ...absence }),
  );
}

const absent = (id: string, bury: boolean) => ({ id, parentId: null, bury, hasNews: true });
const store = (id: string, version: string, title = `v${version}`) =>
  mirror.store({ json: `{"id": ${id}, "title": "${title}"}`, version });

describe('marks', () => {
  test('a record that is deleted for certain is buried, another is hidden; both keep their last state', async () => {
    const [a, b] = [freshId(), freshId()];
    await mirror.store({ json: `[{"id": ${a}, "title": "a"}, {"id": ${b}, "title": "b"}]`, version: '1' });
    const counts = await mark({ version: '2', records: [absent(a, true), absent(b, false)] });
    expect(counts).toMatchObject({ buried: 1, hidden: 1, stale: 0 });
    expect(await mirror.row(notes, a)).toMatchObject({
      _deleted_at: expect.any(String),
      _hidden_at: null,
      title: 'a',
      _version: '2',
    });
    expect(await mirror.row(notes, b)).toMatchObject({ _deleted_at: null, _hidden_at: expect.any(String), title: 'b' });
  });

  test('keep the time they were first set', async () => {
    const [a, b] = [freshId(), freshId()];
    await mark({ version: '1', records: [absent(a, true), absent(b, false)] });
    const before = [await mirror.row(notes, a), await mirror.row(notes, b)];
    await mark({ version: '2', records: [absent(a, true), absent(b, false)] });
    const after = [await mirror.row(notes, a), await mirror.row(notes, b)];
    expect(after.map((row) => [row?._deleted_at, row?._hidden_at])).toEqual(
      before.map((row) => [row?._deleted_at, row?._hidden_at]),
    );
    expect(after[0]?._version).toBe('2');
  });

  test('a tombstone is not hidden; a hidden record can be buried', async () => {
    const [a, b] = [freshId(), freshId()];
    await mark({ version: '1', records: [absent(a, true), absent(b, false)] });
    await mark({ version: '2', records: [absent(a, false), absent(b, true)] });
    expect(await mirror.row(notes, a)).toMatchObject({ _deleted_at: expect.any(String), _hidden_at: null });
    expect(await mirror.row(notes, b)).toMatchObject({ _deleted_at: expect.any(String) });
  });

  test('are cleared by a later fetch that shows the record again', async () => {
    const id = freshId();
    await mark({ version: '1', records: [absent(id, true)] });
    await mark({ version: '2', records: [absent(id, false)] });
    await store(id, '3');
    expect(await mirror.row(notes, id)).toMatchObject({ _deleted_at: null, _hidden_at: null, title: 'v3' });
  });

  test('on a record never seen leave a row of keys, so that a slower, older fetch does not bring it in', async () => {
    const id = freshId();
    await mark({ version: '9', records: [{ ...absent(id, true), parentId: '44' }] });
    const { records } = await store(id, '8');
    expect(records[0]?.stored).toBe(false);
    expect(await mirror.row(notes, id)).toMatchObject({ survey_id: '44', title: null, _data: null, _version: '9' });
  });

  test('of an older fetch than the row comes from are stale', async () => {
    const id = freshId();
    await store(id, '5');
    expect(await mark({ version: '4', records: [absent(id, true)] })).toMatchObject({ buried: 0, hidden: 0, stale: 1 });
    expect(await mirror.row(notes, id)).toMatchObject({ _deleted_at: null });
  });

  test('of one project do not touch a record that has moved to another', async () => {
    const id = freshId();
    await mirror.store({ json: `{"id": ${id}}`, projectId: '3', version: '1' });
    expect(await mark({ version: '2', projectId: '2', records: [absent(id, true)] })).toMatchObject({ stale: 1 });
    expect(await mirror.row(notes, id)).toMatchObject({ project_id: '3', _deleted_at: null, _version: '1' });
  });

  test('skip ids that the table cannot hold, and take an id that comes twice once', async () => {
    const id = freshId();
    const records = ['01KKEZ6PX3AZJ38KKBX6RYEJSW', '9223372036854775808', '-1', '007', '', id, id].map((one) =>
      absent(one, true),
    );
    expect(await mark({ version: '1', records })).toMatchObject({ buried: 1, hidden: 0, stale: 0 });
    expect(await mark({ version: '2', records: [{ ...absent(id, true), parentId: 'no id' }] })).toMatchObject({
      buried: 1,
    });
    expect(await mark({ version: '1', records: [] })).toMatchObject({ buried: 0, hidden: 0, stale: 0 });
  });

  test('work on text ids of company resources, and name the newest event', async () => {
    await mirror.database.pool.query(
      `insert into mirror.pending (company_id, resource, record_id, event_id, ready_at) values (1, $1, 'ULID-1', 'EVENT', now())`,
      [badges.resource],
    );
    await mark({ table: badges, projectId: null, version: '1', records: [absent('ULID-1', true)] });
    expect(await mirror.row(badges, 'ULID-1')).toMatchObject({ _deleted_at: expect.any(String), _event_id: 'EVENT' });
  });
});

test('whatever the order in which fetches arrive, the row ends in the state of the newest', async () => {
  const step = fc.constantFrom('store', 'bury', 'hide');
  const history = fc
    .array(step, { minLength: 1, maxLength: 6 })
    .chain((steps) =>
      fc.tuple(fc.constant(steps), fc.shuffledSubarray([...steps.keys()], { minLength: steps.length })),
    );
  await fc.assert(
    fc.asyncProperty(history, async ([steps, order]) => {
      const id = freshId();
      for (const at of order) {
        const version = String(at + 1);
        if (steps[at] === 'store') await store(id, version);
        else await mark({ version, records: [absent(id, steps[at] === 'bury')] });
      }
      const row = await mirror.row(notes, id);
      const newest = steps.at(-1);
      expect(row?._version).toBe(String(steps.length));
      expect(row?._deleted_at === null && row._hidden_at === null).toBe(newest === 'store');
      if (newest === 'store') expect(row?.title).toBe(`v${steps.length}`);
      if (newest === 'bury') expect(row?._deleted_at).not.toBeNull();
    }),
    { numRuns: 80 },
  );
});
