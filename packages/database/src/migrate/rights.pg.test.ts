// A role that may do less than an owner of the database: it is told what to have granted, or gets along.
import { randomBytes } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { DatabaseVersionError } from '../errors.ts';
import { openSampleMirror, sampleTables } from '../testing/sample-mirror.ts';
import { checkDatabase } from './check-database.ts';
import { migrateDatabase } from './migrate-database.ts';
import { readMigrations } from './migration-ledger.ts';
import { grantReader } from './reader-role.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A role that may connect and make nothing. */
async function aRole({ pool, url }: TestDatabase): Promise<{ role: string; url: string }> {
  const role = `plain_${randomBytes(6).toString('hex')}`;
  const database = new URL(url).pathname.slice(1);
  await pool.query(
    `create role ${role} login password 'plain password'; revoke create on database ${database} from public, ${role}`,
  );
  closing.push(() => pool.query(`drop owned by ${role} cascade; drop role ${role}`));
  return { role, url: Object.assign(new URL(url), { username: role, password: 'plain password' }).href };
}

async function aServer(version?: 'postgres18' | 'postgres15'): Promise<TestDatabase> {
  const server = await createTestDatabase(version);
  closing.push(server.drop);
  await server.pool.query(`do $$ begin create role procore_reader nologin;
    exception when duplicate_object or unique_violation then null; end $$`);
  return server;
}

async function migrate(url: string): Promise<string[]> {
  const lines: string[] = [];
  await migrateDatabase({ url, tables: [], onProgress: (line) => lines.push(line) });
  return lines.filter((line) => !line.startsWith('applied'));
}

async function check(url: string, tables = sampleTables.slice(0, 0)): Promise<void> {
  const database = openDatabase({ url, applicationName: 'test' });
  await checkDatabase(database, tables).finally(() => database.close());
}

const problemOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it went through',
    (error: unknown) => (error instanceof DatabaseVersionError ? error.message : `another error: ${error}`),
  );

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test('a role that may make no schemas is told what to run, and then it migrates', async () => {
    const server = await aServer(version);
    const { role, url } = await aRole(server);
    const problem = await problemOf(migrate(url));
    expect(problem).toContain(`user ${role} may not make schemas`);
    const [, sql = ''] = /`(create schema [^`]*mirror[^`]*)`/.exec(problem) ?? [];
    expect(problem).toContain(`create schema bullmq authorization ${role}`);
    await server.pool.query(sql);
    expect(await migrate(url)).toEqual([]);
    expect(await migrate(url)).toEqual([]);
    await check(url);
    const { rows } = await server.pool.query(
      `select has_schema_privilege('procore_reader', 'procore', 'usage') and has_table_privilege('procore_reader', 'procore.rfis', 'select') as reads`,
    );
    expect(rows).toEqual([{ reads: true }]);
  });
});

test('schemas of an administrator do, if the role may make tables in them; it says what it cannot grant', async () => {
  const server = await aServer();
  const { role, url } = await aRole(server);
  await server.pool.query('create schema procore; create schema mirror');
  const owner = (await server.pool.query('select current_user as name')).rows[0]?.name;
  expect(await problemOf(migrate(url))).toMatch(
    new RegExp(
      `user ${role} may not make tables in mirror, which belongs to ${owner}.*grant usage, create on schema mirror, procore to ${role}`,
    ),
  );
  await server.pool.query(`grant usage, create on schema mirror, procore to ${role}`);
  expect(await migrate(url)).toEqual([
    expect.stringContaining('`grant usage on schema procore, mirror to procore_reader`'),
  ]);
  await server.pool.query('grant usage on schema procore, mirror to procore_reader');
  expect(await migrate(url)).toEqual([]);
  await check(url);
});

test('nobody may call what does more than he may, whether there is a role of readers or not', async () => {
  const server = await aServer();
  const { role, url } = await aRole(server);
  await server.pool.query(`create schema procore authorization ${role}; create schema mirror authorization ${role}`);
  await migrate(url);
  await server.pool.query(`grant execute on all functions in schema mirror to public`);
  const lines: string[] = [];
  const database = openDatabase({ url, applicationName: 'test' });
  await inTransaction(database, (client) =>
    grantReader(client, 'readers_that_are_missing', (line) => lines.push(line)),
  );
  await database.close();
  expect(lines).toEqual([expect.stringContaining('role readers_that_are_missing is missing')]);
  const { rows } = await server.pool.query(
    `select proname from pg_proc where pronamespace = 'mirror'::regnamespace and has_function_privilege('public', oid, 'execute')`,
  );
  expect(rows).toEqual([]);
});

test('a table of another role is named, and nothing is changed', async () => {
  const server = await aServer();
  const { role, url } = await aRole(server);
  await server.pool.query(`create schema procore authorization ${role}; create schema mirror authorization ${role}`);
  await migrate(url);
  const owner = (await server.pool.query('select current_user as name')).rows[0]?.name;
  await server.pool.query(
    'alter table mirror.events owner to current_user; create table procore.of_another_tool (id int)',
  );
  expect(await problemOf(migrate(url))).toMatch(
    new RegExp(`mirror\\.events belongs to ${owner}, and user ${role} .*alter table mirror\\.events owner to ${role}`),
  );
  await server.pool.query(
    `alter table mirror.events owner to ${role}; alter function mirror.date_or_null owner to current_user`,
  );
  expect(await problemOf(migrate(url))).toContain(`alter function mirror.date_or_null(text) owner to ${role}`);
  await server.pool.query(`alter function mirror.date_or_null owner to ${role}`);
  expect(await migrate(url)).toEqual([]);
});

test('a process whose role may not use the tables does not start, and says what to run', async () => {
  const mirror = await openSampleMirror();
  closing.push(mirror.close);
  const { test: server } = mirror;
  const { role, url } = await aRole(server);
  const owner = (await server.pool.query('select current_user as name')).rows[0]?.name;
  const start = () => problemOf(check(url, sampleTables));
  expect(await start()).toMatch(
    new RegExp(`user ${role} may not use schema \\w+, which belongs to ${owner}.*grant usage on schema`),
  );
  await server.pool.query(`grant usage on schema mirror, procore to ${role}`);
  await server.pool.query(`grant select on all tables in schema mirror, procore to ${role}`);
  const problem = await start();
  expect(problem).toMatch(new RegExp(`user ${role} may not use \\w+\\.\\w+ .* belongs to ${owner}`));
  const [, sql = ''] = /`(grant [^`]*)`/.exec(problem) ?? [];
  await server.pool.query(sql);
  expect(await start()).toBe('it went through');
  await server.pool.query(`revoke update on procore.notes from ${role}`);
  expect(await start()).toContain('procore.notes');
});

test('what somebody else keeps in our schemas is none of our business', async () => {
  const server = await aServer();
  const { role, url } = await aRole(server);
  await server.pool.query(`create schema procore authorization ${role}; create schema mirror authorization ${role}`);
  await migrate(url);
  await server.pool.query(`create table mirror.events_backup as select * from mirror.events;
    create view mirror.of_somebody as select 1 as one; create function mirror.admin_fn() returns int language sql as 'select 1';
    create type mirror.mood as enum ('good'); create sequence mirror.counter; create table procore.of_a_tool (company_id text)`);
  await check(url, []);
  expect(await migrate(url)).toEqual([]);
});

test('what a superuser or a member of the role migrates belongs to the owner of the rest', async () => {
  const server = await aServer();
  const { role, url } = await aRole(server);
  await server.pool.query(`create schema procore authorization ${role}; create schema mirror authorization ${role}`);
  await migrate(url);
  const statements = ['CREATE TABLE "mirror"."later" ("id" bigint);', 'CREATE TABLE "procore"."later" ("id" bigint);'];
  const later = { name: '9990', hash: 'later', statements };
  await migrateDatabase({ url: server.url, tables: [], migrations: [...readMigrations(), later] });
  const { rows } = await server.pool.query(
    `select distinct pg_get_userbyid(relowner)::text as owner from pg_class where relname = 'later'`,
  );
  expect(rows).toEqual([{ owner: role }]);
});
