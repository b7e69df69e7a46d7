import type { Queryable, Transaction } from '../connection/queryable.ts';
import { type BatchKey, isOfBatch, keyValues, type Lane, type NotedRecord } from '../schedule/batch.ts';

type NewsOfRecord = Pick<NotedRecord, 'id' | 'generation'>;

export type Postponement = {
  pauseMs: number;
  error: string | null;
  /** `own failure`: an attempt that failed for what may be the record's own fault, and no outage. */
  counts: 'nothing' | 'attempt' | 'own failure';
  reread: boolean;
};

/** A record that goes on to fail is fetched no more often, however often it is edited. */
const LEAST_PAUSE_MS = 10_000;
// Of `postponeRecords`: 6 the pause of the record, 8 whether it failed, 10 the least pause.
const PAUSE_OF_NEWS = `case when $8::int = 0 then $6::float8 when p.last_error is null then least($6::float8, $10) else $10::float8 end`;

/**
 * Lets records wait before they are fetched again. They stay pending; of news that came since they were noted nothing is said.
 * News ends the wait after a failure (one that counts as an attempt), but for ten seconds, and less after the first.
 */
export async function postponeRecords(
  client: Queryable,
  key: BatchKey,
  records: readonly NewsOfRecord[],
  postponement: Postponement,
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `update mirror.pending p set not_before = now() + ${PAUSE_OF_NEWS} * interval '1 ms',
        ready_at = greatest(p.ready_at, now() + interval '1 ms' *
          case when p.generation = f.generation then $6::float8 else ${PAUSE_OF_NEWS} end),
        last_error = $7,
        attempts = p.attempts + case when p.generation = f.generation then $8::int else 0 end,
        own_failures = p.own_failures + case when p.generation = f.generation then $11::int else 0 end,
        reread = p.reread or ($9 and p.generation = f.generation)
      from unnest($4::text[], $5::bigint[]) as f(record_id, generation)
      where ${isOfBatch(key, 'p.')} and p.record_id = f.record_id`,
    [
      ...keyValues(key),
      records.map(({ id }) => id),
      records.map(({ generation }) => generation),
      postponement.pauseMs,
      postponement.error,
      postponement.counts === 'nothing' ? 0 : 1,
      postponement.reread,
      LEAST_PAUSE_MS,
      postponement.counts === 'own failure' ? 1 : 0,
    ],
  );
}

/**
 * Notes that a fetch did not find these records, `agoMs` before now: the first of the two sightings that an absence takes.
 * They stay pending and are looked for again after `pauseMs`. News that came since they were noted is left alone.
 */
export async function noteFirstAbsence(
  client: Queryable,
  key: BatchKey,
  records: readonly NewsOfRecord[],
  { pauseMs, agoMs = 0 }: { pauseMs: number; agoMs?: number },
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `update mirror.pending p set absent_generation = p.generation,
        absent_at = case when p.absent_generation = p.generation then p.absent_at
          else now() - $7::float8 * interval '1 ms' end,
        ready_at = greatest(p.ready_at, now() + $6::float8 * interval '1 ms')
      from unnest($4::text[], $5::bigint[]) as f(record_id, generation)
      where ${isOfBatch(key, 'p.')} and p.record_id = f.record_id and p.generation = f.generation`,
    [...keyValues(key), records.map(({ id }) => id), records.map(({ generation }) => generation), pauseMs, agoMs],
  );
}

/**
 * Notes whether the lists under these pending records are still to be read. That they are is said of whatever news they have by now,
 * that they were only of the news that was noted before. Belongs in the transaction that found it out.
 */
export async function noteListsUnder(
  client: Transaction,
  key: BatchKey,
  records: readonly NewsOfRecord[],
  { areToBeRead }: { areToBeRead: boolean },
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `update mirror.pending p set lists_children = $6 from unnest($4::text[], $5::bigint[]) as f(record_id, generation)
      where ${isOfBatch(key, 'p.')} and p.record_id = f.record_id and ($6 or p.generation = f.generation)`,
    [...keyValues(key), records.map(({ id }) => id), records.map(({ generation }) => generation), areToBeRead],
  );
}

/**
 * Notes that a list was asked for these records, so that they are shown next: in the lane `detail`, if they were live and
 * it refreshed them. They stay pending and wait for `pauseMs`. Belongs in the transaction that stores the rows.
 */
export async function noteListed(
  client: Transaction,
  key: BatchKey,
  records: readonly NewsOfRecord[],
  { pauseMs, lane }: { pauseMs: number; lane: Lane },
): Promise<void> {
  await moveToLane(client, key, records, { pauseMs, lane, isListed: true });
}

/**
 * Postpones records to the lane `detail`, because they would cost many calls now and fewer when more is known. They stay
 * pending, for `pauseMs` at least.
 */
export async function postponeToDetail(
  client: Queryable,
  key: BatchKey,
  records: readonly NewsOfRecord[],
  pauseMs: number,
): Promise<void> {
  await moveToLane(client, key, records, { pauseMs, lane: 'detail', isListed: false });
}

async function moveToLane(
  client: Queryable,
  key: BatchKey,
  records: readonly NewsOfRecord[],
  { pauseMs, lane, isListed }: { pauseMs: number; lane: Lane; isListed: boolean },
): Promise<void> {
  if (records.length === 0) return;
  await client.query(
    `with moved as (
        update mirror.pending p set lane = greatest(p.lane, $7),
          listed_generation = case when $8 then p.generation else p.listed_generation end,
          ready_at = greatest(p.ready_at, now() + $6::float8 * interval '1 ms')
        from unnest($4::text[], $5::bigint[]) as f(record_id, generation)
        where ${isOfBatch(key, 'p.')} and p.record_id = f.record_id
          and p.generation = f.generation
        returning p.lane, p.worth, p.ready_at
      )
      insert into mirror.batches as b (company_id, project_id, resource, lane, worth, due_at, first_due_at)
      select $1::bigint, $2::bigint, $3, lane, min(worth), min(ready_at), min(ready_at) from moved group by lane order by lane
      on conflict (company_id, project_id, resource, lane) do update set
        worth = case when b.due_at < excluded.due_at then least(b.worth, excluded.worth) else excluded.worth end,
        due_at = least(b.due_at, excluded.due_at), first_due_at = least(b.first_due_at, excluded.first_due_at)`,
    [
      ...keyValues(key),
      records.map(({ id }) => id),
      records.map(({ generation }) => generation),
      pauseMs,
      lane,
      isListed,
    ],
  );
}
