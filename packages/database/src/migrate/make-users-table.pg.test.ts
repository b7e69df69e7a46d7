import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../connection/open-database.ts';
import { type MirroredTable, OWN_COLUMNS } from '../schema/mirrored-table.ts';
import { createMigratedDatabase } from '../testing/migrated-database.ts';
import { checkDatabase } from './check-database.ts';
import { migrateDatabase } from './migrate-database.ts';

let server: TestDatabase;
let database: ReturnType<typeof openDatabase>;
beforeAll(async () => {
  server = await createMigratedDatabase([], 'postgres15');
  database = openDatabase({ url: server.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const slats: MirroredTable = {
  name: 'slats',
  resource: 'Slats',
  scope: 'project',
  idType: 'bigint',
  idRepeatsAcrossProjects: false,
  parentKey: 'crate_id',
  columns: [{ name: 'width', type: 'numeric', note: 'in inches' }],
  isUsers: true,
};

async function migrate(table: MirroredTable): Promise<string[]> {
  const lines: string[] = [];
  await migrateDatabase({ url: server.url, tables: [table], onProgress: (line) => lines.push(line) });
  return lines;
}

async function columns(): Promise<string[]> {
  const { rows } = await server.pool.query(
    `select column_name from information_schema.columns where table_schema = 'procore' and table_name = 'slats' order by ordinal_position`,
  );
  return rows.map((row) => row.column_name);
}

test('a process refuses to start without the table, and says what to run', async () => {
  await expect(checkDatabase(database, [slats])).rejects.toThrow(
    'the database lacks procore.slats: run `pnpm mirror migrate`',
  );
});

test('the table is made, with its indexes and comments; again, nothing happens', async () => {
  expect(await migrate(slats)).toEqual(['made procore.slats']);
  expect(await columns()).toEqual([
    ...['company_id', 'project_id', 'id', 'crate_id', 'width'],
    ...OWN_COLUMNS.map(({ name }) => name),
  ]);
  const { rows } = await server.pool.query(`select indexname from pg_indexes where tablename = 'slats' order by 1`);
  expect(rows.map((row) => row.indexname)).toEqual(['slats_parent', 'slats_pkey', 'slats_project']);
  const comment = await server.pool.query(`select col_description('procore.slats'::regclass, 5) as text`);
  expect(comment.rows[0].text).toContain('in inches');
  expect(await migrate(slats)).toEqual([]);
  await checkDatabase(database, [slats]);
});

test('a new column is added, one that is no longer named stays', async () => {
  const wider = { ...slats, columns: [{ name: 'length', type: 'bigint' as const }] };
  await expect(checkDatabase(database, [wider])).rejects.toThrow('procore.slats.length');
  expect(await migrate(wider)).toEqual(['added to procore.slats: length']);
  expect(await columns()).toEqual(expect.arrayContaining(['width', 'length']));
});

test.each<[string, Partial<MirroredTable>, string]>([
  ['a column of another type', { columns: [{ name: 'width', type: 'text' }] }, 'width is numeric and not text'],
  ['another key', { idRepeatsAcrossProjects: true }, 'its key is company_id, id'],
])('%s is refused, and nothing is changed', async (_, change, problem) => {
  const before = await columns();
  await expect(migrate({ ...slats, ...change })).rejects.toThrow(problem);
  expect(await columns()).toEqual(before);
});
