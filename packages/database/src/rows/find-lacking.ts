// Rows that no answer since a number has shown: what a complete reading of their lists lacks is gone.
import type { Queryable, Transaction } from '../connection/queryable.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';
import { fittingIds, inScope, LIVE, scopeProject, type TableScope } from './look-up.ts';
import { hasNews } from './store-statement.ts';

/** `since`: a number that was taken before the first request of the reading. */
export type Reading = TableScope & { since: string };

export type LackingRow = { id: string; parentId: string | null };

/** Not buried yet, older than the reading, and without news. */
function isLacking(table: MirroredTable): string {
  return `${inScope(table)} and _deleted_at is null and _version < $3::bigint and not ${hasNews(table, 't.id', '$1', '$2')}`;
}

const values = ({ table, companyId, projectId, since }: Reading) => [companyId, scopeProject(table, projectId), since];

/** Days from one to another, both included, as the column `day` says them. */
export type Days = { day: string; from: string; to: string };

/**
 * The rows that the reading lacks, hidden ones among them, in the order of their parents. `under`: those of one parent; `among`: of these;
 * `within`: of these days.
 */
export async function findLacking(
  client: Queryable,
  reading: Reading,
  {
    under = null,
    among = null,
    within = null,
    isLive = false,
  }: { under?: string | null; among?: readonly string[] | null; within?: Days | null; isLive?: boolean } = {},
): Promise<LackingRow[]> {
  const { table } = reading;
  const ofParent = under === null || table.parentKey === null ? null : `t.${quoteName(table.parentKey)}`;
  const given: unknown[] = [];
  const place = (value: unknown) => `$${3 + given.push(value)}`;
  const conditions = [
    ...(ofParent === null ? [] : [`${ofParent} = ${place(under)}::${table.idType}`]),
    ...(among === null ? [] : [`t.id = any(${place(fittingIds(table, among))}::${table.idType}[])`]),
    ...(within === null
      ? []
      : [`t.${quoteName(within.day)} between ${place(within.from)}::date and ${place(within.to)}::date`]),
    ...(isLive ? ['_hidden_at is null'] : []),
  ];
  const { rows } = await client.query<LackingRow>(
    `select id::text as id, ${parentOf(table)} as "parentId" from ${tableName(table)} t
      where ${[isLacking(table), ...conditions].join(' and ')} order by 2 nulls first, t.id`,
    [...values(reading), ...given],
  );
  return rows;
}

/** Those of the rows that it still lacks; no other transaction changes them before this one ends. */
export async function lockLacking(
  client: Transaction,
  reading: Reading,
  ids: readonly string[],
): Promise<LackingRow[]> {
  const { table } = reading;
  const { rows } = await client.query<LackingRow>(
    `select id::text as id, ${parentOf(table)} as "parentId" from ${tableName(table)} t
      where ${isLacking(table)} and t.id = any($4::${table.idType}[]) order by t.id for update`,
    [...values(reading), fittingIds(table, ids)],
  );
  return rows;
}

/** The rows under these parents that are older than the reading and have no news; they go with their parents. */
export async function lockChildren(
  client: Transaction,
  reading: Reading,
  parentIds: readonly string[],
): Promise<LackingRow[]> {
  const { table } = reading;
  if (table.parentKey === null) return [];
  const { rows } = await client.query<LackingRow>(
    `select id::text as id, ${parentOf(table)} as "parentId" from ${tableName(table)} t
      where ${isLacking(table)} and t.${quoteName(table.parentKey)} = any($4::${table.idType}[]) order by t.id for update`,
    [...values(reading), fittingIds(table, parentIds)],
  );
  return rows;
}

/** Live rows that are older than the reading, without news, and were updated between two times, the newest first, as far as a column says. */
export async function findKnownUpdates(
  client: Queryable,
  reading: Reading,
  { under, from, to, limit }: { under: string | null; from: string; to: string; limit: number },
): Promise<string[]> {
  const { table } = reading;
  if (!table.columns.some(({ name, type }) => name === 'updated_at' && type === 'timestamptz')) return [];
  const isUnder =
    under === null || table.parentKey === null ? '' : `and t.${quoteName(table.parentKey)} = $7::${table.idType}`;
  const { rows } = await client.query<{ id: string }>(
    `select id::text as id from ${tableName(table)} t
      where ${isLacking(table)} and _hidden_at is null and updated_at between $4::timestamptz and $5::timestamptz ${isUnder}
      order by updated_at desc limit $6`,
    [...values(reading), from, to, limit, ...(isUnder === '' ? [] : [under])],
  );
  return rows.map(({ id }) => id);
}

/** How many live rows there are, all of them. */
export async function countAllRows(client: Queryable, { table, companyId, projectId }: TableScope): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::float8 as count from ${tableName(table)} where ${inScope(table)} and ${LIVE}`,
    [companyId, scopeProject(table, projectId)],
  );
  return rows[0]?.count ?? 0;
}

/** The same, and the newest number of a fetch among all rows, which moves whenever one is stored or buried. */
export async function tallyRows(
  client: Queryable,
  { table, companyId, projectId }: TableScope,
): Promise<{ live: number; newest: string | null }> {
  const { rows } = await client.query<{ live: number; newest: string | null }>(
    `select (count(*) filter (where ${LIVE}))::float8 as live, max(_version)::text as newest
      from ${tableName(table)} where ${inScope(table)}`,
    [companyId, scopeProject(table, projectId)],
  );
  return rows[0] ?? { live: 0, newest: null };
}

function parentOf({ parentKey }: MirroredTable): string {
  return parentKey === null ? 'null::text' : `t.${quoteName(parentKey)}::text`;
}
