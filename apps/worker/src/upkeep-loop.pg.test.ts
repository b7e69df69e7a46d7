// What migrations left is done, whatever happens to the workers meanwhile.
import { type Database, migrateDatabase, openDatabase, readMigrations } from '@procore-mirror/database';
import { createMigratedDatabase } from '@procore-mirror/database/testing';
import type { TestDatabase } from '@procore-mirror/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { startLoneWorker } from './lone-worker.fixture.ts';
import { startUpkeep } from './upkeep-loop.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const anIndex = 'CREATE INDEX "rfis_number" ON "procore"."rfis" USING btree ("number");';
const aUniqueIndex = 'CREATE UNIQUE INDEX "rfis_number" ON "procore"."rfis" ("number");';
const aFilling = `-- filling: subjects
update procore.rfis set subject = 'filled' where id in (select id from procore.rfis where subject is null limit 2)`;

async function leaving(statement: string, version?: 'postgres18' | 'postgres15') {
  const server = await createMigratedDatabase([], version);
  closing.push(server.drop);
  await server.pool.query(
    `insert into procore.rfis (company_id, project_id, id, number, _version) select 1, 7, n, n % 4, 1 from generate_series(1, 5) n`,
  );
  const later = { name: '9999', hash: 'x', statements: [statement] };
  await migrateDatabase({ url: server.url, tables: [], migrations: [...readMigrations(), later] });
  const database = openDatabase({ url: server.url, applicationName: 'test' });
  closing.push(() => database.close());
  return { server, database };
}

function aWorker(database: Database, { url }: TestDatabase, holder = 'a') {
  const lines: string[] = [];
  const note = (level: string) => (keys: object, text?: string) =>
    void lines.push(`${level} ${text} ${JSON.stringify(keys)}`);
  const log = { info: note('info'), warn: note('warn') } as never; // the loop uses no more of a log
  const loop = startUpkeep({ database, url, holder, log, leaseMs: 2_000, lookEveryMs: 50 });
  closing.push(loop.close);
  return { lines, loop };
}

const state = async ({ pool }: TestDatabase) =>
  (
    await pool.query(
      `select u.done_at is not null as done, (select i.indisvalid from pg_index i where i.indexrelid = to_regclass('procore.rfis_number')) as valid
        from mirror.upkeep u`,
    )
  ).rows[0];
const isMade = (server: TestDatabase) =>
  expect.poll(() => state(server), { timeout: 40_000 }).toEqual({ done: true, valid: true });
const builders = async ({ pool }: TestDatabase) =>
  (
    await pool.query(
      `select pid from pg_stat_activity where query ilike '%index concurrently%' and pid <> pg_backend_pid()`,
    )
  ).rows;
const isBuilding = (server: TestDatabase) => expect.poll(() => builders(server), { timeout: 20_000 }).toHaveLength(1);

/** A transaction that has seen the table: an index is not whole before it ends. */
async function anOldTransaction({ pool }: TestDatabase) {
  const client = await pool.connect();
  closing.push(async () => client.release(true));
  await client.query(
    `begin; insert into procore.rfis (company_id, project_id, id, number, _version) values (1, 7, 100, '100', 1)`,
  );
  return { end: () => client.query('commit') };
}

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test('an index is made beside writers, by one of several workers', async () => {
    const { server, database } = await leaving(anIndex, version);
    const writer = await anOldTransaction(server);
    const workers = ['a', 'b', 'c'].map((holder) => aWorker(database, server, holder));
    await isBuilding(server);
    await server.pool.query(`update procore.rfis set number = '9' where id = 1`);
    expect(await state(server)).toMatchObject({ done: false });
    await writer.end();
    await isMade(server);
    await expect
      .poll(() => workers.flatMap(({ lines }) => lines).filter((line) => line.includes('is done')))
      .toHaveLength(1);
    expect(workers.flatMap(({ lines }) => lines).filter((line) => line.includes('begins'))).toHaveLength(1);
    expect(workers.flatMap(({ lines }) => lines).filter((line) => line.startsWith('warn'))).toEqual([]);
  });
});

test('a worker that stops ends its statement, and the next one begins anew', async () => {
  const { server, database } = await leaving(anIndex);
  const writer = await anOldTransaction(server);
  const first = aWorker(database, server);
  await isBuilding(server);
  await first.loop.close();
  await expect.poll(() => builders(server)).toEqual([]);
  expect(first.lines.at(-1)).toContain('upkeep is stopped');
  expect(await state(server)).toEqual({ done: false, valid: false });
  const { rows } = await server.pool.query('select lease_holder, failures from mirror.upkeep');
  expect(rows).toEqual([{ lease_holder: null, failures: 0 }]);
  aWorker(database, server, 'b');
  await writer.end();
  await isMade(server);
});

test('what a worker that was killed left running is ended, and its broken index made anew', async () => {
  const { server, database } = await leaving(anIndex);
  const writer = await anOldTransaction(server);
  // Its session on the server goes on, and its lease runs out.
  const dead = openDatabase({
    url: server.url,
    applicationName: 'procore-mirror upkeep',
    max: 1,
    statementTimeoutMs: 0,
  });
  closing.push(() => dead.close());
  await server.pool.query(`update mirror.upkeep set lease_holder = 'dead', lease_until = now() + interval '1 second'`);
  const ended = dead.pool.query(anIndex.replace('INDEX', 'INDEX concurrently')).catch((error: Error) => error.message);
  await isBuilding(server);
  aWorker(database, server, 'b');
  expect(await ended).toMatch(/terminat/);
  await writer.end();
  await isMade(server);
});

test('an index that cannot be made is told, kept for later, and made when it can', async () => {
  const { server, database } = await leaving(aUniqueIndex);
  const { lines } = aWorker(database, server);
  await expect.poll(() => lines.some((line) => line.startsWith('warn upkeep failed'))).toBe(true);
  await expect.poll(() => state(server)).toEqual({ done: false, valid: false });
  const { rows } = await server.pool.query(
    'select failures, last_error, next_try_at > now() as waits from mirror.upkeep',
  );
  expect(rows).toEqual([{ failures: 1, last_error: expect.stringContaining('rfis_number'), waits: true }]);
  await server.pool.query('update procore.rfis set number = id; update mirror.upkeep set next_try_at = now()');
  await isMade(server);
});

test('a filling is repeated until it touches no row', async () => {
  const { server, database } = await leaving(aFilling);
  aWorker(database, server);
  await expect.poll(async () => (await state(server))?.done, { timeout: 20_000 }).toBe(true);
  const { rows } = await server.pool.query(
    `select (select count(*)::int from procore.rfis where subject = 'filled') as filled, rows::int from mirror.upkeep`,
  );
  expect(rows).toEqual([{ filled: 5, rows: 5 }]);
});

test('what a later migration took away is done with', async () => {
  const { server, database } = await leaving(anIndex);
  await server.pool.query('drop view mirror.freshness; alter table procore.rfis drop column number');
  const { lines } = aWorker(database, server);
  await expect.poll(async () => (await state(server))?.done, { timeout: 20_000 }).toBe(true);
  await expect.poll(() => lines.at(-1)).toContain('"outcome":"needless"');
});

test('a worker process that is killed leaves it to the next, and one that is told to end does so with a statement under way', async () => {
  const { server } = await leaving(anIndex);
  await server.pool.query(`delete from mirror.migrations where name = '9999'`); // the process knows its own only
  const aProcess = () => {
    const worker = startLoneWorker(server.url);
    closing.push(() => worker.end('SIGKILL'));
    return worker;
  };
  const writer = await anOldTransaction(server);
  const killed = aProcess();
  await isBuilding(server);
  await killed.end('SIGKILL');
  const told = aProcess();
  await expect.poll(told.output, { timeout: 60_000 }).toContain('upkeep begins');
  await isBuilding(server);
  expect(await told.end('SIGTERM')).toBe(0);
  expect(told.output()).toContain('upkeep is stopped');
  aProcess();
  await writer.end();
  await isMade(server);
}, 120_000);
