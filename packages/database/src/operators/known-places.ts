// Which companies and projects the mirror knows anything of, found without counting what is mirrored.
import pg from 'pg';
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { quoteName } from '../schema/quote.ts';

/** A project of a company, or the company itself. */
export type Place = { companyId: string; projectId: string | null };

/** Companies and projects that were told of, filled or refused us, by now. Those of which there are rows only may be missing. */
export async function listPlaces(client: Queryable): Promise<Place[]> {
  const { rows } = await client.query<Place>(
    `select distinct company_id::text as "companyId", project_id::text as "projectId" from (
        select company_id, project_id from mirror.batches union all select company_id, project_id from mirror.backfills
        union all select company_id, project_id from mirror.lists union all select company_id, project_id from mirror.scopes
        union all select company_id, project_id from mirror.dead_letters union all select company_id, project_id from mirror.selection
        union all select company_id, id from procore.projects
        union all select company_id, null from (${OF_EVENTS}) e) p
      where company_id is not null order by 1, 2 nulls first`,
  );
  return rows;
}

/** Companies and projects that were listed or selected at any time. */
export async function listNotedPlaces(client: Queryable): Promise<Place[]> {
  const { rows } = await client.query<Place>(
    `select company_id::text as "companyId", project_id::text as "projectId" from mirror.selection order by company_id, project_id nulls first`,
  );
  return rows;
}

/** Companies and resources that the log has events of, as these spell them. */
export async function listTold(client: Queryable): Promise<{ companyId: string; resource: string }[]> {
  const { rows } = await client.query<{ companyId: string; resource: string }>(
    `select company_id::text as "companyId", resource from (${OF_EVENTS}) e`,
  );
  return rows;
}

/** Names of resources that events and dead letters tell of, whether they are mirrored or not. */
export async function listNamedResources(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ resource: string }>(
    `select resource from (${OF_EVENTS}) e union select resource from mirror.dead_letters where resource is not null order by 1`,
  );
  return rows.map(({ resource }) => resource);
}

/** Companies and resources in the log, from one to the next by its index. */
const OF_EVENTS = `
with recursive found as (
  (select company_id, resource from mirror.events order by company_id, resource limit 1)
  union all
  select next.company_id, next.resource from found, lateral (
    select company_id, resource from mirror.events e
      where (e.company_id, e.resource) > (found.company_id, found.resource) order by company_id, resource limit 1) next
)
select company_id, resource from found`;

/** So long the log is searched for a project. */
const SEARCH_MS = 3_000;

/**
 * Is there a row, news or an event of this company, of this project, or of the project in the company? Rows are looked up by index. No
 * index of the log has projects: where it is not searched through in three seconds the answer is yes.
 */
export async function isMentioned(
  database: Database,
  { companyId, projectId }: { companyId?: string | undefined; projectId?: string | undefined },
): Promise<boolean> {
  const wanted = Object.entries({ company_id: companyId, project_id: projectId }).filter(([, id]) => id !== undefined);
  const condition = wanted.map(([name], index) => `${name} = $${index + 1}::bigint`).join(' and ');
  const ids = wanted.map(([, id]) => id);
  const finds = async (client: Queryable, tables: readonly string[]): Promise<boolean> => {
    const [first = 'mirror.pending', ...others] = tables;
    const any = [first, ...others].map((table) => `exists (select from ${table} where ${condition})`).join(' or ');
    const { rows } = await client.query<{ found: boolean }>(`select ${any} as found`, ids);
    return rows[0]?.found === true;
  };
  const column = projectId === undefined ? 'company_id' : 'project_id';
  return inTransaction(database, async (client) => {
    await client.query('set local enable_seqscan = off'); // statistics of before a backfill would have it read whole tables
    const mirrored = (await listTables(client, column)).map((name) => `procore.${quoteName(name)}`);
    if (await finds(client, ['mirror.pending', ...mirrored])) return true;
    await client.query(`set local enable_seqscan = on; set local statement_timeout = ${SEARCH_MS}; savepoint search`);
    try {
      return await finds(client, ['mirror.events']);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== QUERY_CANCELED) throw error;
      await client.query('rollback to savepoint search');
      return true;
    }
  });
}

const QUERY_CANCELED = '57014';

/** Names of mirrored tables with this column, those included that no catalogue of today knows; other tools' tables have no `_version`. */
export async function listTables(client: Queryable, column: string): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_attribute a on a.attrelid = c.oid
      where c.relnamespace = to_regnamespace('procore') and c.relkind in ('r', 'p') and not c.relispartition
        and a.attname = $1 and a.atttypid = 'bigint'::regtype and not a.attisdropped and has_table_privilege(c.oid, 'select')
        and exists (select from pg_attribute v where v.attrelid = c.oid and v.attname = '_version' and not v.attisdropped)`,
    [column],
  );
  return rows.map(({ name }) => name);
}
