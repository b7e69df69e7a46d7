// What was learnt of Procore's lists: how large a page may be, and by how much a list's Total is usually off.
import type { Queryable } from '../connection/queryable.ts';
import type { BatchKey } from '../schedule/batch.ts';

/** A list of a company or a project, or of one parent where its path names one. */
export type ListKey = BatchKey & { parentId: string | null };

export type ListFacts = {
  /** The size of page that was answered when a larger one failed; null: any is. */
  pageSize: number | null;
  /** It is time to try a larger one again. */
  isLargerDue: boolean;
  /** By how much its Total is above what comes, as a habit; null: it is not. */
  usuallyMissing: number | null;
  /** The same, seen while no row of ours was lacking in it, but for hidden ones, so that it counts what we may not see; null: never. */
  innocentDifference: number | null;
};

const valuesOf = (key: ListKey): (string | null)[] => [key.companyId, key.projectId, key.resource, key.parentId];
const SAME_RESOURCE = 'company_id = $1::bigint and project_id is not distinct from $2::bigint and resource = $3';
const SAME_LIST = 'parent_id is not distinct from $4';

/** What is known of a list. The lists of all parents of a resource have pages of one size. */
export async function readListFacts(client: Queryable, key: ListKey): Promise<ListFacts> {
  const { rows } = await client.query<ListFacts>(
    `select max(page_size) filter (where parent_id is null) as "pageSize",
        coalesce(bool_or(larger_page_at <= now()) filter (where parent_id is null), false) as "isLargerDue",
        (max(total_difference) filter (where ${SAME_LIST} and total_readings > 1))::float8 as "usuallyMissing",
        (max(innocent_difference) filter (where ${SAME_LIST}))::float8 as "innocentDifference"
      from mirror.lists where ${SAME_RESOURCE} and (parent_id is null or parent_id = $4)`,
    valuesOf(key),
  );
  return rows[0] ?? { pageSize: null, isLargerDue: false, usuallyMissing: null, innocentDifference: null };
}

/** Lists whose pages are known to hold fewer records than usual. */
export async function readPageSizes(
  client: Queryable,
  companyIds: readonly string[],
): Promise<(BatchKey & { pageSize: number })[]> {
  const { rows } = await client.query<BatchKey & { pageSize: number }>(
    `select company_id::text as "companyId", project_id::text as "projectId", resource, page_size as "pageSize"
      from mirror.lists where company_id = any($1::bigint[]) and parent_id is null and page_size is not null`,
    [companyIds],
  );
  return rows;
}

/**
 * Keeps the size of page that is answered; null forgets it. A larger one is tried after a day; at once, if it is not sure that a
 * larger one fails.
 */
export async function notePageSize(
  client: Queryable,
  key: ListKey,
  { pageSize, isSure }: { pageSize: number | null; isSure: boolean },
): Promise<void> {
  await client.query(
    `insert into mirror.lists (company_id, project_id, resource, parent_id, page_size, larger_page_at)
      values ($1, $2, $3, $4, $5::int, case when $5::int is not null then now() + interval '1 day' * $6::int end)
      on conflict (company_id, project_id, resource, parent_id) do update set
        page_size = excluded.page_size, larger_page_at = excluded.larger_page_at`,
    [...valuesOf({ ...key, parentId: null }), pageSize, isSure ? 1 : 0],
  );
}

/**
 * No live row is lacking in the lists of the resource, or in this one of them: what their Totals usually count beyond what comes is nothing that
 * we may see.
 */
export async function noteInnocence(client: Queryable, key: BatchKey | ListKey): Promise<void> {
  const isOne = 'parentId' in key;
  await client.query(
    `update mirror.lists set innocent_difference = total_difference where ${SAME_RESOURCE} ${isOne ? `and ${SAME_LIST}` : ''}
      and total_readings > 1 and innocent_difference is distinct from total_difference`,
    [key.companyId, key.projectId, key.resource, ...(isOne ? [key.parentId] : [])],
  );
}

/**
 * Keeps by how much the Total of a reading was above what came; 0 forgets. The same twice in a row is a habit of the list.
 * Returns whether it is one.
 */
export async function noteTotal(client: Queryable, key: ListKey, difference: number): Promise<boolean> {
  if (difference === 0) {
    const forget = `update mirror.lists set total_difference = null, total_readings = 0, innocent_difference = null
      where ${SAME_RESOURCE} and ${SAME_LIST} and (total_difference is not null or innocent_difference is not null)`;
    await client.query(forget, valuesOf(key));
    return false;
  }
  const { rows } = await client.query<{ is_habit: boolean }>(
    `insert into mirror.lists as l (company_id, project_id, resource, parent_id, total_difference, total_readings)
      values ($1, $2, $3, $4, $5, 1)
      on conflict (company_id, project_id, resource, parent_id) do update set
        total_readings = case when l.total_difference = excluded.total_difference then l.total_readings + 1 else 1 end,
        total_difference = excluded.total_difference
      returning total_readings > 1 as is_habit`,
    [...valuesOf(key), difference],
  );
  return rows[0]?.is_habit ?? false;
}
