// A migrated database whose now() is what the test says: a schema in front of pg_catalog answers it, as in e2e/week/virtual-database.ts.
import { createTestDatabase } from '@procore-mirror/testing';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { migrateDatabase } from '../migrate/migrate-database.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';

const CLOCK = `
create schema virtual_clock;
create function virtual_clock.now() returns timestamptz language sql stable as $$
  select coalesce(to_timestamp(nullif(current_setting('virtual_clock.ms', true), '')::float8 / 1000), pg_catalog.now())
$$;
create function virtual_clock.clock_timestamp() returns timestamptz language sql stable as $$ select virtual_clock.now() $$`;

export type ClockedMirror = { database: Database; setNow: (ms: number) => Promise<void>; close: () => Promise<void> };

/** With one connection, which knows the time. */
export async function openClockedMirror(tables: readonly MirroredTable[]): Promise<ClockedMirror> {
  const test = await createTestDatabase();
  const name = new URL(test.url).pathname.slice(1);
  await test.pool.query(CLOCK);
  await test.pool.query(`alter database ${name} set search_path = virtual_clock, public, pg_catalog`);
  await test.pool.query(`alter database ${name} set synchronous_commit = off`);
  await migrateDatabase({ url: test.url, tables });
  const database = openDatabase({ url: test.url, applicationName: 'test', max: 1 });
  return {
    database,
    setNow: async (ms) => {
      await database.pool.query(`set virtual_clock.ms = '${ms}'`);
    },
    close: async () => {
      await database.close();
      await test.drop();
    },
  };
}
