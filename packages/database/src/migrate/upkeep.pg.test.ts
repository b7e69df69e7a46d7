// What a migration leaves to the workers, and that one of them at a time takes it.
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../connection/open-database.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { createMigratedDatabase } from '../testing/migrated-database.ts';
import { migrateDatabase } from './migrate-database.ts';
import { readMigrations } from './migration-ledger.ts';
import { claimUpkeep, endUpkeep, renewUpkeep } from './upkeep.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aMirror(): Promise<TestDatabase> {
  const server = await createMigratedDatabase([], 'postgres15');
  closing.push(server.drop);
  return server;
}

async function migrate({ url }: TestDatabase, ...files: string[][]) {
  const later = files.map((statements, index) => ({ name: `999${index}`, hash: `${statements}`, statements }));
  return migrateDatabase({ url, tables: [], migrations: [...readMigrations(), ...later] });
}

const aRow = (id: number) =>
  `insert into procore.rfis (company_id, project_id, id, number, _version) values (1, 7, ${id}, '${id}', 1)`;
const left = async ({ pool }: TestDatabase) =>
  (
    await pool.query(
      'select name, kind, table_name, statement from mirror.upkeep where done_at is null order by position',
    )
  ).rows;
const indexes = async ({ pool }: TestDatabase, name: string) =>
  (await pool.query('select from pg_indexes where indexname = $1', [name])).rowCount;

const anIndex = 'CREATE INDEX "rfis_number" ON "procore"."rfis" USING btree ("number");';

describe('an index', () => {
  test('of a table with rows is left to the workers', async () => {
    const server = await aMirror();
    await server.pool.query(aRow(1));
    const statements = [anIndex, 'CREATE UNIQUE INDEX "rfis_one" ON "procore"."rfis" ("company_id", "id")'];
    await migrate(server, statements);
    expect(await left(server)).toEqual([
      { name: 'procore.rfis_number', kind: 'index', table_name: 'rfis', statement: anIndex },
      expect.objectContaining({ name: 'procore.rfis_one', kind: 'index' }),
    ]);
    expect(await indexes(server, 'rfis_number')).toBe(0);
    await migrate(server, statements);
    expect(await left(server)).toHaveLength(2);
  });

  test('of a table without rows, or of one that the same migration makes, is made at once', async () => {
    const server = await aMirror();
    await migrate(server, [
      anIndex,
      'CREATE TABLE "mirror"."later" ("id" bigint);',
      'insert into mirror.later values (1)',
      'CREATE INDEX "later_id" ON "mirror"."later" USING btree ("id");',
    ]);
    expect(await left(server)).toEqual([]);
    expect([await indexes(server, 'rfis_number'), await indexes(server, 'later_id')]).toEqual([1, 1]);
  });

  test('that a later migration drops is forgotten, whether it was made meanwhile or not', async () => {
    const server = await aMirror();
    await server.pool.query(aRow(1));
    const drop = 'DROP INDEX "procore"."rfis_number";';
    await migrate(server, [anIndex], [drop]);
    expect(await left(server)).toEqual([]);
    await migrate(server, [anIndex], [drop], ['select 1', anIndex]);
    expect(await left(server)).toHaveLength(1);
    await migrate(server, [anIndex], [drop], ['select 1', anIndex], ['select 2', drop]);
    expect(await left(server)).toEqual([]);
    await expect(migrate(server, ['select 3', drop])).rejects.toThrow('newer');
  });

  test('is made at once on the way to the version that has workers for it', async () => {
    const server = await createTestDatabase('postgres15');
    closing.push(server.drop);
    const at = readMigrations().findIndex(({ name }) => name.endsWith('_upkeep'));
    const before = readMigrations().slice(0, at);
    await migrateDatabase({ url: server.url, tables: [], migrations: before });
    await server.pool.query(aRow(1));
    const file = { name: '9990', hash: 'x', statements: [anIndex] };
    await migrateDatabase({ url: server.url, tables: [], migrations: [...before, file] });
    expect(await indexes(server, 'rfis_number')).toBe(1);
  });

  test('of an operator’s table that holds rows is left to the workers, too', async () => {
    const server = await aMirror();
    const slats: MirroredTable = {
      ...{ name: 'slats', resource: 'Slats', scope: 'project', idType: 'bigint', idRepeatsAcrossProjects: false },
      ...{ parentKey: null, columns: [], isUsers: true },
    };
    await migrateDatabase({ url: server.url, tables: [slats] });
    await server.pool.query('insert into procore.slats (company_id, project_id, id, _version) values (1, 7, 1, 1)');
    const again = () => migrateDatabase({ url: server.url, tables: [{ ...slats, parentKey: 'crate_id' }] });
    await again();
    await again();
    expect(await left(server)).toEqual([expect.objectContaining({ name: 'procore.slats_parent', kind: 'index' })]);
    await server.pool.query('update mirror.upkeep set done_at = now()');
    await again(); // somebody dropped the index
    expect(await left(server)).toHaveLength(1);
  });
});

test('a filling of a table with rows is left to the workers, and done where there are none', async () => {
  const server = await aMirror();
  const filling = (name: string, table: string) => `-- filling: ${name}\nupdate ${table} set raw = raw where false`;
  await server.pool.query(`insert into mirror.dead_letters (id, reason, raw) values ('1', 'not_json', '{')`);
  await migrate(server, [filling('letters', 'mirror.dead_letters'), filling('events', 'mirror.events')]);
  expect(await left(server)).toEqual([
    expect.objectContaining({ name: 'letters', kind: 'filling', table_name: 'dead_letters' }),
  ]);
});

describe('of several workers', () => {
  test('one at a time takes what is due, first what was left first; what fails waits ever longer', async () => {
    const server = await aMirror();
    await server.pool.query(aRow(1));
    await migrate(server, [anIndex, anIndex.replaceAll('number', 'subject')]);
    const database = openDatabase({ url: server.url, applicationName: 'test' });
    closing.push(() => database.close());
    const leaseMs = 60_000;
    const claims = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (holder) => ({
        holder,
        upkeep: await claimUpkeep(database, { holder, leaseMs }),
      })),
    );
    const taken = claims.filter(({ upkeep }) => upkeep !== null);
    expect(taken.map(({ upkeep }) => upkeep?.name)).toEqual(['procore.rfis_number']);
    const { holder = '', upkeep } = taken[0] ?? {};
    if (!upkeep) throw new Error('nobody took it');
    expect(await renewUpkeep(database, upkeep, { holder, leaseMs })).toBe(true);
    expect(await renewUpkeep(database, upkeep, { holder: 'somebody else', leaseMs })).toBe(false);

    await endUpkeep(database, upkeep, { holder, error: 'no room' });
    const next = await claimUpkeep(database, { holder: 'b', leaseMs });
    expect(next?.name).toBe('procore.rfis_subject');
    if (next === null) throw new Error('nothing was left');
    await endUpkeep(database, next, { holder: 'b', error: null });
    expect(await claimUpkeep(database, { holder: 'b', leaseMs })).toBeNull();
    const { rows } = await server.pool.query(
      `select failures, last_error, next_try_at > now() as waits from mirror.upkeep where done_at is null`,
    );
    expect(rows).toEqual([{ failures: 1, last_error: 'no room', waits: true }]);

    await server.pool.query('update mirror.upkeep set next_try_at = now()');
    expect((await claimUpkeep(database, { holder: 'a', leaseMs }))?.name).toBe('procore.rfis_number');
    expect(await claimUpkeep(database, { holder: 'b', leaseMs })).toBeNull();
    await server.pool.query('update mirror.upkeep set lease_until = now()'); // its worker was killed
    expect((await claimUpkeep(database, { holder: 'b', leaseMs }))?.name).toBe('procore.rfis_number');
    await endUpkeep(database, upkeep, { holder: 'a', error: null }); // too late to count
    expect(await left(server)).toHaveLength(1);
  });
});
