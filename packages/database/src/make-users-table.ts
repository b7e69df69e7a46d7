// Tables that the operator defined. No migration knows them, so they are made from their definition: what is missing is
// added, nothing is ever dropped or changed.
import type pg from 'pg';
import { allColumns, keyColumns, type MirroredTable } from './mirrored-table.ts';
import type { Database } from './open-database.ts';
import { quoteLiteral, quoteName, tableName } from './quote.ts';
import { holdsRows, indexUpkeep, leaveToWorkers } from './upkeep.ts';

type Queryable = Pick<Database['pool'], 'query'>;

/**
 * Makes the table, its indexes and its columns where they are missing. Idempotent. Throws when there is a table of this
 * name with another key or with a column of another type.
 */
export async function makeUsersTable(
  client: pg.ClientBase,
  table: MirroredTable,
  onProgress: (line: string) => void,
): Promise<void> {
  const before = await readColumns(client, table);
  const columns = allColumns(table);
  const added = columns.filter(([name]) => !before.has(name)).map(([name]) => name);
  const wrong = columns.filter(([name, type]) => (before.get(name) ?? type) !== type);
  if (wrong.length > 0) {
    const list = wrong.map(([name, type]) => `${name} is ${before.get(name)} there and ${type} in MIRROR_CATALOGUE`);
    throw new Error(`procore.${table.name} is another table: ${list.join(', ')}`);
  }
  if (before.size === 0) await client.query(createStatement(table));
  const key = await readKey(client, table);
  if (key !== keyColumns(table).join(', ')) {
    throw new Error(`procore.${table.name} is another table: its key is ${key}, not ${keyColumns(table).join(', ')}`);
  }
  if (before.size > 0 && added.length > 0) await client.query(addStatements(table, added));
  await makeIndexes(client, table);
  if (before.size === 0) onProgress(`made procore.${table.name}`);
  else if (added.length > 0) onProgress(`added to procore.${table.name}: ${added.join(', ')}`);
}

/** Names of the operator's tables that the database lacks, or of their columns. */
export async function lackingUsersTables(client: Queryable, tables: readonly MirroredTable[]): Promise<string[]> {
  const lacking: string[] = [];
  for (const table of tables) {
    if (table.isUsers !== true) continue;
    const present = await readColumns(client, table);
    const missing = allColumns(table).filter(([name]) => !present.has(name));
    lacking.push(...(present.size === 0 ? [table.name] : missing.map(([name]) => `${table.name}.${name}`)));
  }
  return lacking;
}

const REQUIRED: readonly string[] = ['company_id', 'project_id', 'id', '_complete', '_version'];

function definition([column, type]: readonly [name: string, type: string]): string {
  const rest = `${column === '_complete' ? ' default false' : ''}${REQUIRED.includes(column) ? ' not null' : ''}`;
  return `${quoteName(column)} ${type}${rest}`;
}

function createStatement(table: MirroredTable): string {
  const key = `constraint ${quoteName(`${table.name}_pkey`)} primary key (${keyColumns(table).join(', ')})`;
  return `create table ${tableName(table)} (${[...allColumns(table).map(definition), key].join(', ')})`;
}

function addStatements(table: MirroredTable, added: readonly string[]): string {
  const columns = allColumns(table).filter(([name]) => added.includes(name));
  return `alter table ${tableName(table)} ${columns.map((column) => `add column ${definition(column)}`).join(', ')}`;
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

async function readColumns(client: Queryable, { name }: MirroredTable): Promise<Map<string, string>> {
  const { rows } = await client.query<{ name: string; type: string }>(
    `select column_name as name, udt_name as type from information_schema.columns
      where table_schema = 'procore' and table_name = $1`,
    [name],
  );
  const sqlNames: Record<string, string> = { int8: 'bigint', bool: 'boolean' };
  return new Map(rows.map((row) => [row.name, sqlNames[row.type] ?? row.type]));
}

async function readKey(client: Queryable, table: MirroredTable): Promise<string> {
  const { rows } = await client.query<{ key: string | null }>(
    `select string_agg(a.attname, ', ' order by array_position(i.indkey::int2[], a.attnum)) as key
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
      where i.indisprimary and i.indrelid = ${quoteLiteral(tableName(table))}::regclass`,
  );
  return rows[0]?.key ?? 'none';
}
