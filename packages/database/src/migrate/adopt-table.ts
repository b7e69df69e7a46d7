// A table that is to be made and is there already: made from an operator's MIRROR_CATALOGUE by an earlier version, or by
// somebody else. What is ours has the key, the mirror's own columns and the types that are wanted; it may lack fields of Procore,
// and have columns that nobody asked for.
import type pg from 'pg';
import { DatabaseVersionError } from '../errors.ts';
import { quoteName } from '../schema/quote.ts';
import { type Name, quoted, shown } from './migration-statement.ts';

type Column = { name: string; type: string; required: boolean; default: string | null };

export type Shape = { kind: 'table' | 'view' | 'other'; columns: readonly Column[]; key: string };

/** What is there under this name; null when nothing is. `relation` is its name as SQL writes it. */
export async function readShape(client: pg.ClientBase, relation: string): Promise<Shape | null> {
  const { rows } = await client.query<Shape>(SHAPE, [relation]);
  return rows[0] ?? null;
}

const SHAPE = `
select case when c.relkind in ('r', 'p') then 'table' when c.relkind in ('v', 'm') then 'view' else 'other' end as kind,
  coalesce((select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'required', a.attnotnull, 'default', pg_get_expr(d.adbin, d.adrelid)) order by a.attnum)
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped), '[]') as columns,
  coalesce((select string_agg(a.attname, ', ' order by array_position(i.indkey::int2[], a.attnum))
    from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
    where i.indisprimary and i.indrelid = c.oid), '') as key
from pg_class c where c.oid = to_regclass($1)`;

/** The shape that a `create table` of a migration would give. */
export async function shapeOf(client: pg.ClientBase, statement: string): Promise<Shape> {
  const scratch = 'as_wanted_by_migration';
  await client.query('savepoint shape');
  await client.query(statement.replace(/create\s+table\s+\S+/i, `create temporary table ${scratch}`));
  const shape = await readShape(client, `pg_temp.${scratch}`);
  await client.query('rollback to savepoint shape');
  if (shape === null) throw new Error('a migration makes a table in a way that cannot be read');
  return shape;
}

/** Adds what the table lacks of what is wanted and returns the names of that. Throws DatabaseVersionError when it is another table. */
export async function adoptTable(client: pg.ClientBase, table: Name, found: Shape, wanted: Shape): Promise<string[]> {
  const problems = differences(found, wanted);
  if (problems.length > 0) throw isAnother(table, problems);
  const present = new Map(found.columns.map((column) => [column.name, column]));
  const added = wanted.columns.filter(({ name }) => !present.has(name));
  const changes = [
    ...added.map((column) => `add column ${definition(column)}`),
    ...wanted.columns
      .filter((column) => column.default !== null && present.get(column.name)?.default === null)
      .map((column) => `alter column ${quoteName(column.name)} set default ${column.default}`),
  ];
  if (changes.length > 0) await client.query(`alter table ${quoted(table)} ${changes.join(', ')}`);
  return added.map(({ name }) => name);
}

/** A column as `create table` and `add column` write it. */
export function definition(column: Column): string {
  const rest = `${column.default === null ? '' : ` default ${column.default}`}${column.required ? ' not null' : ''}`;
  return `${quoteName(column.name)} ${column.type}${rest}`;
}

/** Tells that there is another table of this name, and what to do. */
export function isAnother(table: Name, problems: readonly string[]): DatabaseVersionError {
  const shownName = shown(table);
  return new DatabaseVersionError(
    `${shownName} is there already and is no table of this mirror: ${problems.join('; ')}. Correct its entry in MIRROR_CATALOGUE if it has one, else rename it, move it to another schema ` +
      `(\`alter table ${shownName} set schema …\`) or drop it, then run \`pnpm mirror migrate\` again; nothing was changed`,
  );
}

function differences(found: Shape, wanted: Shape): string[] {
  if (found.kind !== 'table') return [`it is ${found.kind === 'view' ? 'a view' : 'no table'}`];
  const isExpected = new Set(wanted.columns.map(({ name }) => name));
  const present = new Map(found.columns.map((column) => [column.name, column]));
  const keyNames = wanted.key.split(', ');
  const lacks = wanted.columns
    .map(({ name }) => name)
    .filter((name) => !present.has(name) && (name.startsWith('_') || keyNames.includes(name)));
  return [
    ...(lacks.length > 0 ? [`it lacks ${lacks.join(', ')}`] : []),
    ...wanted.columns.flatMap((column) => difference(present.get(column.name), column)),
    ...found.columns
      .filter((column) => !isExpected.has(column.name) && column.required && column.default === null)
      .map(({ name }) => `${name} must not be null`),
    ...(found.key === wanted.key ? [] : [keyProblem(found.key, wanted.key)]),
  ];
}

function difference(found: Column | undefined, wanted: Column): string[] {
  if (found === undefined) return [];
  if (found.type !== wanted.type) return [`${wanted.name} is ${found.type} and not ${wanted.type}`];
  if (found.required === wanted.required) return [];
  return [found.required ? `${wanted.name} must not be null` : `${wanted.name} may be null`];
}

function keyProblem(found: string, wanted: string): string {
  return found === '' ? 'it has no primary key' : `its key is ${found} and not ${wanted}`;
}

/** Whether a column of this name and type is there. Throws DatabaseVersionError when it has another type. */
export async function hasColumn(
  client: pg.ClientBase,
  { table, column, type }: { table: Name; column: string; type: string },
): Promise<boolean> {
  const { rows } = await client.query<{ found: string; wanted: string | null }>(
    `select format_type(atttypid, atttypmod) as found, format_type(to_regtype($3)::oid, null) as wanted
      from pg_attribute where attrelid = to_regclass($1) and attname = $2 and attnum > 0 and not attisdropped`,
    [quoted(table), column, type],
  );
  const [row] = rows;
  if (row === undefined) return false;
  if (row.found === row.wanted) return true;
  throw new DatabaseVersionError(
    `${shown(table)} has a column ${column} already, which is ${row.found} and not ${type}: rename it ` +
      `(\`alter table ${shown(table)} rename column ${quoteName(column)} to …\`), then run \`pnpm mirror migrate\` again; nothing was changed`,
  );
}

/**
 * Whether the index that this statement makes is there. One of the same name on the same table that is another, or broken, is
 * dropped. Throws DatabaseVersionError when something else has its name.
 */
export async function hasIndex(
  client: pg.ClientBase,
  { index, table, text }: { index: Name; table: Name; text: string },
): Promise<boolean> {
  const { rows } = await client.query<{ is_ours: boolean; definition: string | null }>(
    `select coalesce(i.indrelid = to_regclass($2), false) as is_ours, case when i.indisvalid then pg_get_indexdef(i.indexrelid) end as definition
      from pg_class c left join pg_index i on i.indexrelid = c.oid where c.oid = to_regclass($1)`,
    [quoted(index), quoted(table)],
  );
  const [found] = rows;
  if (found === undefined) return false;
  if (!found.is_ours) {
    throw new DatabaseVersionError(
      `${shown(index)} is there already and is no index of ${shown(table)}: rename it, then run \`pnpm mirror migrate\` again; nothing was changed`,
    );
  }
  if (found.definition !== null && plain(found.definition) === plain(text)) return true;
  await client.query(`drop index ${quoted(index)}`);
  return false;
}

function plain(statement: string): string {
  return statement
    .replace(/^\s*--[^\n]*$/gm, '')
    .replace(/if\s+not\s+exists|using\s+btree|[";\s]/gi, '')
    .toLowerCase();
}
