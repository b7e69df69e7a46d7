import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { DatabaseVersionError } from '../errors.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { lackingUsersTables } from './make-users-table.ts';
import { type Migration, readLedger, readMigrations } from './migration-ledger.ts';
import { checkRights } from './rights.ts';
import { lackingFunctions, readFunctions, type SqlFunction } from './sql-functions.ts';

const OLDEST_POSTGRES = 150_000;

/**
 * Throws DatabaseVersionError when the database is older or newer than this version of procore-mirror, or unfit for any,
 * or lacks some of those tables that the operator defined, or when this role may not use it. `tables`: those that are to be
 * written; without them the mirror is only read.
 */
export async function checkDatabase(
  database: Database,
  tables: readonly MirroredTable[] = [],
  migrations: readonly Migration[] = readMigrations(),
  functions: readonly SqlFunction[] = readFunctions(),
): Promise<void> {
  await checkServer(database.pool);
  await checkRights(database.pool, tables, migrations, functions);
  const { missing, foreign } = await readLedger(database.pool, migrations);
  if (foreign.length > 0) throw newerDatabase(foreign);
  if (missing.length > 0) {
    throw new DatabaseVersionError(
      `the database lacks ${missing.length} migration(s), first ${missing[0]?.name}: run \`pnpm mirror migrate\``,
    );
  }
  const [otherwise] = await lackingFunctions(database.pool, functions);
  if (otherwise !== undefined) {
    throw new DatabaseVersionError(
      `the function mirror.${otherwise.name} is not that of this version: run \`pnpm mirror migrate\`, or update ` +
        'procore-mirror if a newer version has migrated this database',
    );
  }
  const lacking = await lackingUsersTables(database.pool, tables);
  if (lacking.length > 0) {
    throw new DatabaseVersionError(
      `the database lacks procore.${lacking.join(', procore.')}: run \`pnpm mirror migrate\``,
    );
  }
}

/** Throws DatabaseVersionError when the server or the database could not hold a mirror at all. */
export async function checkServer(client: Queryable): Promise<void> {
  const { rows } = await client.query<{ version: number; shown: string; encoding: string }>(
    `select current_setting('server_version_num')::int as version, current_setting('server_version') as shown,
      current_setting('server_encoding') as encoding`,
  );
  const [server] = rows;
  if (server === undefined || server.version < OLDEST_POSTGRES) {
    throw new DatabaseVersionError(`PostgreSQL 15 or newer is needed; this server is ${server?.shown}`);
  }
  if (server.encoding !== 'UTF8') {
    throw new DatabaseVersionError(
      `the database is encoded in ${server.encoding}; make one with \`create database … encoding 'UTF8' template template0\``,
    );
  }
}

export function newerDatabase(foreign: readonly string[]): DatabaseVersionError {
  return new DatabaseVersionError(
    `this database is newer: it has seen ${foreign.join(', ')}, which this version does not know; update procore-mirror`,
  );
}
