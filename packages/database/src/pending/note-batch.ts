import type { Queryable } from '../connection/queryable.ts';
import { deadLetterId, SOME_ARE_DEAD } from '../events/dead-letters.ts';
import { type BatchKey, isOfBatch, keyValues, type NotedRecord } from '../schedule/batch.ts';

/**
 * The records of all lanes that are ready, lane by lane, by worth, longest-waiting first, up to `limit` of each lane and worth. What
 * was given up of a record, a deletion maybe, is news of it still.
 */
export async function noteBatch(
  client: Queryable,
  key: BatchKey,
  options: { delayMs: number; absencePauseMs: number; limit: number },
): Promise<NotedRecord[]> {
  const { rows } = await client.query<NotedRecord>({
    name: `note-batch-of-${key.projectId === null ? 'company' : 'project'}`,
    text: `select p.record_id as id, p.generation::text, p.lane, coalesce(p.event_id, d.event_id) as "eventId",
        nullif(greatest(p.occurred_at, d.occurred_at), 'infinity') as "occurredAt",
        least(p.happened_at, d.happened_at)::text as "happenedAt", coalesce(p.parent_id, d.parent_id) as "parentId", p.delete_seen or coalesce(d.delete_seen, false) as "isDelete",
        p.attempts, p.own_failures as "ownFailures", p.reread, p.lists_children as "listsChildren", (p.delete_seen or coalesce(d.delete_seen, false)) and coalesce(
          greatest(p.delete_occurred_at, d.delete_occurred_at) >= greatest(p.occurred_at, d.occurred_at), true)
          as "isDeletedLast",
        coalesce(p.absent_generation = p.generation, false)
          and p.absent_at <= now() - $6::float8 * interval '1 ms' as "isSightedAbsent",
        coalesce(p.listed_generation = p.generation, false) as "isListed",
        p.last_seen_at <= now() - $4::float8 * interval '1 ms' as settles
      from unnest(enum_range(null::mirror.lane)) as of(lane) cross join (values (0::smallint), (1)) as worths(worth) cross join lateral (
        select * from mirror.pending where ${isOfBatch(key)} and lane = of.lane and worth = worths.worth and ready_at <= now()
        order by ready_at limit $5
      ) as p left join (select * from mirror.dead_letters where ${SOME_ARE_DEAD}) d on d.id = ${deadLetterId('p')}
      order by p.lane, p.worth, p.ready_at, p.generation`,
    values: [...keyValues(key), options.delayMs, options.limit, options.absencePauseMs],
  });
  return rows;
}
