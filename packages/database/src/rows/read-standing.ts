import type { Queryable } from '../connection/queryable.ts';
import { tableName } from '../schema/quote.ts';
import { fittingIds, scopeProject, type TableScope } from './look-up.ts';

/** How a record stands, as far as its row tells, in Procore's words; null: it does not tell. */
export type Standing = { updatedAt: string | null; status: string | null; isActive: boolean | null };

const IS_ACTIVE = `coalesce(_data -> 'is_active', _data -> 'active')`;

/** How these records stand, by id. A status is a word, or has a name. */
export async function readStanding(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  ids: readonly string[],
): Promise<Map<string, Standing>> {
  const isOfProject = table.idRepeatsAcrossProjects ? 'project_id = $2::bigint' : '($2::bigint is null or true)';
  const { rows } = await client.query<Standing & { id: string }>(
    `select id::text as id, _data ->> 'updated_at' as "updatedAt",
        case jsonb_typeof(_data -> 'status') when 'string' then _data ->> 'status'
          when 'object' then coalesce(_data #>> '{status,name}', _data #>> '{status,status}') end as status,
        case jsonb_typeof(${IS_ACTIVE}) when 'boolean' then (${IS_ACTIVE})::boolean end as "isActive"
      from ${tableName(table)}
      where company_id = $1::bigint and ${isOfProject} and id = any($3::${table.idType}[])`,
    [companyId, scopeProject(table, projectId), fittingIds(table, ids)],
  );
  return new Map(rows.map(({ id, ...standing }) => [id, standing]));
}
