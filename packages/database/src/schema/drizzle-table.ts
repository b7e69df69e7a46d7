import {
  bigint,
  boolean,
  customType,
  date,
  type ExtraConfigColumn,
  index,
  jsonb,
  numeric,
  type PgColumnBuilderBase,
  type PgTable,
  pgSchema,
  primaryKey,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';
import { allColumns, keyColumns, type MirroredTable, type TableColumn } from './mirrored-table.ts';

export const procore = pgSchema('procore');

const columnOf = {
  bigint: () => bigint({ mode: 'bigint' }),
  text: () => text(),
  boolean: () => boolean(),
  numeric: () => numeric(),
  date: () => date(),
  timestamptz: () => timestamp({ withTimezone: true }),
  jsonb: () => jsonb(),
  bytea: customType<{ data: Buffer }>({ dataType: () => 'bytea' }),
} satisfies Record<TableColumn['type'], () => PgColumnBuilderBase>;

/** The table that drizzle-kit compares with `migrations/`; at run time all SQL is made from the MirroredTable itself. */
export function drizzleTable(table: MirroredTable): PgTable {
  const columns = Object.fromEntries(allColumns(table).map((column) => [column.name, drizzleColumn(column)]));
  return procore.table(table.name, columns, (made) => {
    // The columns are a record, so the compiler cannot know that these keys are in it.
    const on = (name: string) => made[name] as ExtraConfigColumn;
    const [key = on('id'), ...moreKeys] = keyColumns(table).map(on);
    return [
      primaryKey({ name: `${table.name}_pkey`, columns: [key, ...moreKeys] }),
      ...(table.scope === 'project' ? [index(`${table.name}_project`).on(on('project_id'))] : []),
      ...(table.parentKey === null ? [] : [index(`${table.name}_parent`).on(on(table.parentKey))]),
    ];
  });
}

function drizzleColumn({ type, required, default: value }: TableColumn): PgColumnBuilderBase {
  const column = value === null ? columnOf[type]() : columnOf.boolean().default(value);
  return required ? column.notNull() : column;
}
