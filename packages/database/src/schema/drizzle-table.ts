import {
  bigint,
  boolean,
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
import { type ColumnType, keyColumns, type MirroredTable } from './mirrored-table.ts';

export const procore = pgSchema('procore');

const columnOf = {
  bigint: () => bigint({ mode: 'bigint' }),
  text: () => text(),
  boolean: () => boolean(),
  numeric: () => numeric(),
  date: () => date(),
  timestamptz: () => timestamp({ withTimezone: true }),
  jsonb: () => jsonb(),
} satisfies Record<ColumnType, () => PgColumnBuilderBase>;

/** The table that drizzle-kit compares with `migrations/`; at run time all SQL is made from the MirroredTable itself. */
export function drizzleTable(table: MirroredTable): PgTable {
  const columns: Record<string, PgColumnBuilderBase> = {
    company_id: columnOf.bigint().notNull(),
    ...(table.scope === 'project' ? { project_id: columnOf.bigint().notNull() } : {}),
    id: columnOf[table.idType]().notNull(),
    ...(table.parentKey === null ? {} : { [table.parentKey]: columnOf[table.idType]() }),
    ...Object.fromEntries(table.columns.map(({ name, type }) => [name, columnOf[type]()])),
    _data: columnOf.jsonb(),
    _complete: columnOf.boolean().notNull().default(false),
    _deleted_at: columnOf.timestamptz(),
    _hidden_at: columnOf.timestamptz(),
    _fetched_at: columnOf.timestamptz(),
    _version: columnOf.bigint().notNull(),
    _event_id: columnOf.text(),
  };
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
