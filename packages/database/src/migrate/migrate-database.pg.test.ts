import { randomBytes } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import pg from 'pg';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openDatabase } from '../connection/open-database.ts';
import { DatabaseVersionError } from '../errors.ts';
import { noteDrift } from '../rows/schema-drift.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { notes, openSampleMirror, sampleTables } from '../testing/sample-mirror.ts';
import { checkDatabase } from './check-database.ts';
import { migrateDatabase } from './migrate-database.ts';
import { readMigrations } from './migration-ledger.ts';
import { grantReader } from './reader-role.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function emptyDatabase(version?: 'postgres18' | 'postgres15'): Promise<TestDatabase> {
  const server = await createTestDatabase(version);
  closing.push(server.drop);
  return server;
}

async function sampleMirror(version?: 'postgres18' | 'postgres15') {
  const mirror = await openSampleMirror(version);
  closing.push(mirror.close);
  return mirror;
}

async function check(url: string): Promise<void> {
  const database = openDatabase({ url, applicationName: 'test' });
  await checkDatabase(database).finally(() => database.close());
}

const allMigrations = readMigrations().map(({ name }) => name);

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test('an empty database becomes a mirror, and a second migration changes nothing', async () => {
    const { url } = await emptyDatabase(version);
    await expect(check(url)).rejects.toThrow(/pnpm mirror migrate/);
    expect(await migrateDatabase({ url, tables: [] })).toEqual({ applied: allMigrations });
    await check(url);
    expect(await migrateDatabase({ url, tables: [] })).toEqual({ applied: [] });
    await check(url);
  });

  test('comments stand on every table and column', async () => {
    const { database } = await sampleMirror(version);
    const { rows } = await database.pool.query(
      `select c.relname as "table", a.attname as "column", col_description(c.oid, a.attnum) as comment
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
          join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where (n.nspname = 'procore' and c.relname = any($1)) or (n.nspname = 'mirror' and c.relname = 'freshness')`,
      [sampleTables.map(({ name }) => name)],
    );
    expect(rows.length).toBeGreaterThan(40);
    expect(rows.filter(({ comment }) => comment === null)).toEqual([]);
    expect(rows.find(({ column }) => column === 'title').comment).toBe("Procore's field title (the surveyor's own).");
    const { rows: tables } = await database.pool.query(`select obj_description('procore.notes'::regclass) as comment`);
    expect(tables[0].comment).toContain("Surveyor's Notes");
  });

  test('the reader reads records and freshness, also of tables made later, and nothing else', async () => {
    const { test: server, store } = await sampleMirror(version);
    await store({ json: '{"id": 1}' });
    await server.pool.query('create table procore.made_later (id bigint)');
    const reader = await server.pool.connect();
    await reader.query('set role procore_reader');
    for (const relation of ['procore.notes', 'procore.made_later', 'mirror.freshness']) {
      await reader.query(`select * from ${relation}`);
    }
    for (const forbidden of [
      'select * from mirror.events',
      'select * from mirror.receivers',
      'select * from mirror.receiver_gaps',
      'select * from mirror.pending',
      'select * from mirror.unfit_values',
      'select * from mirror.calls',
      'select * from mirror.fetches',
      'select * from mirror.turns',
      'select * from mirror.budget',
      'select * from mirror.schema_drift',
      'select * from mirror.migrations',
      `select nextval('mirror.fetch_version')`,
      `select mirror.date_or_null('2026-01-01')`,
      `update procore.notes set title = 'x'`,
      'delete from procore.notes',
      'insert into procore.notes (company_id, project_id, id, _version) values (1, 1, 99, 1)',
      'create table procore.mine (id int)',
      'create table mirror.mine (id int)',
    ]) {
      await expect(reader.query(forbidden), forbidden).rejects.toMatchObject({ code: '42501' });
    }
    await reader.query('reset role');
    reader.release();
    const { rows } = await server.pool.query(`select rolcanlogin from pg_roles where rolname = 'procore_reader'`);
    expect(rows).toEqual([{ rolcanlogin: false }]);
  });

  test('freshness tells rows, news and waiting records of each resource in each scope', async () => {
    const { database, store } = await sampleMirror(version);
    await store({ json: '[{"id": 1}, {"id": 2}, {"id": 3}]' });
    await database.pool.query(`update procore.notes set _deleted_at = now() where id = 3`);
    const event = `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
      payload_version, raw, outcome) values`;
    await database.pool.query(
      `${event} ('a', 1, 2, $1, '1', 'update', '2026-01-01Z', '2026-01-02Z', 'v4.0', '{}', 'pending'),
      ('b', 1, 4, 'Badges', 'X', 'update', '2026-01-01Z', '2026-01-03Z', 'v4.0', '{}', 'pending'),
      ('c', 1, 4, 'Unknown', 'X', 'update', '2026-01-01Z', '2026-01-03Z', 'v4.0', '{}', 'ignored')`,
      [notes.resource],
    );
    await database.pool.query(
      `insert into mirror.pending (company_id, project_id, resource, record_id, first_seen_at, ready_at)
      values (1, 2, $1, '1', '2026-01-05Z', now()), (1, 2, $1, '2', '2026-01-04Z', now())`,
      [notes.resource],
    );
    await database.pool.query(
      `insert into mirror.selection (company_id, project_id, is_selected, left_at)
      values (1, null, true, null), (1, 2, false, '2026-01-06Z'), (3, 2, false, '2026-01-07Z')`,
    );
    const { rows } = await database.pool.query('select * from mirror.freshness order by resource');
    const noCalls = {
      calls_last_hour: '0',
      events_last_day: '0',
      calls_for_events_last_day: '0',
      calls_per_event: null,
      completeness: 'since first event',
      proved_at: null,
      proof: null,
      complete_until: null,
    };
    expect(rows).toEqual([
      {
        company_id: '1',
        project_id: null,
        resource: 'Badges',
        rows: '0',
        last_event_at: '2026-01-03T00:00:00Z',
        last_fetch_at: null,
        oldest_pending_at: null,
        pending: '0',
        ...noCalls,
        left_at: null,
      },
      {
        company_id: '1',
        project_id: '2',
        resource: notes.resource,
        rows: '2',
        last_event_at: '2026-01-02T00:00:00Z',
        last_fetch_at: expect.any(String),
        oldest_pending_at: '2026-01-04T00:00:00Z',
        pending: '2',
        ...noCalls,
        left_at: '2026-01-06T00:00:00Z',
      },
    ]);
  });

  test('freshness tells calls, and how many each event took since calls are counted', async () => {
    const { database } = await sampleMirror(version);
    await database.pool.query(
      `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
        payload_version, raw, outcome)
      select resource || ago || outcome, 1, 2, resource, '1', 'update', now(), now() - ago::interval, 'v4.0', '{}', outcome
      from (values ('Badges', '5 min', 'pending'), ('Badges', '3 h', 'pending'), ('Badges', '10 h', 'pending'),
        ('Badges', '1 min', 'ignored'), ('People', '1 h', 'pending')) as e(resource, ago, outcome)`,
    );
    await database.pool.query(
      `insert into mirror.fetches (company_id, project_id, resource, called_at, lane, route, status, ms)
      select 1, project_id, resource, now() - ago::interval,
        (case when n <= for_events then 'detail' else 'repair' end)::mirror.lane, 'GET /x', 200, 1
      from (values (null::bigint, 'Badges', '10 min', 4, 3), (null, 'Badges', '2 h', 40, 2), (null, null, '9 h', 100, 0),
        (3, 'People', '20 min', 1, 0), (3, 'Unknown', '20 min', 1, 0)) as c(project_id, resource, ago, count, for_events),
        generate_series(1, count) n`,
    );
    const { rows } = await database.pool.query(
      `select project_id, resource, calls_last_hour, events_last_day, calls_for_events_last_day, calls_per_event
        from mirror.freshness order by resource, project_id`,
    );
    expect(rows.map((row) => Object.values(row).join(' '))).toEqual([
      ' Badges 4 2 5 2.50',
      '2 People 0 1 0 0.00',
      '3 People 1 0 0 ',
    ]);
  });
});

// Not always the same one: between the parts of a migration (enum-values.ts) another may take its turn.
test('of processes that migrate at once one at a time does it and the others wait and find it done', async () => {
  const { url } = await emptyDatabase();
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => migrateDatabase({ url, tables: [] })));
  expect(outcomes.flatMap(({ applied }) => applied).toSorted()).toEqual(allMigrations);
});

test.each([
  ['an empty database', false],
  ['a mirror', true],
])(
  'no session of a reader holds up the migration of %s',
  async (_, isMirror) => {
    const { url, pool } = await emptyDatabase();
    if (isMirror) await migrateDatabase({ url, tables: [] });
    const { url: other } = await emptyDatabase();
    await migrateDatabase({ url: other, tables: [] }); // makes the role
    const reader = await pool.connect();
    closing.push(async () => reader.release(true));
    await reader.query('set role procore_reader');
    await reader.query(`select pg_advisory_lock(739104211), pg_advisory_lock(hashtextextended('mirror.budget', 0))`);
    await reader.query(`set lock_timeout = '5s'`);
    const locks = [
      'lock table mirror.migrations in share mode',
      'lock table mirror.migrations in access share mode',
      'select * from mirror.migrations for update',
      'select * from mirror.migrations for key share',
      'create schema if not exists mirror',
    ];
    const refused = isMirror ? ['42501'] : ['42501', '3F000', '42P01']; // in an empty database there is nothing to lock
    for (const lock of locks) {
      const error: unknown = await reader.query(`begin; ${lock}`).catch((caught) => caught);
      expect(refused, lock).toContain(error instanceof pg.DatabaseError ? error.code : error);
      await reader.query('rollback');
    }
    await migrateDatabase({ url, tables: [] });
    await check(url);
  },
  30_000,
);

test('of those that begin in an empty database one makes the ledger, and one that fails lets the next begin', async () => {
  const { url, pool } = await emptyDatabase();
  const first = await pool.connect();
  await first.query('begin; create schema mirror');
  const waiting = Promise.all([migrateDatabase({ url, tables: [] }), migrateDatabase({ url, tables: [] })]);
  await vi.waitFor(async () => {
    const { rows } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    expect(rows).toHaveLength(2);
  }, 20_000);
  await first.query('rollback');
  first.release();
  const outcomes = await waiting;
  expect(outcomes.flatMap(({ applied }) => applied).toSorted()).toEqual(allMigrations);
});

test('databases of one server can be migrated at once', async () => {
  const servers = await Promise.all(Array.from({ length: 3 }, () => emptyDatabase()));
  await Promise.all(servers.map(({ url }) => migrateDatabase({ url, tables: [] })));
  await Promise.all(servers.map(({ url }) => check(url)));
});

test('a migration that fails leaves nothing behind', async () => {
  const { url, pool } = await emptyDatabase();
  await pool.query('create schema procore; create table procore.rfis (mine int)');
  await expect(migrateDatabase({ url, tables: [] })).rejects.toThrow(/rfis/);
  const { rows } = await pool.query(
    `select to_regnamespace('mirror') as mirror, to_regclass('procore.projects') as projects`,
  );
  expect(rows).toEqual([{ mirror: null, projects: null }]);
});

test('empty schemas that are there already are used', async () => {
  const { url, pool } = await emptyDatabase();
  await pool.query('create schema procore; create schema mirror');
  await migrateDatabase({ url, tables: [] });
  await check(url);
});

test('a newer database is refused and left alone', async () => {
  const { url, pool } = await emptyDatabase();
  await migrateDatabase({ url, tables: [] });
  await pool.query(`insert into mirror.migrations (name, hash) values ('0999_of-tomorrow', 'unknown')`);
  await expect(check(url)).rejects.toThrow(DatabaseVersionError);
  await expect(check(url)).rejects.toThrow(/0999_of-tomorrow.*update procore-mirror/);
  await expect(migrateDatabase({ url, tables: [] })).rejects.toThrow(DatabaseVersionError);
});

test('a database that cannot hold all characters is refused', async () => {
  const { pool, url } = await emptyDatabase();
  const name = `latin_${randomBytes(6).toString('hex')}`;
  await pool.query(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
  closing.push(() => pool.query(`drop database ${name} with (force)`));
  const latin = Object.assign(new URL(url), { pathname: `/${name}` }).href;
  await expect(migrateDatabase({ url: latin, tables: [] })).rejects.toThrow(/LATIN1/);
});

test('a table or column that no migration makes is named', async () => {
  const { url } = await emptyDatabase();
  const tables: MirroredTable[] = [{ ...notes, name: 'not_made', columns: [] }];
  await expect(migrateDatabase({ url, tables })).rejects.toThrow(/procore\.not_made\.id.*pnpm generate/);
});

test('rows that one absence hid are looked at once more, and generations go on above those that were given', async () => {
  const { pool } = await emptyDatabase();
  const at = allMigrations.indexOf('0009_one-sequence-of-generations');
  const migrations = readMigrations();
  for (const { statements } of migrations.slice(0, at)) for (const statement of statements) await pool.query(statement);
  await pool.query(`
    comment on table procore.rfis is 'RFIs as Procore''s API gives them. Live rows: all.';
    comment on table procore.trades is 'Trades as Procore''s API gives them. Live rows: all.';
    insert into procore.rfis (company_id, project_id, id, _hidden_at, _deleted_at, _fetched_at, _version) values
      (1, 7, 1, now(), null, now(), 5), (1, 7, 2, null, null, now(), 5), (1, 7, 3, now(), now(), now(), 5);
    insert into procore.trades (company_id, id, _hidden_at, _fetched_at, _version) values (1, 4, now(), now(), 6);
    insert into mirror.pending (company_id, project_id, resource, record_id, generation, ready_at)
      values (1, 7, 'RFIs', '1', 5000, now())`);
  for (const statement of migrations[at]?.statements ?? []) await pool.query(statement);
  const { rows } = await pool.query(
    `select resource, record_id, project_id, looks, look_at between now() and now() + interval '1 day' as is_within_a_day
      from mirror.absences order by record_id`,
  );
  const look = { looks: 2, is_within_a_day: true };
  expect(rows).toEqual([
    { resource: 'RFIs', record_id: '1', project_id: '7', ...look },
    { resource: 'Trades', record_id: '4', project_id: null, ...look },
  ]);
  const next = await pool.query<{ next: number }>(`select nextval('mirror.generation')::int as next`);
  expect(next.rows[0]?.next).toBeGreaterThan(5000);
});

test('dead letters of before say what they are about, one for each record, and are tried again at once', async () => {
  const { pool } = await emptyDatabase();
  const migrations = readMigrations();
  const at = migrations.findIndex(({ name }) => name.endsWith('_dead-letters'));
  for (const { statements } of migrations.slice(0, at)) for (const statement of statements) await pool.query(statement);
  const event = (id: string, resource: string, kind: string) =>
    `('${id}', 1, 7, '${resource}', '5', '${kind}', '2026-06-01T1${id.length}:00:00Z', now(), 'v4.0', '{}', 'pending')`;
  await pool.query(`
    comment on table procore.rfis is 'RFIs as Procore''s API gives them. Live rows: all.';
    comment on table procore.trades is 'Trades as Procore''s API gives them. Live rows: all.';
    insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at,
      payload_version, raw, outcome) values ${event('E', 'rfis', 'delete')}, ${event('EE', 'RFIs', 'update')},
      ${event('EEE', 'Trades', 'update')};
    insert into mirror.dead_letters (id, reason, raw, last_seen_at, attempts) values
      ('E', 'answer_422', '{"n": 1}', '2026-06-01Z', 3), ('EE', 'malformed_answer', '{"n": 2}', '2026-06-02Z', 9),
      ('EEE', 'answer_422', '{"n": 3}', now(), 3), ('0123456789abcdef0123456789abcdef', 'not_json', '{', now(), 1),
      ('1/7/Meeting Topics/6', 'answer_422', '{"company_id": 1, "project_id": 7, "resource": "Meeting Topics",
        "record_id": "6", "parent_id": "9", "delete_seen": true, "occurred_at": "infinity"}', now(), 3),
      ('1/7/RFIs/5', 'answer_422', '{"company_id": 1, "project_id": 7, "resource": "RFIs", "record_id": "5"}', '2026-05-01Z', 2)`);
  for (const statement of migrations[at]?.statements ?? []) await pool.query(statement);
  const { rows } =
    await pool.query(`select id, kind, project_id, resource, record_id, raw, attempts, event_id, delete_seen,
      parent_id, next_try_at <= now() as is_due from mirror.dead_letters order by id`);
  const ofBody = { kind: 'delivery', project_id: null, resource: null, record_id: null, event_id: null, is_due: null };
  const ofRecord = { kind: 'record', project_id: '7', event_id: null, parent_id: null, is_due: true };
  expect(rows).toMatchObject([
    { id: '0123456789abcdef0123456789abcdef', ...ofBody },
    { id: '1/7/Meeting Topics/6', ...ofRecord, record_id: '6', parent_id: '9', delete_seen: true, attempts: 3 },
    { id: '1/7/RFIs/5', ...ofRecord, raw: '{"n": 2}', attempts: 14, event_id: 'EE', delete_seen: true },
    { id: '1/Trades/5', ...ofRecord, project_id: null, resource: 'Trades', event_id: 'EEE', delete_seen: false },
  ]);
});

test('drift that a migration settles is forgotten', async () => {
  const { test: server, database } = await sampleMirror();
  const aField = { jsonType: null, count: 1, exampleRecordId: '1' };
  await noteDrift(database, notes.resource, [
    { ...aField, field: 'title', kind: 'unknown' },
    { ...aField, field: 'mood', kind: 'unknown' },
    { ...aField, field: 'amount', kind: 'vanished' },
    { ...aField, field: 'dropped', kind: 'vanished' },
  ]);
  await migrateDatabase({ url: server.url, tables: sampleTables });
  const { rows } = await server.pool.query('select field, kind from mirror.schema_drift order by field');
  expect(rows).toEqual([
    { field: 'amount', kind: 'vanished' },
    { field: 'mood', kind: 'unknown' },
  ]);
});

test('rows are to be kept in one piece, unless the operator wants it otherwise', async () => {
  const { test: server } = await sampleMirror();
  await server.pool.query('alter table procore.people set (toast_tuple_target = 2040)');
  await migrateDatabase({ url: server.url, tables: sampleTables });
  const { rows } = await server.pool.query(
    `select relname as name, reloptions as options from pg_class where relname in ('notes', 'people') order by 1`,
  );
  expect(rows).toEqual([
    { name: 'notes', options: ['toast_tuple_target=4080'] },
    { name: 'people', options: ['toast_tuple_target=2040'] },
  ]);
});

test('freshness follows the tables of the latest migration', async () => {
  const { test: server, store } = await sampleMirror();
  await store({ json: '{"id": 1}' });
  const count = async () => (await server.pool.query('select from mirror.freshness')).rowCount;
  expect(await count()).toBe(1);
  await migrateDatabase({ url: server.url, tables: [] });
  expect(await count()).toBe(0);
  await migrateDatabase({ url: server.url, tables: sampleTables });
  expect(await count()).toBe(1);
});

describe('a user who may not create roles', () => {
  async function asPlainUser(): Promise<{ url: string }> {
    const { pool, url } = await emptyDatabase();
    const user = `plain_${randomBytes(6).toString('hex')}`;
    await pool.query(`create role ${user} login password 'plain password'`);
    const { pathname } = new URL(url);
    await pool.query(`alter database ${pathname.slice(1)} owner to ${user}`);
    closing.push(async () => {
      await pool.query(`reassign owned by ${user} to current_user; drop owned by ${user}; drop role ${user}`);
    });
    return { url: Object.assign(new URL(url), { username: user, password: 'plain password' }).href };
  }

  test('migrates all the same and grants what there is to grant', async () => {
    const { url: ownerUrl } = await emptyDatabase();
    await migrateDatabase({ url: ownerUrl, tables: [] }); // makes the role
    const { url } = await asPlainUser();
    const lines: string[] = [];
    await migrateDatabase({ url, tables: [], onProgress: (line) => lines.push(line) });
    expect(lines).toEqual(allMigrations.map((name) => `applied ${name}`));
    await check(url);
  });

  test('is told whom to ask when the role is missing', async () => {
    const { url } = await asPlainUser();
    await migrateDatabase({ url, tables: [] });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const lines: string[] = [];
    await client.query('begin');
    await grantReader(client, 'a_missing_role', (line) => lines.push(line));
    await client.query('commit');
    await client.end();
    expect(lines).toEqual([
      expect.stringMatching(/role a_missing_role is missing.*create role a_missing_role nologin/),
    ]);
  });
});
