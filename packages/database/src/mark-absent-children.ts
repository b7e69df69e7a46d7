import type pg from 'pg';
import { fittingIds } from './look-up.ts';
import type { MirroredTable } from './mirrored-table.ts';
import { quoteName, tableName } from './quote.ts';

export type ChildrenAbsence = {
  /** A table with a parent key whose records live inside their parent. */
  table: MirroredTable;
  companyId: string;
  /** The number of the fetch that showed the parents. */
  version: string;
  parentIds: readonly string[];
  /** Children that the parents do hold. */
  except: readonly string[];
  /** The parent is there, or gone for certain, so the children are gone; else they are only hidden from us. */
  bury: boolean;
};

/** Marks the mirrored children of these parents as absent, but for some. A row of a later fetch stays as it is. */
export async function markAbsentChildren(client: pg.ClientBase, absence: ChildrenAbsence): Promise<void> {
  const { table, parentIds } = absence;
  if (table.parentKey === null || parentIds.length === 0) return;
  const mark = absence.bury
    ? '_deleted_at = coalesce(_deleted_at, now())'
    : '_hidden_at = case when _deleted_at is null then coalesce(_hidden_at, now()) else _hidden_at end';
  await client.query(
    `update ${tableName(table)} set ${mark}, _version = $2, _fetched_at = now()
      where company_id = $1 and ${quoteName(table.parentKey)} = any($3::${table.idType}[])
        and not (id = any($4::${table.idType}[])) and _version < $2`,
    [absence.companyId, absence.version, fittingIds(table, parentIds), fittingIds(table, absence.except)],
  );
}
