import type { Queryable } from '../connection/queryable.ts';
import { type BatchKey, isOfBatch, keyValues } from '../schedule/batch.ts';

/** How many records of the batch are pending, counting no further than `limit`. */
export async function countPending(client: Queryable, key: BatchKey, limit: number): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from (select from mirror.pending where ${isOfBatch(key)} limit $4) as counted`,
    [...keyValues(key), limit],
  );
  return rows[0]?.count ?? 0;
}

/** Ids of the batch's pending records, newest news first. */
export async function listPendingIds(client: Queryable, key: BatchKey, limit: number): Promise<string[]> {
  const { rows } = await client.query<{ record_id: string }>(
    `select record_id from mirror.pending where ${isOfBatch(key)} order by last_seen_at desc limit $4`,
    [...keyValues(key), limit],
  );
  return rows.map((row) => row.record_id);
}

/** Those of the ids that are pending in the batch. */
export async function findPending(client: Queryable, key: BatchKey, ids: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ record_id: string }>(
    `select record_id from mirror.pending where ${isOfBatch(key)} and record_id = any($4)`,
    [...keyValues(key), ids],
  );
  return rows.map((row) => row.record_id);
}

/** The parent of a pending record, as far as a list has named it. */
export async function findPendingParent(client: Queryable, key: BatchKey, id: string): Promise<string | null> {
  const { rows } = await client.query<{ parent_id: string | null }>(
    `select parent_id from mirror.pending where ${isOfBatch(key)} and record_id = $4`,
    [...keyValues(key), id],
  );
  return rows[0]?.parent_id ?? null;
}
