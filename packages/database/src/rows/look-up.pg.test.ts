import { afterAll, beforeAll, expect, test } from 'vitest';
import { inTransaction } from '../connection/transaction.ts';
import { badges, notes, openSampleMirror, type SampleMirror } from '../testing/sample-mirror.ts';
import { countRows, countRowsPerDay, findDays, findParentIds, listIds } from './look-up.ts';
import { markAbsent } from './mark-absent.ts';

let mirror: SampleMirror;
beforeAll(async () => {
  mirror = await openSampleMirror();
  await mirror.store({ json: '[{"id": 1, "survey_id": 71}, {"id": 2}, {"id": 3, "survey_id": 72}]', version: '1' });
  await mirror.store({ json: '[{"id": 4, "survey_id": 73}]', projectId: '9', version: '1' });
  await mirror.store({ json: '[{"id": 5}]', version: '1' });
  await mirror.store({ table: badges, projectId: null, json: '[{"id": "A"}, {"id": "B"}]', version: '1' });
  await inTransaction(mirror.database, (client) =>
    markAbsent(client, {
      table: notes,
      companyId: '1',
      projectId: '2',
      version: '2',
      records: [{ id: '3', parentId: null, bury: true, hasNews: true }],
    }),
  );
});
afterAll(() => mirror.close());

test('parents are found for records, absent ones and those of another project too; ids that fit no row find nothing', async () => {
  const ids = ['1', '2', '3', '4', '99', 'ULID', '99999999999999999999'];
  expect(await findParentIds(mirror.database.pool, { table: notes, companyId: '1', projectId: '2' }, ids)).toEqual(
    new Map([
      ['1', '71'],
      ['3', '72'],
      ['4', '73'],
    ]),
  );
  expect(await findParentIds(mirror.database.pool, { table: badges, companyId: '1', projectId: null }, ['A'])).toEqual(
    new Map(),
  );
});

test('live rows of a scope are counted', async () => {
  expect(await countRows(mirror.database.pool, { table: notes, companyId: '1', projectId: '2' })).toBe(3);
  expect(await countRows(mirror.database.pool, { table: notes, companyId: '1', projectId: '77' })).toBe(0);
  expect(await countRows(mirror.database.pool, { table: badges, companyId: '1', projectId: null })).toBe(2);
});

test('ids of live rows are listed, those fetched last first, up to a limit', async () => {
  expect(await listIds(mirror.database.pool, { table: notes, companyId: '1', projectId: '2' }, 10)).toEqual([
    '5',
    '2',
    '1',
  ]);
  expect(await listIds(mirror.database.pool, { table: notes, companyId: '1', projectId: '2' }, 1)).toEqual(['5']);
  expect(await listIds(mirror.database.pool, { table: badges, companyId: '1', projectId: null }, 10)).toEqual([
    'B',
    'A',
  ]);
});

test('the days of records are found, and how many live rows a day has', async () => {
  const { pool } = mirror.database;
  const place = { table: notes, companyId: '1', projectId: '12', day: 'due_date' };
  expect(await countRowsPerDay(pool, place)).toBe(0);
  const json = `[{"id": 11, "due_date": "2026-06-30"}, {"id": 12, "due_date": "2026-06-30"},
    {"id": 13, "due_date": "2026-07-02"}, {"id": 14, "due_date": "soon"}, {"id": 15, "due_date": "2026-07-02"}]`;
  await mirror.store({ json, projectId: '12', version: '1' });
  expect(await findDays(pool, place, ['11', '13', '14', '99', 'ULID'])).toEqual(
    new Map([
      ['11', '2026-06-30'],
      ['13', '2026-07-02'],
    ]),
  );
  expect(await countRowsPerDay(pool, place)).toBe(2.5);
});

test('a project resource is not looked up without its project', async () => {
  await expect(countRows(mirror.database.pool, { table: notes, companyId: '1', projectId: null })).rejects.toThrow(
    RangeError,
  );
});
