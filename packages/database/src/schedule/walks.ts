// Walks over parents that a run could not end. They are here and not in a worker's memory, so that whoever takes the next run
// of the batch goes on with them, after a restart, too.
import type { Database } from '../connection/open-database.ts';
import { afterConflicts } from '../connection/transaction.ts';
import { asJsonb } from '../rows/jsonb-text.ts';
import { type Batch, isOfBatch } from './batch.ts';

export type KeptWalk = {
  /** A number that no other walk has. */
  version: string;
  /** Where it stopped: JSON of the program that keeps it. Another version of it may have. */
  place: unknown;
  /** Since when, in seconds since 1970; it is forgotten a day later. */
  keptAt: number;
};

/** `pending`: the generations of those that it looks for and that are pending without news since. */
export type TakenWalk = KeptWalk & { pending: string[] };

/** Mostly a batch has one or two; a worker that lost its lease may leave another, and so may news of some of the records. */
const MOST_OF_A_BATCH = 5;
const batchValues = ({ companyId, projectId, resource, lane }: Batch) => [companyId, projectId, resource, lane];
const isOfLane = (batch: Batch, alias = ''): string => `${isOfBatch(batch, alias)} and ${alias}lane = $4::mirror.lane`;

/** Keeps a walk that looks for records with these generations, from now on if `keptAt` is null. Of a batch the newest five are kept. */
export async function keepWalk(
  database: Database,
  batch: Batch,
  walk: Omit<KeptWalk, 'keptAt'> & { generations: readonly string[]; keptAt: number | null },
): Promise<void> {
  const { version, generations, place, keptAt } = walk;
  await afterConflicts(database, () =>
    database.pool.query(
      `with kept as (
        insert into mirror.walks (company_id, project_id, resource, lane, version, generations, place, kept_at)
          values ($1, $2, $3, $4, $5, $6, $7, coalesce(to_timestamp($8::float8), now()))
          on conflict (version) do update set company_id = excluded.company_id, project_id = excluded.project_id,
            resource = excluded.resource, lane = excluded.lane, generations = excluded.generations, place = excluded.place,
            kept_at = excluded.kept_at
      )
      delete from mirror.walks where version = any(array(
        select version from mirror.walks where ${isOfLane(batch)} and version <> $5::bigint
        order by kept_at desc, version desc offset ${MOST_OF_A_BATCH - 1}))`,
      [...batchValues(batch), version, generations, asJsonb(JSON.stringify(place)), keptAt],
    ),
  );
}

/**
 * Takes out the walks of the batch that look for records with one of these generations, those that were kept first before
 * others. Two workers never take the same.
 */
export async function takeWalks(
  database: Database,
  batch: Batch,
  generations: readonly string[],
): Promise<TakenWalk[]> {
  return takeWhere(database, batch, 'generations && $5::bigint[]', generations);
}

/** The same for those whose place holds all that `part` does, whatever they look for. */
export async function takeWalksLike(database: Database, batch: Batch, part: object): Promise<TakenWalk[]> {
  return takeWhere(database, batch, 'place @> $5::jsonb', asJsonb(JSON.stringify(part)));
}

async function takeWhere(database: Database, batch: Batch, condition: string, value: unknown): Promise<TakenWalk[]> {
  const { rows } = await database.pool.query<TakenWalk>(
    `with found as materialized (
        select version from mirror.walks where ${isOfLane(batch)} and ${condition} and kept_at > now() - interval '1 day'
        for update skip locked
      ),
      taken as (
        delete from mirror.walks w using found where w.version = found.version
        returning w.version, w.place, w.kept_at, w.generations
      )
      select version::text as version, place, extract(epoch from kept_at)::float8 as "keptAt", array(
          select generation::text from mirror.pending p where ${isOfBatch(batch, 'p.')} and p.generation = any(taken.generations)
        ) as pending
      from taken order by kept_at, taken.version`,
    [...batchValues(batch), value],
  );
  return rows;
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
