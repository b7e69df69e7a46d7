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
const EMPTY =
  'truncate procore.notes, procore.people, procore.badges, mirror.pending, mirror.events, mirror.fetches, mirror.proofs, mirror.counts, mirror.count_changes, mirror.count_periods';
const compare = (withinMs = 60_000) => findMiscounts(mirror.database, sampleTables, { withinMs });
const miscounts = async () => (await compare()).miscounts;
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
  await query('alter table mirror.proofs disable trigger user');
  await query(
    `insert into mirror.proofs (company_id, resource, rung, as_of, missing, changed, extra, calls, outcome) values (9, 'Badges', 'bin', now(), 0, 0, 0, 1, 'equal')`,
  );
  await query('alter table procore.notes enable trigger user');
  await query('alter table mirror.pending enable trigger user');
  await query('alter table mirror.proofs enable trigger user');
  const found = await miscounts();
  expect(found).toMatchObject([
    { companyId: '1', projectId: '2', kind: 'row', total: '1', live: '1', parts: '1' },
    { companyId: '1', projectId: '3', kind: 'row', total: '1', live: '1', parts: '1' },
    { companyId: '9', projectId: null, resource: 'Badges', kind: 'proof', total: '0' },
    { companyId: '8', projectId: '9', resource: 'Others', kind: 'pending', part: 'live', total: '1', parts: '1' },
  ]);
  const recounted = await haveRecounted(mirror.database.pool, sampleTables);
  const [done] = await Promise.all([doAllUpkeep(), play(500)]);
  expect(done.toSorted()).toEqual([
    'counts of mirror.events',
    'counts of mirror.pending',
    'counts of mirror.proofs',
    ...sampleTables.map(({ name }) => `counts of procore.${name}`).toSorted(),
  ]);
  expect(recounted).toBe(done.length);
  expect(await miscounts()).toEqual([]);
});

test('a database of an earlier version is counted: what is pending and proved by its migration, the rest by workers', async () => {
  await play(300);
  const before = await held();
  for (const [schema, table] of [
    ['mirror', 'pending'],
    ['mirror', 'events'],
    ['mirror', 'proofs'],
    ...sampleTables.map(({ name }) => ['procore', name]),
  ]) {
    for (const event of ['insert', 'update', 'delete', 'truncate'])
      await query(`drop trigger if exists count_${event} on ${schema}.${table}`);
  }
  await query(
    `delete from mirror.counts where kind <> 'call'; delete from mirror.count_changes where kind <> 'call'; delete from mirror.latest_proofs`,
  );
  const done = play(400);
  await migrateDatabase({ url: mirror.test.url, tables: sampleTables });
  expect((await miscounts()).filter(({ kind }) => kind === 'pending' || kind === 'proof')).toEqual([]);
  await Promise.all([doAllUpkeep(), done]);
  expect(await miscounts()).toEqual([]);
  expect((await held()).freshness.length).toBe(before.freshness.length);
});

test('what would take long to count is named', async () => {
  const { miscounts: found, notCompared } = await compare(0);
  expect(found).toEqual([]);
  expect(notCompared.toSorted()).toEqual([
    'mirror.events',
    'mirror.pending',
    'mirror.proofs',
    ...sampleTables.map(({ name }) => `procore.${name}`).toSorted(),
  ]);
});

test('counts of what was removed while nothing counted go with the migration that has it counted', async () => {
  await play(200);
  await query('alter table procore.notes disable trigger user; delete from procore.notes');
  expect(await miscounts()).not.toEqual([]);
  await query(`drop trigger count_delete on procore.notes`);
  await query('alter table procore.notes enable trigger user');
  await migrateDatabase({ url: mirror.test.url, tables: sampleTables });
  expect(await miscounts()).toEqual([]);
});

test('a proof that becomes one of another table counts there', async () => {
  await play(100);
  await query(`insert into mirror.proofs (company_id, resource, rung, as_of, missing, changed, extra, calls, outcome)
    values (55, 'Badges', 'bin', now(), 0, 0, 0, 1, 'equal')`);
  await query('update mirror.proofs set company_id = 56 where company_id = 55');
  expect(await miscounts()).toEqual([]);
});

test('who empties a table and who folds do not end each other', async () => {
  for (let round = 0; round < 20; round += 1) {
    await play(20);
    await Promise.all([
      query('truncate mirror.pending, mirror.fetches'),
      foldCounts(mirror.database, { atOnce: 5 }),
      foldCounts(mirror.database, { atOnce: 5 }),
    ]);
  }
  expect(await miscounts()).toEqual([]);
});

test('a table that is emptied counts nothing, with its counts or without', async () => {
  await play(200);
  await query('truncate procore.notes, mirror.events');
  expect(await miscounts()).toEqual([]);
  await play(200);
  await query(EMPTY);
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

test('the earliest moments of what is pending are right whatever comes, goes and is folded, in any order', async () => {
  await query(EMPTY);
  const add = (recordId: string, minutes: number) =>
    query(
      `insert into mirror.pending (company_id, resource, record_id, first_seen_at, happened_at, ready_at)
        values (1, 'Badges', $1, '2026-01-01 00:00+00'::timestamptz + $2 * interval '1 minute', '2026-01-01 00:00+00'::timestamptz + $2 * interval '1 minute', now())`,
      [recordId, minutes],
    );
  const told = async () => {
    const { pending, freshness } = await readStatus(mirror.database.pool);
    return [pending.oldestSeenAt, freshness[0]?.oldestPendingAt].map((moment) => moment?.slice(14, 16));
  };
  await add('1', 10);
  await add('2', 20);
  expect(await told()).toEqual(['10', '10']);
  await foldCounts(mirror.database);
  await query(`delete from mirror.pending where record_id = '1'`);
  expect(await told()).toEqual(['20', '20']);
  await add('3', 5);
  await foldCounts(mirror.database, { atOnce: 1 });
  await query(`update mirror.pending set first_seen_at = first_seen_at + interval '40 minutes' where record_id = '3'`);
  await query(`update mirror.pending set attempts = 1, to_fill = false`);
  expect(await told()).toEqual(['20', '20']);
  await query(`delete from mirror.pending where record_id = '2'`);
  expect(await told()).toEqual(['45', '45']);
  await foldCounts(mirror.database);
  expect(await miscounts()).toEqual([]);
  await query('alter table mirror.pending disable trigger user');
  await query(`update mirror.pending set first_seen_at = '2025-01-01 00:07+00'`);
  await query('alter table mirror.pending enable trigger user');
  const found = await miscounts();
  expect(found).toMatchObject([{ kind: 'pending', resource: 'Badges', total: '0' }]);
  await haveRecounted(mirror.database.pool, sampleTables);
  await doAllUpkeep();
  expect(await miscounts()).toEqual([]);
  expect(await told()).toEqual(['07', '07']);
});
