import { afterAll, beforeAll, expect, test } from 'vitest';
import { countRows, findParentIds, listIds } from './look-up.ts';
import { markAbsent } from './mark-absent.ts';
import { badges, notes, openSampleMirror, type SampleMirror } from './sample-mirror.ts';
import { inTransaction } from './transaction.ts';

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
      records: [{ id: '3', parentId: null, bury: true }],
    }),
  );
});
afterAll(() => mirror.close());

test('parents are found for records of the scope, absent ones too; ids that fit no row find nothing', async () => {
  const ids = ['1', '2', '3', '4', '99', 'ULID', '99999999999999999999'];
  expect(await findParentIds(mirror.database.pool, notes, '1', '2', ids)).toEqual(
    new Map([
      ['1', '71'],
      ['3', '72'],
    ]),
  );
  expect(await findParentIds(mirror.database.pool, badges, '1', null, ['A'])).toEqual(new Map());
});

test('live rows of a scope are counted', async () => {
  expect(await countRows(mirror.database.pool, notes, '1', '2')).toBe(3);
  expect(await countRows(mirror.database.pool, notes, '1', '77')).toBe(0);
  expect(await countRows(mirror.database.pool, badges, '1', null)).toBe(2);
});

test('ids of live rows are listed, those fetched last first, up to a limit', async () => {
  expect(await listIds(mirror.database.pool, notes, '1', '2', 10)).toEqual(['5', '2', '1']);
  expect(await listIds(mirror.database.pool, notes, '1', '2', 1)).toEqual(['5']);
  expect(await listIds(mirror.database.pool, badges, '1', null, 10)).toEqual(['B', 'A']);
});

test('a project resource is not looked up without its project', async () => {
  await expect(countRows(mirror.database.pool, notes, '1', null)).rejects.toThrow(RangeError);
});
