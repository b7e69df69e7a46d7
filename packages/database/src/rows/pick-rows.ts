// Rows chosen at random, for a sample.
import type { Queryable } from '../connection/queryable.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';
import type { LackingRow } from './find-lacking.ts';
import { inScope, LIVE, scopeProject, type TableScope } from './look-up.ts';
import { hasNews } from './store-statement.ts';

/** How many live rows each company and project has; only those that have some. */
export async function countLiveRows(
  client: Queryable,
  { table, companyIds }: { table: MirroredTable; companyIds: readonly string[] },
): Promise<{ companyId: string; projectId: string | null; rows: number }[]> {
  const project = table.scope === 'project' ? 'project_id' : 'null::bigint';
  const { rows } = await client.query<{ companyId: string; projectId: string | null; rows: number }>(
    `select company_id::text as "companyId", ${project}::text as "projectId", count(*)::float8 as rows
      from ${tableName(table)} where company_id = any($1::bigint[]) and ${LIVE} group by 1, 2 order by 1, 2`,
    [companyIds],
  );
  return rows;
}

/** So many live rows, chosen at random from those without news; all, where there are no more. Is a row complete, or from a list that carries part of it? */
export async function pickRows(
  client: Queryable,
  scope: TableScope,
  most: number,
): Promise<(LackingRow & { isComplete: boolean })[]> {
  const { table, companyId, projectId } = scope;
  const parent = table.parentKey === null ? 'null::text' : `t.${quoteName(table.parentKey)}::text`;
  const { rows } = await client.query<LackingRow & { isComplete: boolean }>(
    `select id::text as id, ${parent} as "parentId", _complete as "isComplete" from ${tableName(table)} t
      where ${inScope(table)} and ${LIVE} and not ${hasNews(table, 't.id', '$1', '$2')} order by random() limit $3`,
    [companyId, scopeProject(table, projectId), most],
  );
  return rows;
}
