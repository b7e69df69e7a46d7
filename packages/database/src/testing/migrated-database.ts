import { createHash } from 'node:crypto';
import { createTestDatabase, type TestDatabase } from '@procore-mirror/testing';
import { migrateDatabase } from '../migrate/migrate-database.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';

/**
 * A database of its own that is migrated, with these tables of the catalogue: the copy of one that is migrated once in a run. Tests of
 * migrating itself migrate one of their own.
 */
export function createMigratedDatabase(
  tables: readonly MirroredTable[],
  version?: 'postgres18' | 'postgres15',
): Promise<TestDatabase> {
  const content = createHash('sha256').update(JSON.stringify(tables)).digest('hex').slice(0, 16);
  return createTestDatabase(version, {
    name: `migrated_${content}`,
    make: (url) => migrateDatabase({ url, tables }),
  });
}
