import type pg from 'pg';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { tableName } from '../schema/quote.ts';

/** Postgres compresses a row until two of them fit on a page, and keeps it in one piece. */
const IN_ONE_PIECE = 'toast_tuple_target = 4080';

/**
 * Has Postgres keep new rows of these tables so that it writes them fast: in one piece where it can, compressed by lz4
 * where the server has that. Rows that are there stay as they are, and so does what the operator has set. Idempotent.
 */
export async function arrangeStorage(client: pg.ClientBase, tables: readonly MirroredTable[]): Promise<void> {
  const { rows } = await client.query<{ name: string; has_target: boolean; takes_lz4: boolean }>(
    `select c.relname as name, coalesce(c.reloptions::text like '%toast_tuple_target=%', false) as has_target,
        a.attcompression = '' and s.enumvals @> '{lz4}' as takes_lz4
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = '_data'
        join pg_settings s on s.name = 'default_toast_compression'
      where c.relnamespace = 'procore'::regnamespace and c.relkind = 'r'`,
  );
  const states = new Map(rows.map((row) => [row.name, row]));
  const statements = tables.flatMap((table) => {
    const state = states.get(table.name);
    return [
      ...(state?.has_target === false ? [`alter table ${tableName(table)} set (${IN_ONE_PIECE})`] : []),
      ...(state?.takes_lz4 === true ? [`alter table ${tableName(table)} alter _data set compression lz4`] : []),
    ];
  });
  if (statements.length > 0) await client.query(statements.join(';\n'));
}
