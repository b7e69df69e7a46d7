import type { Queryable } from '../connection/queryable.ts';
import type { BatchKey } from './batch.ts';

/** The scopes of a company that have been filled. */
export async function listBackfilled(client: Queryable, companyId: string): Promise<BatchKey[]> {
  const { rows } = await client.query<BatchKey>(
    `select company_id::text as "companyId", project_id::text as "projectId", resource from mirror.backfills
      where company_id = $1 and state = 'done'`,
    [companyId],
  );
  return rows;
}
