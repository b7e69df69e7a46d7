import type { TestDatabase } from '@procore-mirror/testing';
import { type Database, openDatabase } from '../connection/open-database.ts';
import { createMigratedDatabase } from './migrated-database.ts';

export type EmptyMirror = { test: TestDatabase; database: Database; close: () => Promise<void> };

/** A migrated database of the test's own that mirrors nothing: for what the tables for operators do. */
export async function openEmptyMirror(): Promise<EmptyMirror> {
  const test = await createMigratedDatabase([]);
  const database = openDatabase({ url: test.url, applicationName: 'test' });
  return {
    test,
    database,
    close: async () => {
      await database.close();
      await test.drop();
    },
  };
}
