// A migration beside readers that take their time.
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import type pg from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openSampleMirror, sampleTables } from '../testing/sample-mirror.ts';
import { migrateDatabase } from './migrate-database.ts';
import { readMigrations } from './migration-ledger.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const ofTomorrow = {
  name: '9999_of-tomorrow',
  hash: 'of tomorrow',
  statements: ['alter table procore.rfis add column of_tomorrow text'],
};

async function aMirror(version?: 'postgres18' | 'postgres15'): Promise<TestDatabase> {
  const server = await createTestDatabase(version);
  closing.push(server.drop);
  await migrateDatabase({ url: server.url, tables: [] });
  return server;
}

/** A session with a transaction that has read this table, and stays open. */
async function aReader({ pool }: TestDatabase, table: string): Promise<{ pid: number; end: () => Promise<unknown> }> {
  const client = await pool.connect();
  closing.push(async () => client.release(true));
  await client.query(`set application_name = 'a slow report'; set statement_timeout = '30s'`);
  await client.query('begin');
  await client.query(`select 'a secret in a query' from ${table}`);
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  return { pid: rows[0]?.pid ?? 0, end: () => client.query('commit') };
}

const hasColumn = async (pool: pg.Pool) =>
  (await pool.query(`select from pg_attribute where attrelid = 'procore.rfis'::regclass and attname = 'of_tomorrow'`))
    .rowCount === 1;

function migrateToTomorrow({ url }: TestDatabase, options: { lockWaitMs?: number } = {}) {
  const lines: string[] = [];
  const done = migrateDatabase({
    ...options,
    url,
    tables: [],
    migrations: [...readMigrations(), ofTomorrow],
    onProgress: (line) => lines.push(line),
  });
  done.catch(() => {});
  return { lines, done };
}

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test('while a long query is in the way others read on, it is told who it is, and the migration follows', async () => {
    const server = await aMirror(version);
    const reader = await aReader(server, 'procore.rfis');
    const { lines, done } = migrateToTomorrow(server);
    await vi.waitFor(() => expect(lines).not.toEqual([]), 30_000);
    expect(lines[0]).toMatch(
      new RegExp(`process ${reader.pid} \\(a slow report, role \\w+, since 20.*\\) is in the way`),
    );
    expect(lines.join()).not.toContain('a secret');
    const other = await server.pool.connect();
    await other.query(`set lock_timeout = '10s'`);
    for (let round = 0; round < 3; round += 1) await other.query('select from procore.rfis');
    other.release(true);
    expect(await hasColumn(server.pool)).toBe(false);
    await reader.end();
    expect(await done).toEqual({ applied: [ofTomorrow.name] });
    expect(await hasColumn(server.pool)).toBe(true);
    expect(lines.filter((line) => line === `applied ${ofTomorrow.name}`)).toHaveLength(1);
  });
});

test('one that does not get its locks in time changes nothing and says what to do', async () => {
  const server = await aMirror();
  const reader = await aReader(server, 'procore.rfis');
  const { done } = migrateToTomorrow(server, { lockWaitMs: 1 });
  const error: Error = await done.then(
    () => new Error('it went through'),
    (caught) => caught,
  );
  expect(error.message).toMatch(/nothing was changed/);
  expect(error.message).toContain(`process ${reader.pid} (a slow report`);
  expect(error.message).toContain(`pg_terminate_backend(${reader.pid})`);
  expect(error.message).toContain('pnpm mirror migrate');
  expect(error.message).not.toContain('a secret');
  expect(await hasColumn(server.pool)).toBe(false);
  await reader.end();
  expect(await migrateToTomorrow(server).done).toEqual({ applied: [ofTomorrow.name] });
});

describe('a migration with nothing to do', () => {
  async function sampleMirror() {
    const mirror = await openSampleMirror();
    closing.push(mirror.close);
    return mirror;
  }
  const again = async (url: string) => {
    const lines: string[] = [];
    await migrateDatabase({ url, tables: sampleTables, lockWaitMs: 1, onProgress: (line) => lines.push(line) });
    return lines;
  };

  test('waits for nobody, and nobody waits for it', async () => {
    const { test: server } = await sampleMirror();
    const other = await server.pool.connect();
    closing.push(async () => other.release(true));
    // Conflicts with every lock but that of a plain select; the tables of the view are locked along with it.
    await other.query('begin; lock table mirror.freshness in exclusive mode');
    const functions = `select oid, xmin from pg_proc where pronamespace = 'mirror'::regnamespace order by oid`;
    const { rows: before } = await server.pool.query(functions);
    expect(await again(server.url)).toEqual([]);
    expect((await server.pool.query(functions)).rows).toEqual(before);
  });

  const view = `select pg_get_viewdef('mirror.freshness'::regclass) as state`;
  test.each([
    ['the view that somebody dropped', 'drop view mirror.freshness', view],
    [
      'the view that somebody changed',
      `create or replace view mirror.freshness as select null::bigint as company_id, null::bigint as project_id,
        'none' as resource, null::bigint as rows, null::timestamptz as last_event_at, null::timestamptz as last_fetch_at,
        null::timestamptz as oldest_pending_at, null::bigint as pending, null::bigint as calls_last_hour,
        null::bigint as events_last_day, null::bigint as calls_for_events_last_day, null::numeric as calls_per_event,
        null::timestamptz as left_at, null::text as completeness,
        null::timestamptz as proved_at, null::text as proof, null::timestamptz as complete_until`,
      view,
    ],
    [
      'a function that somebody dropped',
      'drop function mirror.windows_of',
      `select pg_get_functiondef('mirror.windows_of'::regproc) as state`,
    ],
    [
      'a function that somebody changed, with what depends on it',
      `create table procore.of_a_tool (id bigint, name text generated always as (mirror.merge_detail('{}', '{}') ->> 'a') stored);
      alter function mirror.merge_detail cost 7`,
      `select pg_get_functiondef('mirror.merge_detail'::regproc) as state`,
    ],
    [
      'a comment',
      `comment on column procore.notes.title is 'mine'; comment on schema procore is null`,
      `select array[col_description('procore.notes'::regclass, 5), obj_description('procore'::regnamespace)] as state`,
    ],
    [
      'a right of readers',
      `revoke select on procore.notes from procore_reader; revoke usage on schema mirror from procore_reader;
      alter default privileges in schema procore revoke select on tables from procore_reader;
      grant execute on function mirror.date_or_null to public; revoke select on mirror.freshness from procore_reader`,
      `select array[has_table_privilege('procore_reader', 'procore.notes', 'select'),
        has_schema_privilege('procore_reader', 'mirror', 'usage'), exists (select from pg_default_acl),
        has_table_privilege('procore_reader', 'mirror.freshness', 'select'),
        not has_function_privilege('procore_reader', 'mirror.date_or_null(text)', 'execute')] as state`,
    ],
  ])('still brings back %s', async (_, change, question) => {
    const { test: server } = await sampleMirror();
    const state = async () => (await server.pool.query(question)).rows;
    const before = await state();
    await server.pool.query(change);
    expect(await state().catch(() => null)).not.toEqual(before);
    await again(server.url);
    expect(await state()).toEqual(before);
    const { rows } = await server.pool.query(
      `select has_table_privilege('procore_reader', 'mirror.freshness', 'select') as reads,
        obj_description('mirror.freshness'::regclass) is not null as told`,
    );
    expect(rows).toEqual([{ reads: true, told: true }]);
  });
});
