import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogue, loadCatalogue } from '@procore-mirror/catalogue';
import { inTransaction, migrateDatabase, openDatabase, storeRecords } from '@procore-mirror/database';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

const resources = catalogue.mirrored.map(({ resource, table }) => ({ resource, table }));

let server: TestDatabase;
let database: ReturnType<typeof openDatabase>;
beforeAll(async () => {
  server = await createTestDatabase('postgres15');
  await migrateDatabase({ url: server.url, tables: resources.map(({ table }) => table) });
  database = openDatabase({ url: server.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const SAMPLES = {
  bigint: '562949953421312',
  text: '"some text"',
  boolean: 'true',
  numeric: '"1234567890123456789012.50"',
  date: '"2026-06-30"',
  timestamptz: '"2026-06-30T10:20:30Z"',
  jsonb: '{"id": 1}',
};

test('tables and columns of the operator are made and filled, whatever JavaScript or SQL make of their names', async () => {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'procore-mirror-tables-')), 'catalogue.json');
  const names = ['constructor', 'prototype', 'valueof', 'select', 'order', 'user', 'default', 'table', 'null', 'value'];
  const resourceNames = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'Select', 'Table', 'a'.repeat(55)];
  const entries = resourceNames.map((resource) => ({
    ...{ resource, scope: 'project', show: '/rest/v1.0/projects/{project_id}/crates/{id}' },
    columns: names.map((name) => ({ name, type: 'text' })),
  }));
  await writeFile(file, JSON.stringify(entries));
  const loaded = loadCatalogue(file);
  await rm(path.dirname(file), { recursive: true });
  await migrateDatabase({ url: server.url, tables: loaded.tables });
  const record = Object.fromEntries([['id', 7], ...names.map((name) => [name, `of ${name}`])]);
  for (const resource of resourceNames) {
    const { table } = loaded.get(resource);
    const json = Buffer.from(JSON.stringify([record]));
    await inTransaction(database, (client) =>
      storeRecords(client, {
        ...{ table, companyId: '1', projectId: '2', version: '1', json, wrapper: 'none', parentId: null, only: null },
      }),
    );
    const { rows } = await database.pool.query(`select * from procore."${table.name}"`);
    expect(rows, resource).toMatchObject([{ ...record, id: '7' }]);
  }
});

test.each(resources)('$resource are stored with every column', async ({ table }) => {
  const id = table.idType === 'bigint' ? '9007199254740993' : '01KKEZ6PX3AZJ38KKBX6RYEJSW';
  const fields = table.columns.map(({ name, type }) => `"${name}": ${SAMPLES[type]}`);
  const outcome = await inTransaction(database, (client) =>
    storeRecords(client, {
      table,
      companyId: '1',
      projectId: '2',
      version: '1',
      json: Buffer.from(`[{${[`"id": "${id}"`, ...fields].join(', ')}}]`),
      wrapper: 'none',
      parentId: table.parentKey === null ? null : '3',
      only: null,
    }),
  );
  expect(outcome).toMatchObject({ records: [{ id, stored: true }], unfit: 0 });
  const { rows } = await database.pool.query(`select * from procore.${table.name}`);
  const row = rows[0];
  for (const { name } of table.columns) expect(row[name], name).not.toBeNull();
  if (table.parentKey !== null) expect(row[table.parentKey]).toBe('3');
});
