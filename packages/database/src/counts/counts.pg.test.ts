import { afterAll, beforeAll, expect, test } from 'vitest';
import { doUpkeep } from '../migrate/do-upkeep.ts';
import { migrateDatabase } from '../migrate/migrate-database.ts';
import { claimUpkeep, endUpkeep } from '../migrate/upkeep.ts';
import { readStatus } from '../operators/read-status.ts';
import { openSampleMirror, type SampleMirror, sampleTables } from '../testing/sample-mirror.ts';
import { foldCounts } from './fold-counts.ts';
import { playChanges } from './play-changes.ts';
import { findMiscounts, haveRecounted } from './recount.ts';

let mirror: SampleMirror;
beforeAll(async () => {
  mirror = await openSampleMirror();
});
afterAll(() => mirror.close());

const query = async (text: string, values: unknown[] = []) => (await mirror.database.pool.query(text, values)).rows;
const miscounts = () => findMiscounts(mirror.database.pool, sampleTables);
const play = (changes: number, kills = 0) => playChanges({ url: mirror.test.url, changes, writers: 4, kills });
const held = async () => {
  const { freshness, events, pending } = await readStatus(mirror.database.pool);
  return { events, pending, freshness: freshness.map(({ lastFetchAt, ...row }) => row) };
};

async function doAllUpkeep(): Promise<string[]> {
  const done: string[] = [];
  for (;;) {
    const upkeep = await claimUpkeep(mirror.database, { holder: 'me', leaseMs: 60_000 });
    if (upkeep === null) return done;
    await doUpkeep(mirror.database, {
      upkeep,
      url: mirror.test.url,
      signal: new AbortController().signal,
      onRows: async () => {},
    });
    await endUpkeep(mirror.database, upkeep, { holder: 'me', error: null });
    done.push(upkeep.name);
  }
}

test('counts are what is there after changes of all kinds by four writers, of which some are killed', async () => {
  await play(2_000, 5);
  expect(await miscounts()).toEqual([]);
  const before = await held();
  await foldCounts(mirror.database);
  expect(await query('select * from mirror.count_changes')).toEqual([]);
  expect(await miscounts()).toEqual([]);
  expect(await held()).toEqual(before);
});

test('what was changed behind their back is found, and put right while others write', async () => {
  await mirror.store({ json: '[{"id": 1}, {"id": 2}, {"id": 3}]', version: '900001' });
  await query('alter table procore.notes disable trigger user');
  await query('alter table mirror.pending disable trigger user');
  await query(
    `insert into procore.notes (company_id, project_id, id, _version) values (1, 2, 7001, 1), (1, 3, 7002, 1)`,
  );
  await query(
    `insert into mirror.pending (company_id, project_id, resource, record_id, ready_at) values (8, 9, 'Others', '1', now())`,
  );
  await query('alter table procore.notes enable trigger user');
  await query('alter table mirror.pending enable trigger user');
  const found = await miscounts();
  expect(found).toMatchObject([
    { companyId: '8', projectId: '9', resource: 'Others', kind: 'pending', part: 'live', total: '1', parts: '1' },
    { companyId: '1', projectId: '2', kind: 'row', total: '1', live: '1', parts: '1' },
    { companyId: '1', projectId: '3', kind: 'row', total: '1', live: '1', parts: '1' },
  ]);
  await haveRecounted(mirror.database.pool, sampleTables, found);
  const [done] = await Promise.all([doAllUpkeep(), play(500)]);
  expect(done.toSorted()).toEqual(['counts of mirror.pending', 'counts of procore.notes']);
  expect(await miscounts()).toEqual([]);
});

test('a database of an earlier version is counted: what is pending by its migration, the rest by workers', async () => {
  await play(300);
  const before = await held();
  for (const [schema, table] of [
    ['mirror', 'pending'],
    ['mirror', 'events'],
    ...sampleTables.map(({ name }) => ['procore', name]),
  ]) {
    for (const event of ['insert', 'update', 'delete', 'truncate'])
      await query(`drop trigger if exists count_${event} on ${schema}.${table}`);
  }
  await query(`delete from mirror.counts where kind <> 'call'; delete from mirror.count_changes where kind <> 'call'`);
  await migrateDatabase({ url: mirror.test.url, tables: sampleTables });
  expect((await miscounts()).filter(({ kind }) => kind === 'pending')).toEqual([]);
  await Promise.all([doAllUpkeep(), play(200)]);
  expect(await miscounts()).toEqual([]);
  expect((await held()).freshness.length).toBe(before.freshness.length);
});

test('a table that is emptied counts nothing, with its counts or without', async () => {
  await play(200);
  await query('truncate procore.notes, mirror.events');
  expect(await miscounts()).toEqual([]);
  await play(200);
  await query(
    'truncate procore.notes, procore.people, procore.badges, mirror.pending, mirror.events, mirror.fetches, mirror.counts, mirror.count_changes, mirror.count_periods',
  );
  expect(await miscounts()).toEqual([]);
  expect(await held()).toMatchObject({
    freshness: [],
    events: { total: '0' },
    pending: { total: '0', oldestSeenAt: null },
  });
});

test('whoever may change a table is counted without a right to the counts', async () => {
  await mirror.store({ json: '[{"id": 1}, {"id": 2}]', version: '2000001' });
  await query(
    'create role "somebody else"; grant usage on schema procore to "somebody else"; grant select, delete on procore.notes to "somebody else"',
  );
  const client = await mirror.database.pool.connect();
  try {
    await client.query('set role "somebody else"');
    expect((await client.query('delete from procore.notes where id = 1')).rowCount).toBe(1);
  } finally {
    client.release(true);
  }
  await query('drop owned by "somebody else"; drop role "somebody else"');
  expect(await miscounts()).toEqual([]);
  expect((await held()).freshness).toMatchObject([{ rows: '1' }]);
});

test('what is counted by ten minutes is kept for a day, and events beyond that', async () => {
  await query('truncate mirror.events, mirror.fetches, mirror.counts, mirror.count_changes, mirror.count_periods');
  await query(`insert into mirror.events (id, company_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome)
    select n::text, 1, 'Badges', '1', 'update', now(), now() - n * interval '10 hours', 'v4.0', '{}', 'pending' from generate_series(0, 5) n`);
  await query(`insert into mirror.fetches (called_at, company_id, resource, lane, route, status, ms)
    select now() - n * interval '10 hours', 1, 'Badges', 'live', '/', 200, 1 from generate_series(0, 5) n`);
  const before = await held();
  expect(before).toMatchObject({
    events: { total: '6' },
    freshness: [{ eventsLastDay: '3', callsForEventsLastDay: '3', callsLastHour: '1' }],
  });
  await foldCounts(mirror.database);
  expect(await held()).toEqual(before);
  expect(await query('select kind, total::int, lately::int from mirror.counts order by kind')).toEqual([
    { kind: 'call', total: 6, lately: 3 },
    { kind: 'event', total: 6, lately: 3 },
  ]);
  await query(`update mirror.count_periods set period = period - interval '5 hours'`);
  await foldCounts(mirror.database);
  expect(await held()).toMatchObject({
    events: { total: '6' },
    freshness: [{ eventsLastDay: '2', callsForEventsLastDay: '2', callsLastHour: '0' }],
  });
});
