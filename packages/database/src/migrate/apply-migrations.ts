import type pg from 'pg';
import { adoptTable, hasColumn, hasIndex, isAnother, readShape, shapeOf } from './adopt-table.ts';
import { addValue } from './enum-values.ts';
import { emptyFreshness } from './freshness-view.ts';
import type { Migration } from './migration-ledger.ts';
import { quoted, readStatement, type Statement, shown } from './migration-statement.ts';
import { forgetUpkeep, holdsRows, indexUpkeep, isUpkeepKnown, leaveToWorkers, type Upkeep } from './upkeep.ts';

/**
 * Runs the statements of these migrations and enters each in the ledger. What takes long where there are rows is left to the
 * workers: indexes of tables that were there before, and fillings.
 */
export async function applyMigrations(
  client: pg.ClientBase,
  migrations: readonly Migration[],
  onProgress: (line: string) => void,
): Promise<void> {
  if (migrations.length === 0) return;
  // A view on the tables would keep a migration from changing them; replaced, it keeps its grants and its dependents.
  await emptyFreshness(client);
  const run = { client, tables: await readTables(client), onProgress };
  for (const { name, hash, statements } of migrations) {
    for (const statement of statements) await apply(run, readStatement(statement));
    await client.query('insert into mirror.migrations (name, hash) values ($1, $2)', [name, hash]);
    onProgress(`applied ${name}`);
  }
}

type Run = {
  client: pg.ClientBase;
  /** The tables that were there before. */
  tables: ReadonlySet<string>;
  onProgress: (line: string) => void;
};

async function apply(run: Run, statement: Statement): Promise<void> {
  const { client } = run;
  if (await isThere(run, statement)) return;
  const upkeep = asUpkeep(statement);
  if (upkeep !== null && (await takesLong(run, upkeep))) {
    await leaveToWorkers(client, upkeep);
    run.onProgress(`left to the workers: ${upkeep.name}`);
  } else if (statement.kind === 'add value') {
    await addValue(client, statement);
  } else if (statement.kind === 'drop index') {
    await forgetUpkeep(client, shown(statement.index));
    await client.query(`drop index if exists ${quoted(statement.index)}`); // it may not be made yet
  } else {
    await client.query(statement.text);
  }
}

/** Whether what the statement makes is there already: an operator's MIRROR_CATALOGUE may have made it. */
async function isThere({ client, tables, onProgress }: Run, statement: Statement): Promise<boolean> {
  if (statement.kind === 'add column')
    return tables.has(shown(statement.table)) && (await hasColumn(client, statement));
  if (statement.kind === 'make index') return hasIndex(client, statement);
  if (statement.kind === 'make schema') return hasSchema(client, statement.schema);
  if (statement.kind !== 'make table') return false;
  const { table, text } = statement;
  const found = await readShape(client, quoted(table));
  if (found === null) return false;
  if (table.schema !== 'procore') throw isAnother(table, ['no migration of this database made it']);
  const added = await adoptTable(client, table, found, await shapeOf(client, text));
  onProgress(`took over ${shown(table)}, which was there${added.length > 0 ? `; added ${added.join(', ')}` : ''}`);
  return true;
}

/** Asking for a schema "if not exists" takes the right to make schemas, though it is there. */
async function hasSchema(client: pg.ClientBase, schema: string): Promise<boolean> {
  const { rowCount } = await client.query('select from pg_namespace where nspname = $1', [schema]);
  return rowCount === 1;
}

function asUpkeep(statement: Statement): Upkeep | null {
  if (statement.kind === 'make index') return indexUpkeep(statement.text, statement.index, statement.table);
  if (statement.kind !== 'filling') return null;
  const { name, kind, text, table } = statement;
  return { name, kind, statement: text, table };
}

/** On the way from a version whose workers know no upkeep all is done at once. */
async function takesLong({ client, tables }: Run, { table }: Upkeep): Promise<boolean> {
  return tables.has(shown(table)) && (await holdsRows(client, table)) && (await isUpkeepKnown(client));
}

async function readTables(client: pg.ClientBase): Promise<Set<string>> {
  const { rows } = await client.query<{ schema: string; name: string }>(
    `select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('procore', 'mirror') and c.relkind in ('r', 'p')`,
  );
  return new Set(rows.map(shown));
}
