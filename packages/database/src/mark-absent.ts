import { isFittingId, scopeProject } from './look-up.ts';
import { keyColumns, type MirroredTable } from './mirrored-table.ts';
import { quoteName, tableName } from './quote.ts';
import { isPendingOf } from './store-statement.ts';
import type { Transaction } from './transaction.ts';

export type Absence = {
  table: MirroredTable;
  companyId: string;
  projectId: string | null;
  /** The number of the fetch that did not find them. */
  version: string;
  records: readonly {
    id: string;
    parentId: string | null;
    /** Deleted for certain; else it may only be hidden from us. */
    bury: boolean;
  }[];
};

/**
 * Marks records that Procore does not show: buried ones `_deleted_at`, others `_hidden_at`; marks that are there stay.
 * A record never seen gets a row of keys only, so that an older, slower fetch cannot bring it in. A later
 * `storeRecords` clears both marks. Ids that cannot be in the table are skipped. Belongs in a transaction of the caller.
 */
export async function markAbsent(
  client: Transaction,
  absence: Absence,
): Promise<{ buried: number; hidden: number; stale: number }> {
  const { table } = absence;
  const byId = new Map(absence.records.map((record) => [record.id, record]));
  const records = [...byId.values()].filter(({ id }) => isFittingId(table, id));
  const { rows } = await client.query<{ bury: boolean; count: number }>(markStatement(table), [
    records.map(({ id }) => id),
    absence.companyId,
    scopeProject(table, absence.projectId),
    absence.version,
    records.map(({ parentId }) => (parentId !== null && isFittingId(table, parentId) ? parentId : null)),
    records.map(({ bury }) => bury),
  ]);
  const count = (bury: boolean) => rows.find((row) => row.bury === bury)?.count ?? 0;
  return { buried: count(true), hidden: count(false), stale: records.length - count(true) - count(false) };
}

function markStatement(table: MirroredTable): string {
  const inProject = table.scope === 'project';
  const parent = table.parentKey === null ? null : quoteName(table.parentKey);
  const keys = [['company_id', '$2::bigint'], ...(inProject ? [['project_id', '$3::bigint']] : []), ['id', 'a.id']];
  if (parent !== null) keys.push([parent, 'a.parent_id']);
  return `
with absent as (
  select * from unnest($1::${table.idType}[], $5::${table.idType}[], $6::boolean[]) as a(id, parent_id, bury)
),
marked as (
  insert into ${tableName(table)} as t
    (${keys.map(([column]) => column).join(', ')}, _deleted_at, _hidden_at, _fetched_at, _version, _event_id)
  select ${keys.map(([, value]) => value).join(', ')},
    case when a.bury then now() end, case when not a.bury then now() end, now(), $4::bigint, p.event_id
  from absent a left join mirror.pending p on ${isPendingOf(table, 'a.id::text')}
  order by a.id
  on conflict (${keyColumns(table).join(', ')}) do update set
    _deleted_at = coalesce(t._deleted_at, excluded._deleted_at),
    _hidden_at = case when t._deleted_at is null then coalesce(t._hidden_at, excluded._hidden_at) else t._hidden_at end,
    ${parent === null ? '' : `${parent} = coalesce(t.${parent}, excluded.${parent}),`}
    _fetched_at = now(), _version = excluded._version, _event_id = coalesce(excluded._event_id, t._event_id)
  -- What one project does not show may since be in another.
  where t._version < excluded._version${inProject ? ' and t.project_id = excluded.project_id' : ''}
  returning id
)
select a.bury, count(*)::int as count from marked m join absent a using (id) group by a.bury`;
}
