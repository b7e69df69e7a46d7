import pg from 'pg';
import { expect, test } from 'vitest';
import { createTestDatabase } from './test-database.ts';

test.each(['postgres18', 'postgres15'] as const)('a test database runs on %s', async (version) => {
  const database = await createTestDatabase(version);
  const { rows } = await database.pool.query('show server_version_num');
  expect(`postgres${Math.floor(Number(rows[0].server_version_num) / 10_000)}`).toBe(version);
  await database.drop();
});

test('a database is a copy of what was made once, and its own', async () => {
  const made: string[] = [];
  const template = {
    name: 'template_of_the_test',
    make: async (url: string) => {
      made.push(url);
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query('create table words as select 1 as word');
      await client.end();
    },
  };
  const copies = await Promise.all([1, 2, 3].map(() => createTestDatabase('postgres18', template)));
  expect(made).toHaveLength(1);
  for (const { pool } of copies) {
    expect((await pool.query('select word from words')).rows).toEqual([{ word: 1 }]);
    await pool.query('drop table words');
  }
  await Promise.all(copies.map((copy) => copy.drop()));
});

test('a template that could not be made is made anew by the next', async () => {
  const failing = { name: 'template_that_failed', make: () => Promise.reject(new Error('no')) };
  await expect(createTestDatabase('postgres18', failing)).rejects.toThrow('no');
  const copy = await createTestDatabase('postgres18', { ...failing, make: () => Promise.resolve() });
  await copy.drop();
});
