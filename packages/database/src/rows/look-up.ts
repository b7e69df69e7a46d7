import type { Queryable } from '../connection/queryable.ts';
import type { BatchKey } from '../schedule/batch.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';

/** The rows of a table that belong to one company, or to one project of it. */
export type TableScope = { table: MirroredTable; companyId: string; projectId: string | null };

const MAX_BIGINT = 2n ** 63n - 1n;

/** Whether the id column of the table can hold this id, in just this spelling. */
export function isFittingId({ idType }: Pick<MirroredTable, 'idType'>, id: string): boolean {
  if (idType === 'text') return /^[0-9A-Za-z_-]{1,64}$/.test(id);
  return /^(0|[1-9]\d{0,18})$/.test(id) && BigInt(id) <= MAX_BIGINT;
}

/** Those of the ids that the id column of the table can hold. */
export function fittingIds(table: MirroredTable, ids: readonly string[]): string[] {
  return ids.filter((id) => isFittingId(table, id));
}

/** The project that is part of the keys of this table: none for company resources. Throws when one is needed and missing. */
export function scopeProject(table: MirroredTable, projectId: string | null): string | null {
  if (table.scope === 'company') return null;
  if (projectId === null) throw new RangeError(`${table.resource} belong to a project, and none was given`);
  return projectId;
}

/**
 * Parent ids by record id, as far as the mirror knows them; also of rows that Procore does not show any more, and of those
 * in another project: what moves there mostly goes with its parent.
 */
export async function findParentIds(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  ids: readonly string[],
): Promise<Map<string, string>> {
  if (table.parentKey === null) return new Map();
  const parent = quoteName(table.parentKey);
  const condition = table.idRepeatsAcrossProjects
    ? inScope(table)
    : 'company_id = $1::bigint and ($2::bigint is null or true)';
  const { rows } = await client.query<{ id: string; parent: string }>(
    `select id::text as id, ${parent}::text as parent from ${tableName(table)}
      where ${condition} and id = any($3::${table.idType}[]) and ${parent} is not null`,
    [companyId, scopeProject(table, projectId), fittingIds(table, ids)],
  );
  return new Map(rows.map((row) => [row.id, row.parent]));
}

/** The project in which the row of a record is, whatever its marks; null when there is none. */
export async function findProject(
  client: Queryable,
  { table, companyId }: { table: MirroredTable; companyId: string },
  id: string,
): Promise<string | null> {
  if (table.scope === 'company' || !isFittingId(table, id)) return null;
  const { rows } = await client.query<{ project_id: string }>(
    `select project_id::text as project_id from ${tableName(table)} where company_id = $1 and id = $2 order by _version desc limit 1`,
    [companyId, id],
  );
  return rows[0]?.project_id ?? null;
}

/** Those of the records that a later fetch than this one found gone or hidden. */
export async function findGone(
  client: Queryable,
  { table, companyId, projectId, version }: TableScope & { version: string },
  ids: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id::text as id from ${tableName(table)} where ${inScope(table)} and id = any($3::${table.idType}[])
      and (_deleted_at is not null or _hidden_at is not null) and _version > $4::bigint`,
    [companyId, scopeProject(table, projectId), fittingIds(table, ids), version],
  );
  return rows.map((row) => row.id);
}

/** Those of the records that are hidden from us: not shown, and no delete event told why. */
export async function findHidden(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  ids: readonly string[],
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id::text as id from ${tableName(table)} where ${inScope(table)} and id = any($3::${table.idType}[])
      and _hidden_at is not null and _deleted_at is null`,
    [companyId, scopeProject(table, projectId), fittingIds(table, ids)],
  );
  return rows.map((row) => row.id);
}

/** A company of which events told and that is not parked, but for these; null: there is none. */
export async function findOtherCompany(client: Queryable, except: readonly string[]): Promise<string | null> {
  const { rows } = await client.query<{ id: string }>(
    `select company_id as id from mirror.batches b where company_id <> all($1::bigint[])
        and not exists (select from mirror.scopes s where s.company_id = b.company_id and s.resource is null)
      order by served_at desc nulls last limit 1`,
    [except],
  );
  return rows[0]?.id ?? null;
}

/** Where else in the company records are fetched, the latest first. */
export async function findOtherPlaces(
  client: Queryable,
  place: BatchKey,
  limit: number,
): Promise<{ projectId: string | null; resource: string }[]> {
  const { rows } = await client.query<{ projectId: string | null; resource: string }>(
    `select project_id as "projectId", resource from mirror.batches
      where company_id = $1 and (project_id is distinct from $2::bigint or resource <> $3)
      group by project_id, resource order by max(served_at) desc nulls last limit $4`,
    [place.companyId, place.projectId, place.resource, limit],
  );
  return rows;
}

/**
 * Records of the resource to ask for that Procore shows as far as we know, but for these and those that fail: the one fetched last,
 * the one fetched first, and any.
 */
export async function findWitnesses(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  except: readonly string[],
): Promise<string[]> {
  const one = (
    order: string,
  ) => `(select id::text as id from ${tableName(table)} as t where ${inScope(table)} and ${LIVE}
    and id::text <> all($3::text[]) and not exists (select from mirror.pending p where p.company_id = $1::bigint
      and p.project_id is not distinct from $2::bigint and p.resource = $4 and p.record_id = t.id::text and p.attempts > 0)
    order by ${order} limit 1)`;
  const { rows } = await client.query<{ id: string }>(
    `${one('_fetched_at desc, t.id desc')} union all ${one('_fetched_at, t.id')} union all ${one('random()')}`,
    [companyId, scopeProject(table, projectId), except, table.resource],
  );
  return [...new Set(rows.map(({ id }) => id))];
}

const COUNTED_AT_MOST = 20_000;

/** How many live rows the mirror holds of the resource in this scope; counts no further than 20,000. */
export async function countRows(client: Queryable, { table, companyId, projectId }: TableScope): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from
      (select from ${tableName(table)} where ${inScope(table)} and ${LIVE} limit ${COUNTED_AT_MOST}) as counted`,
    [companyId, scopeProject(table, projectId)],
  );
  return rows[0]?.count ?? 0;
}

/** A column of type date that tells the day of each row of the resource in this scope. */
export type DayColumn = TableScope & { day: string };

/** The days (`2026-06-30`) of those of the records that have a row with one. */
export async function findDays(
  client: Queryable,
  { table, companyId, projectId, day }: DayColumn,
  ids: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await client.query<{ id: string; day: string }>(
    `select id::text as id, to_char(${quoteName(day)}, 'YYYY-MM-DD') as day from ${tableName(table)}
      where ${inScope(table)} and id = any($3::${table.idType}[]) and ${quoteName(day)} is not null`,
    [companyId, scopeProject(table, projectId), fittingIds(table, ids)],
  );
  return new Map(rows.map((row) => [row.id, row.day]));
}

/** How many live rows a day has on average, of the days that have any; looks no further than 20,000 rows. */
export async function countRowsPerDay(
  client: Queryable,
  { table, companyId, projectId, day }: DayColumn,
): Promise<number> {
  const { rows } = await client.query<{ average: number }>(
    `select count(*)::float8 / greatest(count(distinct day), 1) as average from (
      select ${quoteName(day)} as day from ${tableName(table)} where ${inScope(table)} and ${LIVE} limit ${COUNTED_AT_MOST}
    ) as counted`,
    [companyId, scopeProject(table, projectId)],
  );
  return rows[0]?.average ?? 0;
}

/** Ids of live rows in this scope, those fetched last first. */
export async function listIds(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
  limit: number,
): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select id::text as id from ${tableName(table)} as t where ${inScope(table)} and ${LIVE}
      order by _fetched_at desc, t.id desc limit $3`,
    [companyId, scopeProject(table, projectId), limit],
  );
  return rows.map((row) => row.id);
}

/** SQL condition for rows that Procore shows. */
export const LIVE = '_deleted_at is null and _hidden_at is null';

/** SQL condition with the parameters $1 and $2: company, and project where the table has one. */
export function inScope({ scope }: MirroredTable): string {
  return `company_id = $1::bigint and ${scope === 'project' ? 'project_id = $2::bigint' : '$2::bigint is null'}`;
}
