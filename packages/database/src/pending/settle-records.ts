import type { Transaction } from '../connection/queryable.ts';
import { SOME_ARE_DEAD } from '../events/dead-letters.ts';
import { type BatchKey, isOfBatch, keyValues, type Lane, type NotedRecord } from '../schedule/batch.ts';

type SettledRecord = Pick<NotedRecord, 'id' | 'generation' | 'settles'>;

/** News of an event that is in the rows now. `ms`: since it arrived at our door, the earliest where several were settled at once. */
export type SettledNews = { lane: Lane; ms: number };

/**
 * Ends what a fetch has proved: a record leaves the pending ones, and the dead letters, if no news came since it was noted.
 * Others stay, with their wait started anew. Belongs in the transaction that stores the rows. Returns the news of events among them.
 */
export async function settleRecords(
  client: Transaction,
  key: BatchKey,
  records: readonly SettledRecord[],
  delayMs: number,
): Promise<SettledNews[]> {
  if (records.length === 0) return [];
  const ids = records.map((record) => record.id);
  const generations = records.map((record) => (record.settles ? record.generation : '-1'));
  const { rows } = await client.query<SettledNews>(
    `with settled as (
        delete from mirror.pending p using unnest($4::text[], $5::bigint[]) as f(record_id, generation)
        where ${isOfBatch(key, 'p.')} and p.record_id = f.record_id
          and p.generation = f.generation
        returning p.record_id, p.lane, p.event_id, p.first_seen_at
      ),
      cleared as (delete from mirror.dead_letters d using settled s where d.id = concat_ws('/', $1::bigint, $2::bigint, $3::text, s.record_id)
        and ${SOME_ARE_DEAD}),
      kept as (update mirror.pending p set first_seen_at = now(), not_before = null, last_error = null,
          ready_at = greatest(p.ready_at, p.last_seen_at + $6::float8 * interval '1 ms')
        where ${isOfBatch(key)} and record_id = any($4) and record_id not in (select record_id from settled))
      select s.lane, (extract(epoch from clock_timestamp() - least(s.first_seen_at, e.received_at)) * 1000)::float8 as ms
      from settled s join mirror.events e on e.id = s.event_id`,
    [...keyValues(key), ids, generations, delayMs],
  );
  return rows;
}
