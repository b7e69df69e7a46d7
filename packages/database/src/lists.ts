// What was learnt of Procore's lists: how large a page may be, and by how much a list's Total is usually off.
import type { BatchKey } from './batches.ts';
import type { Database } from './open-database.ts';

/** A list of a company or a project, or of one parent where its path names one. */
type ListKey = BatchKey & { parentId: string | null };

export type ListFacts = {
  /** The size of page that was answered when a larger one failed; null: any is. */
  pageSize: number | null;
  /** It is time to try a larger one again. */
  isLargerDue: boolean;
};

type Queryable = Pick<Database['pool'], 'query'>;

const valuesOf = (key: ListKey): (string | null)[] => [key.companyId, key.projectId, key.resource, key.parentId];
const SAME_LIST = `company_id = $1::bigint and project_id is not distinct from $2::bigint and resource = $3
  and parent_id is not distinct from $4`;

/** What is known of the pages of a list. All parents' lists of a resource have pages of one size. */
export async function readListFacts(client: Queryable, key: BatchKey): Promise<ListFacts> {
  const { rows } = await client.query<ListFacts>(
    `select page_size as "pageSize", coalesce(larger_page_at <= now(), false) as "isLargerDue" from mirror.lists where ${SAME_LIST}`,
    valuesOf({ ...key, parentId: null }),
  );
  return rows[0] ?? { pageSize: null, isLargerDue: false };
}

/** Keeps the size of page that is answered, and has a larger one tried after a day; null forgets it. */
export async function notePageSize(client: Queryable, key: BatchKey, pageSize: number | null): Promise<void> {
  await client.query(
    `insert into mirror.lists (company_id, project_id, resource, parent_id, page_size, larger_page_at)
      values ($1, $2, $3, $4, $5::int, case when $5::int is not null then now() + interval '1 day' end)
      on conflict (company_id, project_id, resource, parent_id) do update set
        page_size = excluded.page_size, larger_page_at = excluded.larger_page_at`,
    [...valuesOf({ ...key, parentId: null }), pageSize],
  );
}

/**
 * Keeps by how much the Total of a reading was above what came; 0 forgets. The same twice in a row is a habit of the list.
 * Returns whether it is one.
 */
export async function noteTotal(client: Queryable, key: ListKey, difference: number): Promise<boolean> {
  if (difference === 0) {
    const forget = `update mirror.lists set total_difference = null, total_readings = 0 where ${SAME_LIST}
      and total_difference is not null`;
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
