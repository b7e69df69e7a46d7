// Tables that the operator defined. No migration knows them, so they are made from their definition: what is missing is
// added, nothing is ever dropped or changed.
import type pg from 'pg';
import type { Queryable } from '../connection/queryable.ts';
import { allColumns, keyColumns, type MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';
import { adoptTable, definition, readShape, type Shape } from './adopt-table.ts';
import { holdsRows, indexUpkeep, leaveToWorkers } from './upkeep.ts';

/**
 * Makes the table, its indexes and its columns where they are missing. Idempotent. Throws when there is a table of this
 * name with another key or with a column of another type.
 */
export async function makeUsersTable(
  client: pg.ClientBase,
  table: MirroredTable,
  onProgress: (line: string) => void,
): Promise<void> {
  const found = await readShape(client, tableName(table));
  if (found === null) {
    await client.query(createStatement(table));
    onProgress(`made procore.${table.name}`);
  } else {
    const added = await adoptTable(client, { schema: 'procore', name: table.name }, found, wantedShape(table));
    if (added.length > 0) onProgress(`added to procore.${table.name}: ${added.join(', ')}`);
  }
  await makeIndexes(client, table);
}

/** Names of the operator's tables that the database lacks, or of their columns. */
export async function lackingUsersTables(client: Queryable, tables: readonly MirroredTable[]): Promise<string[]> {
  const lacking: string[] = [];
  for (const table of tables) {
    if (table.isUsers !== true) continue;
    const present = await readColumns(client, table);
    const missing = allColumns(table).filter(({ name }) => !present.has(name));
    lacking.push(...(present.size === 0 ? [table.name] : missing.map(({ name }) => `${table.name}.${name}`)));
  }
  return lacking;
}

function createStatement(table: MirroredTable): string {
  const key = `constraint ${quoteName(`${table.name}_pkey`)} primary key (${keyColumns(table).join(', ')})`;
  return `create table ${tableName(table)} (${[...wantedShape(table).columns.map(definition), key].join(', ')})`;
}

function wantedShape(table: MirroredTable): Shape {
  const columns = allColumns(table).map((column) => ({
    ...column,
    type: column.type === 'timestamptz' ? 'timestamp with time zone' : column.type,
    default: column.default === null ? null : String(column.default),
  }));
  return { kind: 'table', columns, key: keyColumns(table).join(', ') };
}

/** Makes the indexes that the table lacks, or has the workers make them where it holds rows. */
async function makeIndexes(client: pg.ClientBase, table: MirroredTable): Promise<void> {
  const wanted = [
    ...(table.scope === 'project' ? [['project', 'project_id']] : []),
    ...(table.parentKey === null ? [] : [['parent', table.parentKey]]),
  ].map(([suffix, column = '']) => ({ index: { schema: 'procore', name: `${table.name}_${suffix}` }, column }));
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c left join pg_index i on i.indexrelid = c.oid
      where c.relnamespace = 'procore'::regnamespace and c.relname = any($1) and coalesce(i.indisvalid, true)`,
    [wanted.map(({ index }) => index.name)],
  );
  const lacking = wanted.filter(({ index }) => !rows.some(({ name }) => name === index.name));
  if (lacking.length === 0) return;
  const place = { schema: 'procore', name: table.name };
  const isFilled = await holdsRows(client, place);
  for (const { index, column } of lacking) {
    const statement = `create index ${quoteName(index.name)} on ${tableName(table)} (${quoteName(column)})`;
    if (isFilled) await leaveToWorkers(client, indexUpkeep(statement, index, place));
    else await client.query(statement);
  }
}

async function readColumns(client: Queryable, { name }: MirroredTable): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(
    `select column_name as name from information_schema.columns
      where table_schema = 'procore' and table_name = $1`,
    [name],
  );
  return new Set(rows.map(({ name: column }) => column));
}
