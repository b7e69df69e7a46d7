import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import type pg from 'pg';
import { afterAll, beforeAll, expect, expectTypeOf, test } from 'vitest';
import { type Database, openDatabase } from './open-database.ts';
import type { Queryable, Transaction } from './queryable.ts';
import { inTransaction } from './transaction.ts';

let server: TestDatabase;
let database: Database;
beforeAll(async () => {
  server = await createTestDatabase();
  database = openDatabase({ url: server.url, applicationName: 'test', max: 4 });
  await server.pool.query('create table counts (name text primary key, count int not null)');
  await server.pool.query(`insert into counts values ('a', 0), ('b', 0)`);
});
afterAll(async () => {
  await database.close();
  await server.drop();
});

const count = async (name: string) => {
  const { rows } = await database.pool.query('select count from counts where name = $1', [name]);
  return rows[0]?.count;
};

test('what work did is there when it resolves, and gone when it rejects', async () => {
  expect(
    await inTransaction(database, (client) => client.query(`insert into counts values ('kept', 1)`).then(() => 5)),
  ).toBe(5);
  const failing = inTransaction(database, async (client) => {
    await client.query(`insert into counts values ('lost', 1)`);
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  expect([await count('kept'), await count('lost')]).toEqual([1, undefined]);
  expect(database.pool.idleCount).toBe(database.pool.totalCount);
});

test('only inTransaction gives a transaction, which takes queries as the pool does', () => {
  expectTypeOf<Transaction>().toExtend<Queryable>();
  expectTypeOf<Database['pool']>().toExtend<Queryable>();
  expectTypeOf<Database['pool']>().not.toExtend<Transaction>();
  expectTypeOf<pg.PoolClient>().not.toExtend<Transaction>();
});

test('work that swallows a failed statement is not taken for committed', async () => {
  const swallowing = inTransaction(database, async (client) => {
    await client.query(`insert into counts values ('half', 1)`);
    await client.query('select 1 / 0').catch(() => {});
  });
  await expect(swallowing).rejects.toThrow('rolled back');
  expect(await count('half')).toBeUndefined();
});

test('two transactions that deadlock both get done', async () => {
  const bothHold = Promise.withResolvers<void>();
  let holding = 0;
  const addOne = (first: string, second: string) =>
    inTransaction(database, async (client) => {
      await client.query('update counts set count = count + 1 where name = $1', [first]);
      holding += 1;
      if (holding === 2) bothHold.resolve();
      await bothHold.promise;
      await client.query('update counts set count = count + 1 where name = $1', [second]);
    });
  await Promise.all([addOne('a', 'b'), addOne('b', 'a')]);
  expect(holding).toBeGreaterThan(2); // one had to give way, or both
  expect([await count('a'), await count('b')]).toEqual([2, 2]);
});

test('a conflict that does not end is given up after five attempts', async () => {
  let attempts = 0;
  const conflicting = inTransaction(database, async (client) => {
    attempts += 1;
    await client.query(`do $$ begin raise exception using errcode = '40001'; end $$`);
  });
  await expect(conflicting).rejects.toMatchObject({ code: '40001' });
  expect(attempts).toBe(5);
});

test('a connection that breaks in the middle fails the transaction only, and the pool goes on', async () => {
  const broken = inTransaction(database, async (client) => {
    const { rows } = await client.query('select pg_backend_pid() as pid');
    await server.pool.query('select pg_terminate_backend($1)', [rows[0].pid]);
    await client.query(`insert into counts values ('broken', 1)`);
  });
  await expect(broken).rejects.toThrow();
  expect(await count('broken')).toBeUndefined();
});
