import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { createMigratedDatabase } from '../testing/migrated-database.ts';
import { isMentioned, listNamedResources, listPlaces } from './known-places.ts';

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await createMigratedDatabase([]);
  database = openDatabase({ url: server.url, applicationName: 'test' });
  await database.pool.query(
    `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
       payload_version, raw, outcome)
     select concat_ws('/', c, r, n), c, 100 * c + n, 'R' || r, n, 'update', now(), now(), 'v4.0', '{}', 'ignored'
     from generate_series(1, 3) c, generate_series(1, 4) r, generate_series(1, 50) n`,
  );
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

test('each company and resource in the log is found once, however many events it has', async () => {
  expect(await listPlaces(database.pool)).toEqual(['1', '2', '3'].map((companyId) => ({ companyId, projectId: null })));
  expect(await listNamedResources(database.pool)).toEqual(['R1', 'R2', 'R3', 'R4']);
});

test('a project is mentioned where its events are, and nowhere else', async () => {
  expect(await isMentioned(database, { projectId: '207' })).toBe(true);
  expect(await isMentioned(database, { companyId: '2', projectId: '207' })).toBe(true);
  expect(await isMentioned(database, { companyId: '1', projectId: '207' })).toBe(false);
  expect(await isMentioned(database, { projectId: '251' })).toBe(false);
  expect(await isMentioned(database, { companyId: '4' })).toBe(false);
});

test('tables of other tools in the schema are passed over, whatever their columns are', async () => {
  await database.pool.query(
    'create table procore.of_a_tool (company_id text); create table procore.odd (company_id bigint)',
  );
  expect(await isMentioned(database, { companyId: '99' })).toBe(false);
});

test('a log that cannot be searched in time makes nothing unknown', async () => {
  const other = await database.pool.connect();
  await other.query('begin; lock mirror.events');
  expect(await isMentioned(database, { projectId: '251' })).toBe(true);
  await other.query('rollback');
  other.release();
  expect(await isMentioned(database, { projectId: '251' })).toBe(false);
});
