import type { Transaction } from '../connection/queryable.ts';
import type { NotedRecord } from '../schedule/batch.ts';
import { keyColumns, type MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, quoteName, tableName } from '../schema/quote.ts';
import { fittingIds, scopeProject, type TableScope } from './look-up.ts';

/** `table` has a parent key. */
export type ChildrenAbsence = TableScope & {
  /** The number of the fetch that showed the parents, or that they are gone. */
  version: string;
  parentIds: readonly string[];
  /** Children that the parents do hold. */
  except: readonly string[];
  /** The parent is there, or gone for certain, so the children are gone; else they are only hidden from us. */
  bury: boolean;
  /** News that the fetch is not older than; children with other news stay as they are. Null: no news counts. */
  noted: readonly Pick<NotedRecord, 'id' | 'generation'>[] | null;
};

/**
 * Marks the mirrored children of these parents in this project as absent, but for some. A row of a later fetch stays as it
 * is; `mirror.absences` keeps what became absent. Returns the ids of those that were marked.
 */
export async function markAbsentChildren(client: Transaction, absence: ChildrenAbsence): Promise<string[]> {
  const { table, parentIds, noted } = absence;
  if (table.parentKey === null || parentIds.length === 0) return [];
  const { rows } = await client.query<{ id: string }>(statement(table, absence.bury, noted !== null), [
    absence.companyId,
    scopeProject(table, absence.projectId),
    absence.version,
    fittingIds(table, parentIds),
    fittingIds(table, absence.except),
    ...(noted === null ? [] : [noted.map(({ id }) => id), noted.map(({ generation }) => generation)]),
  ]);
  return rows.map((row) => row.id);
}

function statement(table: MirroredTable, bury: boolean, heedsNews: boolean): string {
  const parent = quoteName(table.parentKey ?? '');
  const resource = quoteLiteral(table.resource);
  const inProject = table.scope === 'project' ? 't.project_id = $2::bigint' : '$2::bigint is null';
  const mark = bury
    ? '_deleted_at = coalesce(t._deleted_at, now())'
    : '_hidden_at = case when t._deleted_at is null then coalesce(t._hidden_at, now()) else t._hidden_at end';
  const isNews = `t._deleted_at is null${bury ? '' : ' and t._hidden_at is null'}`;
  const isUnheard = `and not exists (select from mirror.pending p
      where p.company_id = $1::bigint and p.project_id is not distinct from $2::bigint and p.resource = ${resource}
        and p.record_id = t.id::text and not exists (
          select from unnest($6::text[], $7::bigint[]) as n(id, generation) where n.id = p.record_id and n.generation = p.generation))`;
  return `
with old as materialized (
  select ${keyColumns(table)
    .map((column) => `t.${column}`)
    .join(', ')}, t.${parent}::text as parent_id,
    t._deleted_at is null and t._hidden_at is null as is_live
  from ${tableName(table)} t
  where t.company_id = $1::bigint and ${inProject} and t.${parent} = any($4::${table.idType}[])
    and not (t.id = any($5::${table.idType}[])) and t._version < $3::bigint ${heedsNews ? isUnheard : ''}
  order by t.id for update
),
marked as (
  update ${tableName(table)} t set ${mark}, _version = $3::bigint, _fetched_at = now(),
    _changed_at = case when ${isNews} then now() else t._changed_at end,
    _changed_version = case when ${isNews} then $3::bigint else t._changed_version end
  from old where ${keyColumns(table)
    .map((column) => `t.${column} = old.${column}`)
    .join(' and ')}
),
noted as (
  insert into mirror.absences as m (company_id, resource, record_id, project_id, parent_id, version)
select $1::bigint, ${resource}, old.id::text, $2::bigint, old.parent_id, $3::bigint from old where old.is_live order by old.id
on conflict (company_id, resource, record_id, project_id, parent_id) do update set
  version = greatest(m.version, excluded.version), noted_at = now()
)
select id::text as id from old`;
}
