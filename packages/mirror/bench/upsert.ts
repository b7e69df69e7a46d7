// What a program writes that stores a record after the other: a prepared upsert of the same row.
import type { MirroredTable } from '@procore-mirror/database';

export type Upsert = { name: string; text: string; values: unknown[] };
export type Scope = { companyId: string; projectId: string; version: string };

/** The upsert of this record, a prepared statement and its values. */
export function upsert(table: MirroredTable, record: Record<string, unknown>, parentId: unknown, scope: Scope): Upsert {
  const inProject = table.scope === 'project';
  const keys = ['company_id', ...(inProject ? ['project_id'] : []), 'id'];
  const others = [
    ...(table.parentKey === null ? [] : [table.parentKey]),
    ...table.columns.map(({ name }) => name),
    '_data',
    '_complete',
    '_version',
  ];
  return {
    name: `upsert ${table.name}`,
    text: `insert into procore.${table.name} as t (${[...keys, ...others].map((name) => `"${name}"`).join(', ')}, _fetched_at)
      values (${[...keys, ...others].map((_, index) => `$${index + 1}`).join(', ')}, now())
      on conflict (${keys.filter((key) => key !== 'project_id' || table.idRepeatsAcrossProjects).join(', ')}) do update set
        ${others.map((name) => `"${name}" = excluded."${name}"`).join(', ')}, _fetched_at = now()
      where t._version < excluded._version`,
    values: [
      ...[scope.companyId, ...(inProject ? [scope.projectId] : []), record.id],
      ...(table.parentKey === null ? [] : [parentId ?? record[table.parentKey]]),
      ...table.columns.map(({ name, type }) => (type === 'jsonb' ? JSON.stringify(record[name]) : record[name])),
      ...[JSON.stringify(record), true, scope.version],
    ],
  };
}
