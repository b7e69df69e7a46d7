// Servers as administrators set them up: the way from a delivery to a row is the same on each.
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, migrateDatabase, openDatabase } from '@procore-mirror/database';
import { createTestDatabase, type System, startSystem, type TestDatabase } from '@procore-mirror/testing';
import { afterEach, expect, test } from 'vitest';
import { aBody, deliver } from './start-mirror.ts';

const patience = { timeout: 60_000, interval: 100 };
const { tables } = catalogue;
let cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
  cleanUps = [];
});

/** The whole product, its queue in the same Postgres, on a database that `prepare` has changed. */
async function mirrorOn(prepare: (database: TestDatabase, name: string) => Promise<string>) {
  const made = await createTestDatabase();
  cleanUps.push(() => made.drop());
  const url = await prepare(made, new URL(made.url).pathname.slice(1));
  await migrateDatabase({ url, tables });
  const database = openDatabase({ url, applicationName: 'test' });
  cleanUps.push(() => database.close());
  const system = await startSystem({ databaseUrl: url, queueUrl: url, projects: 1 });
  cleanUps.push(() => system.close());
  await system.startIngest();
  await system.startWorker();
  return { database, system, server: made };
}

type Made = { records: { id: string; companyId: string; projectId: string }[] };

async function deliverNews(system: System): Promise<string> {
  const create = { edits: [{ resource: 'RFIs', action: 'create' }] };
  const { records } = await system.control<Made>('POST', '/control/edits', create);
  const { id = '', companyId, projectId } = records[0] ?? {};
  const news = { company_id: companyId, project_id: projectId, resource_type: 'RFIs', resource_id: id };
  expect(await deliver(system, aBody(news))).toBe(204);
  return id;
}

async function expectRow({ pool }: Database, id: string): Promise<void> {
  const row = async () =>
    (
      await pool
        .query<{ created_at: string; data: string }>(
          `select created_at, _data ->> 'created_at' as data from procore.rfis where id = $1 and _complete`,
          [id],
        )
        .catch(() => ({ rows: [] }))
    ).rows[0];
  await expect.poll(row, patience).toBeDefined();
  const { created_at: column, data } = (await row()) ?? {};
  expect(new Date(column ?? '')).toEqual(new Date(data ?? '')); // whatever time zone the session would have
}

test('settings of a role that would change what statements mean, or end them, do no harm', async () => {
  const { database, system } = await mirrorOn(async ({ pool, url }, name) => {
    const settings = {
      search_path: 'trap',
      timezone: 'Asia/Kathmandu',
      datestyle: 'German, DMY',
      intervalstyle: 'sql_standard',
      statement_timeout: '2s',
      lock_timeout: '1ms',
      idle_in_transaction_session_timeout: '50ms',
      idle_session_timeout: '700ms',
      default_transaction_isolation: 'repeatable read',
      standard_conforming_strings: 'off',
      bytea_output: 'escape',
      extra_float_digits: '-10',
      synchronous_commit: 'off',
      quote_all_identifiers: 'on',
      default_transaction_deferrable: 'on',
    };
    for (const [setting, value] of Object.entries(settings)) {
      await pool.query(`alter database ${name} set ${setting} = ${setting === 'search_path' ? value : `'${value}'`}`);
    }
    // Names that statements might mean when they do not say which.
    await pool.query(`create schema trap; create table trap.events (id int); create table trap.rfis (id int);
      create function trap.now() returns timestamptz language sql as $$ select '2000-01-01'::timestamptz $$`);
    return url;
  });
  await expectRow(database, await deliverNews(system));
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // all that is idle has been ended meanwhile
  await expectRow(database, await deliverNews(system));
});

test('a database of ICU collation that knows another alphabet does no harm', async () => {
  const { database, system } = await mirrorOn(async ({ pool, url }, name) => {
    await pool.query(`create database ${name}_tr locale_provider icu icu_locale 'tr-TR' template template0`);
    cleanUps.push(() => pool.query(`drop database ${name}_tr with (force)`));
    return Object.assign(new URL(url), { pathname: `/${name}_tr` }).href;
  });
  await expectRow(database, await deliverNews(system));
});

test('a failover to a server that can only be read, and back, loses nothing', async () => {
  const { database, system, server } = await mirrorOn(async ({ url }) => url);
  const name = new URL(server.url).pathname.slice(1);
  const before = await deliverNews(system);
  await expectRow(database, before);
  const ending = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`;
  await server.pool.query(`alter database ${name} set default_transaction_read_only = on`);
  await server.pool.query(ending).catch(() => {});
  const meanwhile: string[] = [];
  for (let news = 0; news < 5; news += 1) meanwhile.push(await deliverNews(system));
  const back = `set default_transaction_read_only = off; alter database ${name} reset default_transaction_read_only`;
  await expect.poll(() => server.pool.query(back).then(() => 'back', String), patience).toBe('back');
  await server.pool.query(ending).catch(() => {});
  for (const id of meanwhile) await expectRow(database, id);
});
