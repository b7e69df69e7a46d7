// What we know of our hooks at Procore, from the last time we looked.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';

export type HookPlace = { companyId: string; projectId: string | null; payloadVersion: string };

type KnownHook = {
  /** Null: there is none. */
  hookId: string | null;
  /** The fingerprint of the secret that we last set; null: we set none. */
  secretKey: string | null;
  triggerCount: number | null;
  /** Tells the set of triggers that were wanted when its triggers were last listed. */
  wantedKey: string | null;
  /** Names of resources that are not offered there. */
  notOffered: readonly string[];
  /** Names of what was refused although it is offered. */
  refused: readonly string[];
};

export type SeenHook = KnownHook & {
  status: string | null;
  destinationUrl: string | null;
  /** Were its triggers listed, or made? */
  hasListedTriggers: boolean;
};

/** `triggersAgeMs`: how long ago its triggers were listed, or made, and were as right as Procore lets them be; null: never. */
export type RememberedHook = KnownHook & { triggersAgeMs: number | null };

const valuesOf = ({ companyId, projectId, payloadVersion }: HookPlace) => [companyId, projectId, payloadVersion];

/** What is known of the hook there; null: nothing is. */
export async function readHook(client: Queryable, place: HookPlace): Promise<RememberedHook | null> {
  const { rows } = await client.query<RememberedHook>(
    `select hook_id as "hookId", secret_key as "secretKey", trigger_count as "triggerCount",
        wanted_key as "wantedKey", not_offered as "notOffered", refused,
        (extract(epoch from now() - triggers_listed_at) * 1000)::float8 as "triggersAgeMs"
      from mirror.hooks where company_id = $1 and project_id is not distinct from $2::bigint and payload_version = $3`,
    valuesOf(place),
  );
  return rows[0] ?? null;
}

/** Notes the hook there as it is. `finding`: why it is not as it should be, in words. */
export async function noteHook(
  database: Database,
  place: HookPlace,
  { seen, finding }: { seen: SeenHook; finding: string | null },
): Promise<void> {
  const { hookId, status, destinationUrl, triggerCount, wantedKey, secretKey, notOffered, refused } = seen;
  await database.pool.query(
    `insert into mirror.hooks as h (company_id, project_id, payload_version, hook_id, status, destination_url, trigger_count,
        wanted_key, secret_key, not_offered, refused, finding, looked_at, triggers_listed_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now(), case when $13 then now() end)
      on conflict (company_id, project_id, payload_version) do update set hook_id = excluded.hook_id, status = excluded.status,
        destination_url = excluded.destination_url, trigger_count = excluded.trigger_count, wanted_key = excluded.wanted_key,
        secret_key = excluded.secret_key, not_offered = excluded.not_offered, refused = excluded.refused, finding = excluded.finding, looked_at = now(),
        triggers_listed_at = case when h.hook_id is not distinct from excluded.hook_id
          then coalesce(excluded.triggers_listed_at, h.triggers_listed_at) else excluded.triggers_listed_at end`,
    [
      ...valuesOf(place),
      ...[hookId, status, destinationUrl, triggerCount, wantedKey, secretKey, notOffered, refused, finding],
      seen.hasListedTriggers,
    ],
  );
}

/** Notes that the hook there could not be looked at, or not be set right, and why; what is known of it stays. */
export async function noteHookTrouble(database: Database, place: HookPlace, finding: string): Promise<void> {
  await database.pool.query(
    `insert into mirror.hooks (company_id, project_id, payload_version, finding, looked_at) values ($1, $2, $3, $4, now())
      on conflict (company_id, project_id, payload_version) do update set finding = excluded.finding, looked_at = now()`,
    [...valuesOf(place), finding],
  );
}

/** Where there is a hook of ours, as far as we know. */
export async function listHookPlaces(
  client: Queryable,
  companyIds: readonly string[],
): Promise<{ companyId: string; projectId: string | null }[]> {
  const { rows } = await client.query<{ companyId: string; projectId: string | null }>(
    `select company_id::text as "companyId", project_id::text as "projectId" from mirror.hooks
      where company_id = any($1::bigint[]) and hook_id is not null group by 1, 2 order by 1, 2`,
    [companyIds],
  );
  return rows;
}

/** Notes which secret a hook was given, known or not; of several in a scope it counts what the known one was given. */
export async function noteSecret(
  database: Database,
  place: HookPlace,
  { hookId, secretKey }: { hookId: string; secretKey: string },
): Promise<void> {
  await database.pool.query(
    `insert into mirror.hooks as h (company_id, project_id, payload_version, hook_id, secret_key) values ($1, $2, $3, $4, $5)
      on conflict (company_id, project_id, payload_version) do update set hook_id = excluded.hook_id, secret_key = excluded.secret_key
        where h.hook_id is null or h.hook_id = excluded.hook_id`,
    [...valuesOf(place), hookId, secretKey],
  );
}
