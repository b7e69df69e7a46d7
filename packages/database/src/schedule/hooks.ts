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
  /** Resources of which it has the triggers create, update and delete, in lower case; null: its triggers were not listed. */
  carries: readonly string[] | null;
};

/** What was not as it should be until now: nothing, the triggers of these resources (in lower case), or the hook. */
export type HookLapse = readonly string[] | 'all';

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

const CARRIED = '(select resources from mirror.trigger_sets s where s.key = h.carries_key)';

/** SQL: until when it had all triggers of a resource: as long as they were listed. Those that it did not have before were lacking for longer. */
const sinceOf = (resource: string) =>
  `coalesce((select triggers_listed_at from before where ${resource} = any(carried)), '-infinity')`;

/**
 * Notes the hook there as it is. `finding`: why it is not as it should be, in words. `lapsed`: what was set right just now; of such a time, and of
 * one without a hook that was active, no log of deliveries tells (`mirror.event_gaps`). `agoMs`: how long ago the look began.
 */
export async function noteHook(
  database: Database,
  place: HookPlace,
  { seen, finding, lapsed, agoMs }: { seen: SeenHook; finding: string | null; lapsed: HookLapse; agoMs: number },
): Promise<void> {
  const { hookId, status, destinationUrl, triggerCount, wantedKey, secretKey, notOffered, refused, carries } = seen;
  await database.pool.query(
    `with before as (
        select hook_id, status, good_until, triggers_listed_at, ${CARRIED} as carried,
          -- Nobody reads the log of a hook that is gone any more.
          case when hook_id is distinct from $4 then coalesce((select covers_until from mirror.delivery_looks l
            where l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'), '-infinity') end as read_until
        from mirror.hooks h
        where company_id = $1 and project_id is not distinct from $2::bigint and payload_version = $3
      ),
      known_set as (
        insert into mirror.trigger_sets (key, resources) select md5($16::text[]::text), $16 where $16 is not null on conflict do nothing
      ),
      gap as (
        insert into mirror.event_gaps (company_id, project_id, resource, since, until)
        select $1, $2, null::text, coalesce((select least(good_until, read_until) from before), '-infinity'), now()
        where $5 = 'active' and ($14 or not exists (select from before
          where hook_id = $4 and status = 'active' and good_until is not null))
        union all
        select $1, $2, resource, ${sinceOf('resource')}, now() from unnest($15::text[]) as resource
      )
      insert into mirror.hooks as h (company_id, project_id, payload_version, hook_id, status, destination_url, trigger_count,
        wanted_key, secret_key, not_offered, refused, finding, looked_at, triggers_listed_at, carries_key, good_until)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, now(), case when $13 then now() end,
        md5($16::text[]::text), case when $5 = 'active' then now() - $17::float8 * interval '1 ms' end)
      on conflict (company_id, project_id, payload_version) do update set hook_id = excluded.hook_id, status = excluded.status,
        destination_url = excluded.destination_url, trigger_count = excluded.trigger_count, wanted_key = excluded.wanted_key,
        secret_key = excluded.secret_key, not_offered = excluded.not_offered, refused = excluded.refused, finding = excluded.finding, looked_at = now(),
        triggers_listed_at = case when h.hook_id is not distinct from excluded.hook_id
          then coalesce(excluded.triggers_listed_at, h.triggers_listed_at) else excluded.triggers_listed_at end,
        carries_key = coalesce(excluded.carries_key, h.carries_key), good_until = greatest(h.good_until, excluded.good_until)`,
    [
      ...valuesOf(place),
      ...[hookId, status, destinationUrl, triggerCount, wantedKey, secretKey, notOffered, refused, finding],
      ...[seen.hasListedTriggers, lapsed === 'all', lapsed === 'all' ? [] : lapsed, carries, agoMs],
    ],
  );
}

/**
 * Notes what is not there at this moment, before it is set right: events of that time were not sent, and no log tells of them. `isMissing`: the hook
 * is not there; else it is, and disabled, where all lapsed.
 */
export async function noteHookLapse(
  database: Database,
  place: HookPlace,
  { lapsed, isMissing }: { lapsed: HookLapse; isMissing: boolean },
): Promise<void> {
  if (lapsed !== 'all' && lapsed.length === 0) return;
  await database.pool.query(
    `with seen as (
        update mirror.hooks set status = case when $6 then 'missing' else 'disabled' end
        where company_id = $1 and project_id is not distinct from $2::bigint and payload_version = $3 and $4
      ),
      before as (
        select good_until, triggers_listed_at, ${CARRIED} as carried from mirror.hooks h
        where company_id = $1 and project_id is not distinct from $2::bigint and payload_version = $3
      )
      insert into mirror.event_gaps (company_id, project_id, resource, since, until)
      select $1, $2, null::text, coalesce((select good_until from before), '-infinity'), now() where $4
      union all
      select $1, $2, resource, ${sinceOf('resource')}, now() from unnest($5::text[]) as resource`,
    [...valuesOf(place), lapsed === 'all', lapsed === 'all' ? [] : lapsed, isMissing],
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
