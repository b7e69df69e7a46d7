// Compares the mirror with the simulator's world, table by table, column by column and in `_data`. Postgres does the
// comparing, so that no digit is lost; it takes the values out of the world's JSON on its own, not by our store statement.
import { type CataloguedResource, catalogue } from '@procore-mirror/catalogue';
import { asJsonb, type Database, type MirroredColumn } from '@procore-mirror/database';
import type { System } from '@procore-mirror/testing';

export type WorldRecord = {
  resource: string;
  companyId: string;
  projectId: string | null;
  parentId: string | null;
  id: string;
  deleted: boolean;
  visible: boolean;
  text: string;
};

export type Difference = { resource: string; id: string; what: string };

/**
 * What differs in these companies and projects, at most some per resource, and how many records were compared. A
 * project that came up meanwhile has no hook yet, so nothing tells of what is in it.
 */
export async function compareWorld(
  database: Database,
  system: System,
  hooked: { companyIds: readonly string[]; projectIds: readonly string[] },
): Promise<{ differences: Difference[]; compared: number }> {
  const everything = await system.controlLines<WorldRecord>('/control/world');
  const world = everything.filter(
    ({ companyId, projectId }) =>
      hooked.companyIds.includes(companyId) && (projectId === null || hooked.projectIds.includes(projectId)),
  );
  const byResource = Map.groupBy(world, ({ resource }) => resource);
  const differences: Difference[] = [];
  for (const entry of catalogue.mirrored) {
    const records = byResource.get(entry.resource) ?? [];
    differences.push(...(await compareResource(database, entry, records)));
  }
  return { differences, compared: world.length };
}

/** What differs between the rows of a resource and all the records that there are; of one company, if one is given. */
export async function compareResource(
  database: Database,
  entry: CataloguedResource,
  records: readonly WorldRecord[],
  companyId: string | null = null,
): Promise<Difference[]> {
  const { table, scope, idRepeatsAcrossProjects, parent } = entry;
  const inProject = scope === 'project';
  const keys = ['company_id', 'id', ...(idRepeatsAcrossProjects ? ['project_id'] : [])];
  const same = keys.map((key) => `t.${key} = w.${key}`).join(' and ');
  const isLive = '(t._deleted_at is null and t._hidden_at is null)';
  const checks = [
    ...(inProject ? [`case when t.project_id is distinct from w.project_id then 'project_id' end`] : []),
    ...(parent === null
      ? []
      : [`case when t."${parent.key}"::text is distinct from w.parent_id then '${parent.key}' end`]),
    `case when t._data is distinct from w.data then '_data' end`,
    ...table.columns.map((column) => `case when ${differs(column)} then '${column.name}' end`),
  ];
  const { rows } = await database.pool.query<{ id: string; what: string }>(
    `with w as (
      select company_id, project_id, parent_id, id::${table.idType} as id, live, data::jsonb as data
      from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::boolean[], $6::text[])
        as w(company_id, project_id, parent_id, id, live, data)
    )
    select coalesce(w.id, t.id)::text as id, case
        when w.live and t.id is null then 'no row'
        when w.live and not ${isLive} then 'not live in the mirror'
        when w.live then concat_ws(', ', ${checks.join(',\n')})
        when ${isLive} then 'live in the mirror only'
      end as what
    from w full join (select * from procore.${table.name} where $7::bigint is null or company_id = $7) t on ${same}
    where (w.live and (t.id is null or not ${isLive} or concat_ws(', ', ${checks.join(',\n')}) <> ''))
      or (t.id is not null and w.live is not true and ${isLive})
    limit 20`,
    [
      records.map(({ companyId }) => companyId),
      records.map(({ projectId }) => projectId),
      records.map(({ parentId }) => parentId),
      records.map(({ id }) => id),
      records.map(({ deleted, visible }) => !deleted && visible),
      records.map(({ text }) => asJsonb(text)),
      companyId,
    ],
  );
  return rows.map(({ id, what }) => ({ resource: entry.resource, id, what }));
}

/** A value that its column cannot take is NULL there; `pg_input_is_valid` says which those are. */
function differs({ name, type }: MirroredColumn): string {
  const column = `t."${name}"`;
  const value = `(w.data ->> '${name}')`;
  if (type === 'jsonb') return `nullif(${column}, 'null') is distinct from nullif(w.data -> '${name}', 'null')`;
  if (type === 'text') return `${column} is distinct from ${value}`;
  return `${column} is distinct from case when pg_input_is_valid(${value}, '${type}') then ${value}::${type} end`;
}
