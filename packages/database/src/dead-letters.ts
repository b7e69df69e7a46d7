import type { BatchKey, NotedRecord } from './batches.ts';
import type { Database } from './open-database.ts';

export type DeadLetter = { id: string; reason: string; detail: string | null; raw: string };

type Queryable = Pick<Database['pool'], 'query'>;

/** Keeps what we gave up on. The same id again counts as another attempt. */
export async function keepDeadLetter(client: Queryable, letter: DeadLetter): Promise<void> {
  await client.query(
    `insert into mirror.dead_letters as d (id, reason, detail, raw) values ($1, $2, $3, $4)
      on conflict (id) do update set attempts = d.attempts + 1, last_seen_at = now(), reason = excluded.reason,
        detail = excluded.detail`,
    [letter.id, letter.reason, letter.detail?.replaceAll('\0', '\ufffd') ?? null, letter.raw],
  );
}

/** Turns pending records into dead letters, each with the newest event that told of it. News that came since stays pending. */
export async function giveUpRecords(
  database: Database,
  key: BatchKey,
  records: readonly Pick<NotedRecord, 'id' | 'generation'>[],
  why: { reason: string; detail: string },
): Promise<void> {
  await database.pool.query(
    `with given_up as (
        delete from mirror.pending p using unnest($4::text[], $5::bigint[]) as f(record_id, generation)
        where p.company_id = $1 and p.project_id is not distinct from $2::bigint and p.resource = $3
          and p.record_id = f.record_id and p.generation = f.generation
        returning p.*
      )
      insert into mirror.dead_letters as d (id, reason, detail, raw, attempts)
      select coalesce(g.event_id, concat_ws('/', g.company_id, g.project_id, g.resource, g.record_id)), $6, $7,
        coalesce(e.raw::text, to_jsonb(g)::text), g.attempts + 1
      from given_up g left join mirror.events e on e.id = g.event_id
      on conflict (id) do update set attempts = d.attempts + excluded.attempts, last_seen_at = now(),
        reason = excluded.reason, detail = excluded.detail`,
    [
      key.companyId,
      key.projectId,
      key.resource,
      records.map(({ id }) => id),
      records.map(({ generation }) => generation),
      why.reason,
      why.detail.replaceAll('\0', '\ufffd'),
    ],
  );
}
