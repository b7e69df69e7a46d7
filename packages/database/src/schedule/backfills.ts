import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { type BatchKey, keyValues } from './batch.ts';

/** Notes how far the backfill of a resource in a scope has come. */
export async function noteBackfill(
  database: Database,
  scope: BatchKey,
  news: { state: 'running' | 'done' | 'failed'; rows: number; detail: string | null },
): Promise<void> {
  await database.pool.query(
    `insert into mirror.backfills as b (company_id, project_id, resource, state, rows, detail, finished_at)
      values ($1, $2, $3, $4, $5, $6, case when $4 = 'done' then now() end)
      on conflict (company_id, project_id, resource) do update set state = excluded.state, rows = excluded.rows,
        detail = excluded.detail, finished_at = excluded.finished_at,
        started_at = case when excluded.state = 'running' then now() else b.started_at end`,
    [...keyValues(scope), news.state, news.rows, news.detail],
  );
}

/** The scopes of a company that have been filled. */
export async function listBackfilled(client: Queryable, companyId: string): Promise<BatchKey[]> {
  const { rows } = await client.query<BatchKey>(
    `select company_id::text as "companyId", project_id::text as "projectId", resource from mirror.backfills
      where company_id = $1 and state = 'done'`,
    [companyId],
  );
  return rows;
}
