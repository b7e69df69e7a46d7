import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from './open-database.ts';

let server: TestDatabase;
let database: Database;
const errors: Error[] = [];
beforeAll(async () => {
  server = await createTestDatabase();
  await server.pool.query(`do $$ begin
    execute format('alter database %I set timezone = ''Asia/Tokyo''', current_database());
    execute format('alter database %I set datestyle = ''SQL, DMY''', current_database());
  end $$`);
  database = openDatabase({ url: server.url, applicationName: 'the test', onError: (error) => errors.push(error) });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

test('what JavaScript would round comes back as text, times as ISO 8601 in UTC', async () => {
  const { rows } = await database.pool.query(`select 9007199254740993::bigint as bigint, 0.10::numeric as numeric,
    date '2026-02-01' as date, timestamptz '2026-02-01 10:00:00.123456+09' as timestamptz, timestamp '2026-02-01 10:00' as timestamp`);
  expect(rows[0]).toEqual({
    bigint: '9007199254740993',
    numeric: '0.10',
    date: '2026-02-01',
    timestamptz: '2026-02-01T01:00:00.123456Z',
    timestamp: '2026-02-01 10:00:00',
  });
});

test('a session has time-outs, and a name that operators see', async () => {
  const { rows } = await database.pool.query(`select current_setting('application_name') as name,
    current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`);
  expect(rows[0]).toEqual({ name: 'the test', statement: '1min', lock: '30s' });
});

test('connections that break while idle are replaced', async () => {
  await database.pool.query('select 1');
  await server.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'the test'`);
  await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(0);
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});
