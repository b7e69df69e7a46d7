import pg from 'pg';
import { openDatabase } from '../connection/open-database.ts';
import { checkSequences } from '../connection/version-gap.ts';
import { arrangeCounts } from '../counts/arrange-counts.ts';
import { forgetSettledDrift } from '../rows/schema-drift.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { applyMigrations } from './apply-migrations.ts';
import { arrangeStorage } from './arrange-storage.ts';
import { checkServer, newerDatabase } from './check-database.ts';
import { comment } from './comments.ts';
import { addValues, firstPart } from './enum-values.ts';
import { arrangeFreshness } from './freshness-view.ts';
import { makeUsersTable } from './make-users-table.ts';
import { type Migration, readLedger, readMigrations } from './migration-ledger.ts';
import { grantReader, READER } from './reader-role.ts';
import { checkMigrationRights } from './rights.ts';
import { arrangeFunctions, readFunctions, type SqlFunction } from './sql-functions.ts';
import { LocksBusyError, waitBriefly, whenLocksAreFree } from './wait-for-locks.ts';

export type MigrateOptions = {
  url: string;
  /** All mirrored tables; comments, grants and `mirror.freshness` follow from them. */
  tables: readonly MirroredTable[];
  /** Told, line by line, what was done and what could not be done. */
  onProgress?: (line: string) => void;
  /** Told now and then who holds locks in its way; `onProgress` when not given. */
  onWait?: (line: string) => void;
  /** How long it goes on trying while others hold locks in its way; 10 min when not given. */
  lockWaitMs?: number;
  /** Those of this version when not given. */
  migrations?: readonly Migration[];
  /** Those of this version when not given. */
  functions?: readonly SqlFunction[];
};

const LOCK_WAIT_MS = 600_000;
/** What `create … if not exists` fails with when another transaction made the same thing meanwhile. */
const MADE_MEANWHILE: readonly unknown[] = ['23505', '42P06', '42P07'];

/**
 * Brings the database up to this version, or changes nothing: all of it is one transaction, but for new values of enumerations,
 * which are committed before their first use. Readers do not queue behind it: it waits 2 s for a lock, then begins again. Then
 * lifts the sequences where rows are numbered above them. Several processes may try at once; all but one wait and then find
 * nothing to do. Idempotent: what is so already is left alone. Returns the names of the migrations applied; throws
 * DatabaseVersionError when the database is newer, or when this role or something that is there is in the way.
 */
export async function migrateDatabase(options: MigrateOptions): Promise<{ applied: string[] }> {
  const { tables, onProgress = () => {}, onWait = onProgress, lockWaitMs = LOCK_WAIT_MS } = options;
  const database = openDatabase({
    url: options.url,
    applicationName: 'procore-mirror migrate',
    max: 2,
    statementTimeoutMs: 0,
  });
  try {
    await checkServer(database.pool);
    const applied: string[] = [];
    for (let isWhole = false; !isWhole; ) {
      const done = await whenLocksAreFree(database, (client) => migrateOnce(client, options), {
        limitMs: lockWaitMs,
        onWait,
        command: 'pnpm mirror migrate',
      }).catch((error: unknown) => {
        if (!(error instanceof LocksBusyError)) throw error;
        const what = applied.length === 0 ? 'nothing was changed' : `nothing was changed after ${applied.at(-1)}`;
        throw new Error(`${what}: ${error.message}`, { cause: error.cause });
      });
      for (const line of done.lines) onProgress(line);
      applied.push(...done.applied);
      isWhole = done.isWhole;
    }
    for (const line of await checkSequences(database, tables)) onProgress(line);
    return { applied };
  } finally {
    await database.close();
  }
}

/** What was done, whether that was all, and what is to be told of it once it is committed. */
type Done = { applied: string[]; isWhole: boolean; lines: string[] };

async function migrateOnce(
  client: pg.ClientBase,
  { tables, migrations = readMigrations(), functions = readFunctions() }: MigrateOptions,
): Promise<Done> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  await becomeOwner(client);
  await checkMigrationRights(client, tables, migrations, functions);
  await waitBriefly(client);
  await takeTurn(client);
  const { missing, foreign } = await readLedger(client, migrations);
  if (foreign.length > 0) throw newerDatabase(foreign);
  if (await addValues(client, missing)) return { applied: [], isWhole: false, lines };
  const part = await firstPart(client, missing);
  await applyMigrations(client, part, say);
  const applied = part.map(({ name }) => name);
  if (part.length < missing.length) return { applied, isWhole: false, lines };
  await arrangeFunctions(client, functions);
  for (const table of tables) if (table.isUsers) await makeUsersTable(client, table, say);
  await checkTables(client, tables);
  await arrangeStorage(client, tables);
  await arrangeCounts(client, tables, say);
  await arrangeFreshness(client, tables);
  await comment(client, tables);
  await forgetSettledDrift(client, tables);
  await grantReader(client, READER, say);
  return { applied, isWhole: true, lines };
}

/**
 * One at a time, until the transaction ends. An advisory lock could be held by anybody who may connect; this lock needs the
 * right to write the ledger. In an empty database whoever creates the ledger has it: others wait for that transaction.
 */
async function takeTurn(client: pg.ClientBase): Promise<void> {
  while (!(await hasLedger(client)));
  // Conflicts with all that writes, an older version's migration included; those that read the ledger do not wait.
  await client.query('lock table mirror.migrations in share row exclusive mode');
}

/**
 * Goes on as the role that owns the ledger, where this one may: what a superuser or a member makes would be closed to the owner, and to
 * the readers of what he made.
 */
async function becomeOwner(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ owner: string }>(
    `select quote_ident(pg_get_userbyid(relowner)) as owner from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where (nspname, relname) = ('mirror', 'migrations') and relowner <> current_user::regrole and pg_has_role(relowner, 'usage')`,
  );
  if (rows[0] !== undefined) await client.query(`set local role ${rows[0].owner}`);
}

const MAKE_LEDGER = `create table mirror.migrations (
  id integer generated always as identity primary key, name text not null, hash text not null unique,
  applied_at timestamptz not null default now())`;

/** Makes the ledger unless it is there; false when another process made part of it at the same moment. */
async function hasLedger(client: pg.ClientBase): Promise<boolean> {
  await client.query('savepoint ledger');
  try {
    const { rows } = await client.query<{ schema: boolean; ledger: boolean }>(
      `select to_regnamespace('mirror') is not null as schema, to_regclass('mirror.migrations') is not null as ledger`,
    );
    // A role that may make no schemas may not even ask for one that is there.
    if (rows[0]?.schema !== true) await client.query('create schema mirror');
    if (rows[0]?.ledger !== true) await client.query(MAKE_LEDGER);
    return true;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || !MADE_MEANWHILE.includes(error.code)) throw error;
    await client.query('rollback to savepoint ledger');
    return false;
  }
}

async function checkTables(client: pg.ClientBase, tables: readonly MirroredTable[]): Promise<void> {
  const { rows } = await client.query<{ name: string }>(
    `select table_name || '.' || column_name as name from information_schema.columns where table_schema = 'procore'`,
  );
  const present = new Set(rows.map(({ name }) => name));
  const lacking = tables.flatMap((table) =>
    ['id', ...table.columns.map(({ name }) => name)]
      .map((column) => `${table.name}.${column}`)
      .filter((name) => !present.has(name)),
  );
  if (lacking.length === 0) return;
  throw new Error(
    `no migration makes procore.${lacking.slice(0, 5).join(', procore.')}${lacking.length > 5 ? ` and ${lacking.length - 5} more` : ''}: ` +
      'run `pnpm generate` first',
  );
}
