// For tests: a migrated database with three tables that between them have every kind of key and column.
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { getTableConfig } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { migrateDatabase } from '../migrate/migrate-database.ts';
import { type Answer, type StoreOutcome, storeRecords } from '../rows/store-records.ts';
import { drizzleTable } from '../schema/drizzle-table.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';

export const notes: MirroredTable = {
  name: 'notes',
  resource: "Surveyor's Notes",
  scope: 'project',
  idType: 'bigint',
  idRepeatsAcrossProjects: false,
  parentKey: 'survey_id',
  columns: [
    { name: 'title', type: 'text', note: "the surveyor's own" },
    { name: 'position', type: 'bigint' },
    { name: 'amount', type: 'numeric' },
    { name: 'official', type: 'boolean' },
    { name: 'due_date', type: 'date' },
    { name: 'updated_at', type: 'timestamptz' },
    { name: 'location', type: 'jsonb' },
  ],
};

/** Ids are ULIDs, and belong to the company. */
export const badges: MirroredTable = {
  name: 'badges',
  resource: 'Badges',
  scope: 'company',
  idType: 'text',
  idRepeatsAcrossProjects: false,
  parentKey: null,
  columns: [{ name: 'name', type: 'text' }],
};

/** One person's id in several projects. */
export const people: MirroredTable = {
  name: 'people',
  resource: 'People',
  scope: 'project',
  idType: 'bigint',
  idRepeatsAcrossProjects: true,
  parentKey: null,
  columns: [{ name: 'name', type: 'text' }],
};

export const sampleTables = [notes, badges, people];

export type SampleMirror = {
  test: TestDatabase;
  database: Database;
  /** Stores an answer in a transaction of its own; by default notes of project 2 in company 1. */
  store: (answer: Partial<Omit<Answer, 'json'>> & { json: string }) => Promise<StoreOutcome>;
  /** The row of a record, all columns as text; undefined when there is none. */
  row: (table: MirroredTable, id: string) => Promise<Record<string, string | null> | undefined>;
  close: () => Promise<void>;
};

export async function openSampleMirror(version?: 'postgres18' | 'postgres15'): Promise<SampleMirror> {
  const test = await createTestDatabase(version, { name: 'sample_mirror', make: makeSample });
  const database = openDatabase({ url: test.url, applicationName: 'test' });
  // Tests number their fetches by hand: these numbers were given.
  await database.pool.query(`select setval('mirror.fetch_version', 1000000)`);
  return {
    test,
    database,
    store: ({ json, ...answer }) =>
      inTransaction(database, (client) =>
        storeRecords(client, {
          table: notes,
          companyId: '1',
          projectId: '2',
          version: '1',
          wrapper: 'none',
          parentId: null,
          only: null,
          ...answer,
          json: Buffer.from(json),
        }),
      ),
    row: async (table, id) => {
      const columns = getTableConfig(drizzleTable(table)).columns.map(({ name }) => `${name}::text as ${name}`);
      const { rows } = await database.pool.query(
        `select ${columns.join(', ')} from procore.${table.name} where id::text = $1`,
        [id],
      );
      return rows[0];
    },
    close: async () => {
      await database.close();
      await test.drop();
    },
  };
}

async function makeSample(url: string): Promise<void> {
  await migrateDatabase({ url, tables: [] });
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  for (const table of sampleTables) await client.query(createStatement(table));
  await client.end();
  await migrateDatabase({ url, tables: sampleTables });
}

function createStatement(table: MirroredTable): string {
  const { columns, primaryKeys } = getTableConfig(drizzleTable(table));
  const keys = primaryKeys.flatMap((key) => key.columns.map(({ name }) => name));
  const definitions = columns.map(
    (column) =>
      `${column.name} ${column.getSQLType()} ${column.notNull ? 'not null' : ''} ${column.hasDefault ? `default ${column.default}` : ''}`,
  );
  return `create table procore.${table.name} (${definitions.join(', ')}, primary key (${keys.join(', ')}))`;
}
