import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Batch } from './batches.ts';
import { migrateDatabase } from './migrate-database.ts';
import { type Database, openDatabase } from './open-database.ts';
import { forgetOldWalks, keepWalk, takeWalk } from './walks.ts';

let server: TestDatabase;
let database: Database;

beforeAll(async () => {
  server = await createTestDatabase();
  await migrateDatabase({ url: server.url, tables: [] });
  database = openDatabase({ url: server.url, applicationName: 'test' });
});
afterAll(async () => {
  await database.close();
  await server.drop();
});
beforeEach(() => database.pool.query('truncate mirror.walks, mirror.pending'));

const batch: Batch = { companyId: '1', projectId: '7', resource: 'RFI Replies', lane: 'live' };
const BIG = '9223372036854775807';

const keep = (version: string, generations: readonly string[], of = batch) =>
  keepWalk(database, of, { version, generations, place: { of: version } });
const take = (generations: readonly string[], of = batch) =>
  takeWalk(
    database,
    of,
    generations.map((generation) => ({ id: `record ${generation}`, generation })),
  );
const age = (version: string, by: string) =>
  database.pool.query('update mirror.walks set kept_at = kept_at - $2::interval where version = $1', [version, by]);
const isPending = (generation: string, of = batch, change = '') =>
  database.pool.query(
    `insert into mirror.pending (company_id, project_id, resource, lane, record_id, generation, ready_at, absent_generation, absent_at)
      values ($1, $2, $3, $4, 'record ' || $5, $5::bigint, now(), ${change === '' ? 'null, null' : `$5::bigint, ${change}`})`,
    [of.companyId, of.projectId, of.resource, of.lane, generation],
  );

async function versions(): Promise<string[]> {
  const { rows } = await database.pool.query('select version from mirror.walks order by version');
  return rows.map(({ version }) => version);
}

test('a walk is taken out once, by whom one of its records is open without news since', async () => {
  await keep(BIG, ['11', BIG]);
  expect(await take(['12'])).toBeNull();
  expect(await take(['12', BIG])).toEqual({ version: BIG, place: { of: BIG } });
  expect(await take([BIG])).toBeNull();
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
  expect(await take(['11'])).toBeNull();
  expect(await take(['11'], other)).toMatchObject({ version: '5' });
});

test('two workers never take the same walk, and what one holds keeps the other waiting for nothing', async () => {
  for (const version of ['5', '6', '7']) await keep(version, ['11']);
  const taken = await Promise.all(Array.from({ length: 8 }, () => take(['11'])));
  const found = taken.filter((walk) => walk !== null).map(({ version }) => version);
  expect(new Set(found).size).toBe(found.length);

  await keep('8', ['12']);
  const client = await database.pool.connect();
  try {
    await client.query('begin');
    await client.query('delete from mirror.walks where version = 8');
    expect(await take(['12'])).toBeNull();
    await client.query('commit');
  } finally {
    client.release();
  }
});

test('of a batch the newest five walks are kept, and the one kept first is taken first', async () => {
  await keep('100', ['11'], { ...batch, projectId: '8' });
  for (const version of ['9', '8', '7', '6', '5', '4', '3']) {
    await keep(version, ['11']);
    await database.pool.query(`update mirror.walks set kept_at = kept_at - interval '1 second'`);
  }
  expect(await versions()).toEqual(['3', '4', '5', '6', '7', '100']);
  expect(await take(['11'])).toMatchObject({ version: '7' });
  await keep('7', ['11']);
  expect(await take(['11'])).toMatchObject({ version: '6' });
});

test('a walk that is kept under a number that came again takes the place of the one before', async () => {
  await keep('5', ['11']);
  await keep('5', ['12'], { ...batch, projectId: null });
  expect(await take(['11'])).toBeNull();
  expect(await take(['12'], { ...batch, projectId: null })).toMatchObject({ version: '5' });
});

test('a walk from before a record was missed the first time is not the second look at it', async () => {
  await keep('5', ['11', '12']);
  await isPending('11', batch, `now() + interval '1 second'`);
  expect(await take(['11', '12'])).toBeNull();
  await database.pool.query(`update mirror.pending set absent_at = now() - interval '1 hour'`);
  expect(await take(['11', '12'])).toMatchObject({ version: '5' });
});

test('text that jsonb cannot hold is kept all the same', async () => {
  await keepWalk(database, batch, { version: '5', generations: ['11'], place: ['a\0b', '\ud800'] });
  expect(await take(['11'])).toMatchObject({ place: ['a\ufffdb', '\ufffd'] });
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
  expect(await take(['15'])).toBeNull();
  await forgetOldWalks(database);
  expect(await versions()).toEqual(['5', '6']);
});
