import type { Transaction } from '../connection/queryable.ts';
import { insistOnGivenVersions } from '../connection/version-gap.ts';
import { keyColumns, type MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, quoteName, tableName } from '../schema/quote.ts';
import { isFittingId, scopeProject, type TableScope } from './look-up.ts';
import { isSamePlace, placeOf } from './place.ts';
import { isPendingOf } from './store-statement.ts';

export type Absence = TableScope & {
  /** The number of the fetch that did not find them. */
  version: string;
  records: readonly {
    id: string;
    /** Under which parent it was looked for; null: under any, or it has none. */
    parentId: string | null;
    /** Deleted for certain; else it may only be hidden from us, and is to be looked at again. */
    bury: boolean;
    /** The looks at a hidden record begin anew. */
    hasNews: boolean;
  }[];
};

export type Marked = {
  buried: number;
  hidden: number;
  /** A later fetch knows better, or the record is in another place. */
  stale: number;
  /** Those whose row now says that they are absent from this place. */
  absentIds: string[];
  /** Those, and those whose row says that they are absent from another place. */
  goneIds: string[];
  /** Those whose row says that they are in another place. */
  elsewhere: { id: string; projectId: string | null; parentId: string | null }[];
};

type MarkedRow = Marked['elsewhere'][number] & {
  bury: boolean;
  marked: boolean;
  isAbsent: boolean;
  isGone: boolean;
  isElsewhere: boolean;
};

/**
 * Marks records that Procore does not show in this place: buried ones `_deleted_at`, others `_hidden_at`; marks that are
 * there stay. A record never seen gets a row of keys only, so that an older, slower fetch cannot bring it in. A row in
 * another place stays as it is, and `mirror.absences` keeps what was found. A later `storeRecords` clears both marks. Ids
 * that cannot be in the table are skipped.
 */
export async function markAbsent(client: Transaction, absence: Absence): Promise<Marked> {
  const { table, companyId, version } = absence;
  const byId = new Map(absence.records.map((record) => [record.id, record]));
  const records = [...byId.values()].filter(({ id }) => isFittingId(table, id));
  const projectId = scopeProject(table, absence.projectId);
  const mark = async (): Promise<MarkedRow[]> => {
    const { rows } = await client.query<MarkedRow>(markStatement(table), [
      records.map(({ id }) => id),
      companyId,
      projectId,
      version,
      records.map(({ parentId }) => (parentId !== null && isFittingId(table, parentId) ? parentId : null)),
      records.map(({ bury }) => bury),
      records.map(({ hasNews }) => hasNews),
    ]);
    return rows;
  };
  const rows = await mark();
  const stale = rows.filter(({ marked }) => !marked).map(({ id }) => id);
  if (stale.length > 0) {
    const condition = `t.company_id = $1::bigint and t.id = any($2::${table.idType}[])`;
    await insistOnGivenVersions(client, table, { version, condition, values: [companyId, stale] });
  }
  const count = (bury: boolean) => rows.filter((row) => row.marked && row.bury === bury).length;
  return {
    buried: count(true),
    hidden: count(false),
    stale: records.length - count(true) - count(false),
    absentIds: rows.filter(({ isAbsent }) => isAbsent).map(({ id }) => id),
    goneIds: rows.filter(({ isGone }) => isGone).map(({ id }) => id),
    elsewhere: rows
      .filter(({ isElsewhere }) => isElsewhere)
      .map(({ id, projectId, parentId }) => ({ id, projectId, parentId })),
  };
}

// Rows are locked before they are looked at, so that what is kept of them in mirror.absences is what was there.
function markStatement(table: MirroredTable): string {
  const inProject = table.scope === 'project';
  const parent = table.parentKey === null ? null : quoteName(table.parentKey);
  const keys = [['company_id', '$2::bigint'], ...(inProject ? [['project_id', '$3::bigint']] : []), ['id', 'a.id']];
  if (parent !== null) keys.push([parent, `a.${parent}`]);
  const isKey = keyColumns(table)
    .map((column) =>
      column === 'id' ? 't.id = a.id' : `t.${column} = ${column === 'company_id' ? '$2' : '$3'}::bigint`,
    )
    .join(' and ');
  const { project, parent: parentId } = placeOf(table, 't');
  const isNews = 't._deleted_at is null and (excluded._deleted_at is not null or t._hidden_at is null)';
  return `
with absent as (
  select * ${inProject ? ', $3::bigint as project_id' : ''}
  from unnest($1::${table.idType}[], $5::${table.idType}[], $6::boolean[], $7::boolean[])
    as a(id, ${parent ?? 'parent_id'}, bury, has_news)
),
old as materialized (
  select t.id, t._version, ${project} as project_id, ${parentId} as parent_id,
    t._deleted_at is null and t._hidden_at is null as is_live,
    ${isSamePlace(table, placeOf(table, 't'), placeOf(table, 'a'))} as is_here
  from absent a join ${tableName(table)} t on ${isKey} order by t.id for update of t
),
marked as (
  insert into ${tableName(table)} as t
    (${keys.map(([column]) => column).join(', ')}, _deleted_at, _hidden_at, _fetched_at, _version, _changed_at, _changed_version, _event_id)
  select ${keys.map(([, value]) => value).join(', ')},
    case when a.bury then now() end, case when not a.bury then now() end, now(), $4::bigint,
    now(), $4::bigint, p.event_id
  from absent a left join old o on o.id = a.id left join mirror.pending p on ${isPendingOf(table, 'a.id::text')}
  order by a.id
  on conflict (${keyColumns(table).join(', ')}) do update set
    _deleted_at = coalesce(t._deleted_at, excluded._deleted_at),
    _hidden_at = case when t._deleted_at is null then coalesce(t._hidden_at, excluded._hidden_at) else t._hidden_at end,
    ${parent === null ? '' : `${parent} = coalesce(t.${parent}, excluded.${parent}),`}
    _changed_at = case when ${isNews} then excluded._changed_at else t._changed_at end,
    _changed_version = case when ${isNews} then excluded._changed_version else t._changed_version end,
    _fetched_at = now(), _version = excluded._version, _event_id = coalesce(excluded._event_id, t._event_id)
  where t._version < excluded._version and ${isSamePlace(table, placeOf(table, 't'), placeOf(table, 'excluded'))}
  returning id
),
noted as (
  insert into mirror.absences as m (company_id, resource, record_id, project_id, parent_id, version, looks, look_at)
  select $2::bigint, ${quoteLiteral(table.resource)}, a.id::text, ${inProject ? '$3::bigint' : 'null'},
    ${parent === null ? 'null' : `a.${parent}::text`}, $4::bigint,
    case when a.has_news then 0 else coalesce(k.looks, 0) end,
    case when a.bury or not o.is_here then null when a.has_news or k.record_id is null then now() + interval '10 minutes'
      else k.look_at end
  from absent a left join old o on o.id = a.id
    left join mirror.absences k on k.company_id = $2::bigint and k.resource = ${quoteLiteral(table.resource)}
      and k.record_id = a.id::text and k.project_id is not distinct from ${inProject ? '$3::bigint' : 'null'}
      and k.parent_id is not distinct from ${parent === null ? 'null' : `a.${parent}::text`}
  where o.id is null or not o.is_here or o._version < $4::bigint
  order by a.id
  on conflict (company_id, resource, record_id, project_id, parent_id) do update set
    version = greatest(m.version, excluded.version), noted_at = now(), looks = excluded.looks, look_at = excluded.look_at
)
select a.id::text as id, a.bury, m.id is not null as marked,
  m.id is not null or coalesce(o.is_here and not o.is_live, false) as "isAbsent",
  m.id is not null or coalesce(not o.is_live, false) as "isGone",
  coalesce(o.is_live and not o.is_here, false) as "isElsewhere", o.project_id::text as "projectId", o.parent_id::text as "parentId"
from absent a left join marked m using (id) left join old o using (id)`;
}
