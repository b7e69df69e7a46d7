// Walks over parents that a run could not end. They are here and not in a worker's memory, so that whoever takes the next run
// of the batch goes on with them, after a restart, too.
import { type Batch, isOfBatch, type NotedRecord } from './batches.ts';
import { asJsonb } from './jsonb-text.ts';
import type { Database } from './open-database.ts';
import { afterConflicts } from './transaction.ts';

export type KeptWalk = {
  /** The number taken before its first request; no other walk has it. */
  version: string;
  /** Where it stopped: JSON of the program that keeps it. Another version of it may have. */
  place: unknown;
};

/** Mostly a batch has one; a worker that lost its lease may leave another, and so may news of some of the records. */
const MOST_OF_A_BATCH = 5;
const batchValues = ({ companyId, projectId, resource, lane }: Batch) => [companyId, projectId, resource, lane];
const isOfLane = (batch: Batch, alias = ''): string => `${isOfBatch(batch, alias)} and ${alias}lane = $4::mirror.lane`;

/** Keeps a walk that looks for records with these generations. Of a batch the newest five are kept. */
export async function keepWalk(
  database: Database,
  batch: Batch,
  { version, generations, place }: KeptWalk & { generations: readonly string[] },
): Promise<void> {
  await afterConflicts(database, () =>
    database.pool.query(
      `with kept as (
        insert into mirror.walks (company_id, project_id, resource, lane, version, generations, place)
          values ($1, $2, $3, $4, $5, $6, $7)
          on conflict (version) do update set company_id = excluded.company_id, project_id = excluded.project_id,
            resource = excluded.resource, lane = excluded.lane, generations = excluded.generations, place = excluded.place,
            kept_at = now()
      )
      delete from mirror.walks where version = any(array(
        select version from mirror.walks where ${isOfLane(batch)} and version <> $5::bigint
        order by kept_at desc, version desc offset ${MOST_OF_A_BATCH - 1}))`,
      [...batchValues(batch), version, generations, asJsonb(JSON.stringify(place))],
    ),
  );
}

/**
 * Takes out the walk of the batch that was kept first, of those that look for one of these records and had no news of it since.
 * Null when there is none. Two workers never take the same. A walk from before a record was missed the first time is no
 * second look at it.
 */
export async function takeWalk(
  database: Database,
  batch: Batch,
  records: readonly Pick<NotedRecord, 'id' | 'generation'>[],
): Promise<KeptWalk | null> {
  const { rows } = await database.pool.query<KeptWalk>(
    `delete from mirror.walks where version = (
        select version from mirror.walks w
        where ${isOfLane(batch, 'w.')} and generations && $5::bigint[] and kept_at > now() - interval '1 day'
          and not exists (select from mirror.pending p where ${isOfBatch(batch, 'p.')} and p.record_id = any($6)
            and p.generation = any(w.generations) and p.absent_generation = p.generation and p.absent_at > w.kept_at)
        order by kept_at, version limit 1 for update of w skip locked)
      returning version::text as version, place`,
    [...batchValues(batch), records.map(({ generation }) => generation), records.map(({ id }) => id)],
  );
  return rows[0] ?? null;
}

/** Removes walks of more than a day ago, and those that look for nothing that is still pending without news since. */
export async function forgetOldWalks(database: Database): Promise<void> {
  await database.pool.query(
    `delete from mirror.walks w where kept_at <= now() - interval '1 day' or not exists (
        select from mirror.pending p where p.company_id = w.company_id and p.resource = w.resource and p.lane = w.lane
          and (p.project_id = w.project_id or (p.project_id is null and w.project_id is null))
          and p.generation = any(w.generations))`,
  );
}
