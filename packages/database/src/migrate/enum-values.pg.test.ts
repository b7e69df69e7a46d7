// A value that a migration adds to an enumeration can be used only after it was committed.
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { createMigratedDatabase } from '../testing/migrated-database.ts';
import { migrateDatabase } from './migrate-database.ts';
import { type Migration, readMigrations } from './migration-ledger.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const addAudit = `ALTER TYPE "mirror"."lane" ADD VALUE 'audit' BEFORE 'backfill';`;
const useAudit = `insert into mirror.batches (company_id, resource, lane) values (1, 'RFIs', 'audit')`;
const makeMood = `CREATE TYPE "mirror"."mood" AS ENUM('good');`;
const addBad = `ALTER TYPE "mirror"."mood" ADD VALUE 'bad';`;
const useBad = `create table mirror.moods as select 'bad'::mirror.mood as mood`;

const files = (...all: string[][]): Migration[] => [
  ...readMigrations(),
  ...all.map((statements, index) => ({ name: `900${index}`, hash: `${index} ${statements}`, statements })),
];
const names = async ({ pool }: TestDatabase) =>
  (await pool.query(`select name from mirror.migrations where name like '900%' order by id`)).rows.map(
    ({ name }) => name,
  );
const labels = async ({ pool }: TestDatabase) =>
  (await pool.query(`select enum_range(null::mirror.lane)::text as labels`)).rows[0]?.labels;

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test.each([
    ['a mirror', true],
    ['an empty database', false],
  ])('%s comes over values and their first use, wherever they stand', async (_, isMirror) => {
    const server = await (isMirror ? createMigratedDatabase([], version) : createTestDatabase(version));
    closing.push(server.drop);
    const lines: string[] = [];
    const options = {
      url: server.url,
      tables: [],
      migrations: files([addAudit], [useAudit], [makeMood], [addBad, useBad]),
      onProgress: (line: string) => void lines.push(line),
    };
    const { applied } = await migrateDatabase(options);
    expect(applied.slice(-4)).toEqual(['9000', '9001', '9002', '9003']);
    expect(lines).toEqual(applied.map((name) => `applied ${name}`));
    expect(await names(server)).toEqual(['9000', '9001', '9002', '9003']);
    expect(await labels(server)).toBe('{live,detail,repair,upkeep,poll,audit,backfill,verify,files}');
    const { rows } = await server.pool.query(
      'select lane, (select mood from mirror.moods) as mood from mirror.batches',
    );
    expect(rows).toEqual([{ lane: 'audit', mood: 'bad' }]);
    expect(await migrateDatabase(options)).toEqual({ applied: [] });
  });
});

test('one that fails after that is in no ledger, and goes through when it is put right', async () => {
  const server = await createMigratedDatabase([]);
  closing.push(server.drop);
  const migrate = (last: string) =>
    migrateDatabase({ url: server.url, tables: [], migrations: files([addAudit, useAudit], [last]) });
  await expect(migrate('select 1 / 0')).rejects.toThrow('division by zero');
  expect(await names(server)).toEqual([]);
  expect((await server.pool.query('select from mirror.batches')).rowCount).toBe(0);
  await migrate('select 1');
  expect(await names(server)).toEqual(['9000', '9001']);
});
