import type { TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { createMigratedDatabase } from '../testing/migrated-database.ts';
import type { Batch } from './batch.ts';
import { forgetOldWalks, keepWalk, takeWalks, takeWalksLike } from './walks.ts';

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await createMigratedDatabase([]);
  database = openDatabase({ url: server.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(() => database.pool.query('truncate mirror.walks, mirror.pending'));

const batch: Batch = { companyId: '1', projectId: '7', resource: 'RFI Replies', lane: 'live' };
const BIG = '9223372036854775807';

const keep = (version: string, generations: readonly string[], of = batch, keptAt: number | null = null) =>
  keepWalk(database, of, { version, generations, place: { of: version }, keptAt });
const take = (generations: readonly string[], of = batch) => takeWalks(database, of, generations);
const numbers = (walks: readonly { version: string }[]) => walks.map(({ version }) => version);
const age = (version: string, by: string) =>
  database.pool.query('update mirror.walks set kept_at = kept_at - $2::interval where version = $1', [version, by]);
const isPending = (generation: string, of = batch) =>
  database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, lane, record_id, generation, ready_at)
      values ($1, $2, $3, $4, 'record ' || $5, $5::bigint, now())`,
    [of.companyId, of.projectId, of.resource, of.lane, generation],
  );

async function versions(): Promise<string[]> {
  const { rows } = await database.pool.query('select version from mirror.walks order by version');
  return rows.map(({ version }) => version);
}

test('a walk is taken out once, by whom one of its records is open without news since', async () => {
  await keep(BIG, ['11', BIG]);
  expect(await take(['12'])).toEqual([]);
  expect(await take(['12', BIG])).toMatchObject([{ version: BIG, place: { of: BIG }, pending: [] }]);
  expect(await take([BIG])).toEqual([]);
});

test('it says which of its records are pending without news since', async () => {
  await keep('5', ['11', '12', '13', '14']);
  await isPending('12');
  await isPending('13', { ...batch, lane: 'repair' });
  await isPending('14', { ...batch, projectId: '8' });
  expect((await take(['11'])).map(({ pending }) => pending.toSorted())).toEqual([['12', '13']]);
});

test.each<[string, Partial<Batch>]>([
  ['company', { companyId: '2' }],
  ['project', { projectId: '8' }],
  ['company, no project', { projectId: null }],
  ['resource', { resource: 'Comments' }],
  ['lane', { lane: 'repair' }],
])('a walk is of its own batch: another %s', async (_, change) => {
  const other = { ...batch, ...change };
  await keep('5', ['11'], other);
  expect(await take(['11'])).toEqual([]);
  expect(numbers(await take(['11'], other))).toEqual(['5']);
});

test('two workers never take the same walk, and what one holds keeps the other waiting for nothing', async () => {
  for (const version of ['5', '6', '7']) await keep(version, ['11']);
  const taken = await Promise.all(Array.from({ length: 8 }, () => take(['11'])));
  expect(numbers(taken.flat()).toSorted()).toEqual(['5', '6', '7']);

  await keep('8', ['12']);
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    await client.query('delete from mirror.walks where version = 8');
    expect(await take(['12'])).toEqual([]);
    await client.query('commit');
  } finally {
    client.release();
  }
});

test('of a batch the newest five walks are kept, and those kept first come first', async () => {
  await keep('100', ['11'], { ...batch, projectId: '8' });
  for (const version of ['9', '8', '7', '6', '5', '4', '3']) {
    await keep(version, ['11']);
    await database.pool.query(`update mirror.walks set kept_at = kept_at - interval '1 second'`);
  }
  expect(await versions()).toEqual(['3', '4', '5', '6', '7', '100']);
  expect(numbers(await take(['11']))).toEqual(['7', '6', '5', '4', '3']);
});

test('a walk that is kept again may keep its age', async () => {
  await keep('5', ['11']);
  await age('5', '20 hours');
  const [{ keptAt } = { keptAt: 0 }] = await take(['11']);
  await keep('5', ['11'], batch, keptAt);
  expect(await take(['11'])).toMatchObject([{ keptAt }]);
  await keep('5', ['11'], batch, keptAt - 4 * 3600);
  expect(await take(['11'])).toEqual([]);
});

test('a walk that is kept under a number that came again takes the place of the one before', async () => {
  await keep('5', ['11']);
  await keep('5', ['12'], { ...batch, projectId: null });
  expect(await take(['11'])).toEqual([]);
  expect(numbers(await take(['12'], { ...batch, projectId: null }))).toEqual(['5']);
});

test('walks are taken by what their place holds, too', async () => {
  for (const [version, of] of [
    ['5', batch],
    ['6', batch],
    ['7', { ...batch, resource: 'Comments' }],
  ] as const)
    await keepWalk(database, of, { version, generations: [version], place: { is: version, all: ['a'] }, keptAt: null });
  expect(numbers(await takeWalksLike(database, batch, { is: '6', all: ['a'] }))).toEqual(['6']);
  expect(numbers(await takeWalksLike(database, batch, {}))).toEqual(['5']);
});

test('text that jsonb cannot hold is kept all the same', async () => {
  await keepWalk(database, batch, { version: '5', generations: ['11'], place: ['a\0b', '\ud800'], keptAt: null });
  expect(await take(['11'])).toMatchObject([{ place: ['a\ufffdb', '\ufffd'] }]);
});

test('walks are forgotten after a day, and when nothing that they look for is pending without news since', async () => {
  const ofCompany = { ...batch, projectId: null };
  const kept: [string, string, Batch][] = [
    ['5', '11', batch],
    ['6', '12', ofCompany],
    ['7', '13', batch],
    ['8', '14', batch],
    ['9', '15', batch],
  ];
  for (const [version, generation, of] of kept) await keep(version, ['1', generation], of);
  await isPending('11');
  await isPending('12', ofCompany);
  await isPending('13', { ...batch, projectId: '8' });
  await isPending('15');
  await age('9', '24 hours');
  expect(await take(['15'])).toEqual([]);
  await forgetOldWalks(database);
  expect(await versions()).toEqual(['5', '6']);
});
