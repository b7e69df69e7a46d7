import type { Queryable } from '../connection/queryable.ts';
import { type BatchKey, isOfBatch, keyValues } from '../schedule/batch.ts';

/** Notes the parents that a list named of pending records, by record id. */
export async function placePending(
  client: Queryable,
  key: BatchKey,
  parents: ReadonlyMap<string, string>,
): Promise<void> {
  await client.query(
    `update mirror.pending p set parent_id = f.parent_id from unnest($4::text[], $5::text[]) as f(record_id, parent_id)
      where ${isOfBatch(key, 'p.')} and p.record_id = f.record_id`,
    [...keyValues(key), [...parents.keys()], [...parents.values()]],
  );
}
