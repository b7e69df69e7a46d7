// A table, or a column, that a migration is to make and that is there already.
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../connection/open-database.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { notes } from '../testing/sample-mirror.ts';
import { checkDatabase } from './check-database.ts';
import { migrateDatabase } from './migrate-database.ts';
import { type Migration, readMigrations } from './migration-ledger.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const slats: MirroredTable = {
  ...notes,
  name: 'slats',
  resource: 'Slats',
  parentKey: null,
  columns: [
    { name: 'width', type: 'numeric' },
    { name: 'colour', type: 'text' },
  ],
};

const later = (...statements: string[]): Migration[] => [
  ...readMigrations(),
  { name: '9999_slats', hash: `${statements}`, statements },
];

/** As drizzle-kit writes it for a catalogue that has the resource. */
const makeSlats = [
  `CREATE TABLE "procore"."slats" (
	"company_id" bigint NOT NULL,
	"project_id" bigint NOT NULL,
	"id" bigint NOT NULL,
	"crate_id" bigint,
	"width" numeric,
	"due_date" date,
	"_data" jsonb, "_complete" boolean DEFAULT false NOT NULL, "_deleted_at" timestamp with time zone,
	"_hidden_at" timestamp with time zone, "_fetched_at" timestamp with time zone, "_version" bigint NOT NULL, "_event_id" text,
	CONSTRAINT "slats_pkey" PRIMARY KEY("company_id","id")
);
`,
  'CREATE INDEX "slats_project" ON "procore"."slats" USING btree ("project_id");',
  'CREATE INDEX "slats_parent" ON "procore"."slats" USING btree ("crate_id");',
];

const ours: MirroredTable = {
  ...slats,
  parentKey: 'crate_id',
  columns: [
    { name: 'width', type: 'numeric' },
    { name: 'due_date', type: 'date' },
  ],
};

async function aMirror(version?: 'postgres18' | 'postgres15'): Promise<TestDatabase> {
  const server = await createTestDatabase(version);
  closing.push(server.drop);
  return server;
}

async function state({ pool }: TestDatabase) {
  const { rows } = await pool.query(
    `select (select array_agg(attname::text order by attnum) from pg_attribute
        where attrelid = 'procore.slats'::regclass and attnum > 0 and not attisdropped) as columns,
      (select array_agg(name) from mirror.migrations where name = '9999_slats') as ledger,
      (select array_agg(indexrelid::regclass::text order by 1) from pg_index where indrelid = 'procore.slats'::regclass) as indexes`,
  );
  return rows[0];
}

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test('the table that an operator defined becomes ours: rows and columns stay, what it lacks is added', async () => {
    const server = await aMirror(version);
    await migrateDatabase({ url: server.url, tables: [{ ...slats, isUsers: true }] });
    await server.pool.query(
      `select setval('mirror.fetch_version', 10); insert into procore.slats (company_id, project_id, id, width, colour, _data, _version) values (1, 7, 1, 2.5, 'red', '{"id": 1}', 3)`,
    );
    const lines: string[] = [];
    const options = { url: server.url, tables: [ours], migrations: later(...makeSlats) };
    await migrateDatabase({ ...options, onProgress: (line) => lines.push(line) });
    expect(lines).toEqual([
      'took over procore.slats, which was there; added crate_id, due_date',
      'left to the workers: procore.slats_parent',
      'applied 9999_slats',
    ]);
    const { rows } = await server.pool.query('select * from procore.slats');
    expect(rows).toEqual([expect.objectContaining({ width: '2.5', colour: 'red', crate_id: null, due_date: null })]);
    expect(await state(server)).toMatchObject({
      columns: expect.arrayContaining(['crate_id', 'due_date', 'colour']),
      indexes: ['procore.slats_pkey', 'procore.slats_project'],
      ledger: ['9999_slats'],
    });
    const again: string[] = [];
    expect(await migrateDatabase({ ...options, onProgress: (line) => again.push(line) })).toEqual({ applied: [] });
    expect(again).toEqual([]);
    const database = openDatabase({ url: server.url, applicationName: 'test' });
    closing.push(() => database.close());
    await checkDatabase(database, [ours], options.migrations);
  });
});

test('an index of the same name on another column is made anew', async () => {
  const server = await aMirror();
  await migrateDatabase({
    url: server.url,
    tables: [{ ...slats, parentKey: 'box_id', isUsers: true }],
  });
  await migrateDatabase({ url: server.url, tables: [ours], migrations: later(...makeSlats) });
  const { rows } = await server.pool.query(`select indexdef from pg_indexes where indexname = 'slats_parent'`);
  expect(rows[0].indexdef).toContain('(crate_id)');
});

const key = 'constraint slats_pkey primary key';
const own =
  '_data jsonb, _complete boolean not null default false, _deleted_at timestamptz, _hidden_at timestamptz, _fetched_at timestamptz, _version bigint not null, _event_id text';
test.each<[string, string, string[]]>([
  [
    'that another tool made',
    'create table procore.slats (mine int)',
    ['it lacks company_id', '_version', 'no primary key'],
  ],
  [
    'with another key',
    `create table procore.slats (company_id bigint, project_id bigint not null, id bigint, ${own}, ${key} (company_id, project_id, id))`,
    ['its key is company_id, project_id, id and not company_id, id'],
  ],
  [
    'with a column of another type',
    `create table procore.slats (company_id bigint, project_id bigint not null, id bigint, width text, ${own}, ${key} (company_id, id))`,
    ['width is text and not numeric'],
  ],
  [
    'that wants what we never give',
    `create table procore.slats (company_id bigint, project_id bigint not null, id bigint, colour text not null, ${own}, ${key} (company_id, id))`,
    ['colour must not be null'],
  ],
  ['that is a view', 'create view procore.slats as select 1 as id', ['it is a view']],
])('a table %s is named with how it differs and what to do, and nothing is changed', async (_, make, problems) => {
  const server = await aMirror();
  await migrateDatabase({ url: server.url, tables: [] });
  await server.pool.query(make);
  const before = await state(server);
  const error = await migrateDatabase({ url: server.url, tables: [], migrations: later(...makeSlats) }).then(
    () => new Error('it went through'),
    (caught: Error) => caught,
  );
  expect(error.message).toContain('procore.slats is there already');
  for (const problem of problems) expect(error.message).toContain(problem);
  expect(error.message).toContain('alter table procore.slats set schema');
  expect(await state(server)).toEqual(before);
});

test('a table of that name in schema mirror is named, and nothing is changed', async () => {
  const server = await aMirror();
  await server.pool.query('create schema mirror; create table mirror.events (id int)');
  await expect(migrateDatabase({ url: server.url, tables: [] })).rejects.toThrow(
    /mirror\.events is there already.*alter table mirror\.events set schema/s,
  );
  const { rows } = await server.pool.query(
    `select to_regnamespace('procore') as made, to_regclass('mirror.migrations') as ledger`,
  );
  expect(rows).toEqual([{ made: null, ledger: null }]);
});

describe('a column that an operator added to a table of ours', () => {
  const addColumn = (type: string) => later(`ALTER TABLE "procore"."rfis" ADD COLUMN "mood" ${type};`);
  test('is kept when a migration adds the same', async () => {
    const server = await aMirror();
    await migrateDatabase({ url: server.url, tables: [] });
    await server.pool.query(`alter table procore.rfis add column mood timestamptz;
      insert into procore.rfis (company_id, project_id, id, mood, _version) values (1, 7, 1, '2026-01-01Z', 1)`);
    await migrateDatabase({ url: server.url, tables: [], migrations: addColumn('timestamp with time zone') });
    const { rows } = await server.pool.query('select mood is not null as kept from procore.rfis');
    expect(rows).toEqual([{ kept: true }]);
  });
  test('is named when it has another type', async () => {
    const server = await aMirror();
    await migrateDatabase({ url: server.url, tables: [] });
    await server.pool.query('alter table procore.rfis add column mood text');
    await expect(migrateDatabase({ url: server.url, tables: [], migrations: addColumn('bigint') })).rejects.toThrow(
      /procore\.rfis has a column mood already.*text and not bigint.*rename column/s,
    );
  });
});
