// Scopes that refuse us, or that fail: one resource in a project or company, a company, or everything. A parked scope is left alone
// until its probe is due; one call at a time probes it.
import { scopeCovers } from './batches.ts';
import type { Database } from './open-database.ts';

/** NULL stands for all. */
export type Scope = { companyId: string | null; projectId: string | null; resource: string | null };

export type ParkReason =
  /** 403. */
  | 'forbidden'
  /** Nothing of the company answers, not even who we are. */
  | 'not_connected'
  /** 401 to a fresh token. */
  | 'unauthorized'
  /** 5xx, or an answer that makes no sense. */
  | 'failing'
  /** No answer of Procore's came. */
  | 'unreachable'
  /** No answer came in time. */
  | 'slow'
  /** No access token is to be had. */
  | 'no_token';

/** How long a scope is left alone at first, and at most, ms. */
export type ParkPauses = { firstPauseMs: number; longestPauseMs: number };

export type Trouble = {
  reason: ParkReason;
  detail: string;
  /** Procore asked to stay away so long; 0 when it did not say. */
  atLeastMs: number;
};

/** Parks the scope, unless it is parked already or lies in one that is: who was in hand then knows nothing newer. */
export async function parkScope(database: Database, scope: Scope, trouble: Trouble, pauses: ParkPauses): Promise<void> {
  await database.pool.query(
    `insert into mirror.scopes (company_id, project_id, resource, reason, detail, probe_at)
      select $1::bigint, $2::bigint, $3::text, $4, $5, now() + $6::float8 * interval '1 ms'
      where not exists (select from mirror.scopes s
        cross join (select $1::bigint as company_id, $2::bigint as project_id, $3::text as resource) b
        where ${scopeCovers('s', 'b')})
      on conflict (company_id, project_id, resource) do nothing`,
    [
      scope.companyId,
      scope.projectId,
      scope.resource,
      trouble.reason,
      trouble.detail,
      Math.max(pauses.firstPauseMs, trouble.atLeastMs),
    ],
  );
}

/**
 * Parks everything because no token is to be had; `endNoToken` ends it. Its probe is due at once, for another process may have one.
 * Other trouble of everything stays while its probe is to come; when that is due nobody can make it here.
 */
export async function parkForNoToken(database: Database, detail: string): Promise<void> {
  await database.pool.query(
    `insert into mirror.scopes as s (company_id, project_id, resource, reason, detail, probe_at)
      values (null, null, null, 'no_token', $1, now())
      on conflict (company_id, project_id, resource) do update
        set reason = excluded.reason, detail = excluded.detail, probe_at = least(s.probe_at, excluded.probe_at)
        where s.probe_at <= now() or (s.reason = 'no_token' and s.probes = 0)`,
    [detail],
  );
}

/** Takes up work again that stood still because no token was to be had, and only then. */
export async function endNoToken(database: Database): Promise<void> {
  await database.pool.query(
    `delete from mirror.scopes where company_id is null and project_id is null and resource is null and reason = 'no_token'`,
  );
}

const OF_BATCH = '(select $1::bigint as company_id, $2::bigint as project_id, $3::text as resource) b';
const keyValues = ({ companyId, projectId, resource }: Scope) => [companyId, projectId, resource];

export type ParkedNow = {
  /** `probe`: the caller is to find out whether it answers again, and to tell, within a minute; `wait`: somebody else is, or will. */
  turn: 'probe' | 'wait';
  reason: ParkReason;
  detail: string;
  /** Until the next probe, ms. */
  waitMs: number;
  /** Is it a whole company, or everything? */
  isWide: boolean;
  isEverything: boolean;
};

/** What a caller must know who wants to make a call in this scope. Null: it is not parked. Takes the probe if it is due. */
export async function askForTurn(database: Database, scope: Scope): Promise<ParkedNow | null> {
  const { rows } = await database.pool.query<ParkedNow>(
    `with covering as (select s.ctid as place, s.* from mirror.scopes s, ${OF_BATCH} where ${scopeCovers('s', 'b')} for update of s),
      due as (select bool_and(probe_at <= now()) as is_due, bool_or(resource is null) as is_wide,
        bool_or(company_id is null) as is_everything from covering),
      taken as (update mirror.scopes s set probe_at = now() + interval '1 minute' from due
        where due.is_due and s.ctid in (select place from covering) returning s.resource)
      select case when exists (select from taken) then 'probe' else 'wait' end as turn, reason, detail,
        greatest(extract(epoch from probe_at - now()) * 1000, 0)::float8 as "waitMs", is_wide as "isWide",
        is_everything as "isEverything"
      from covering, due order by probe_at desc limit 1`,
    keyValues(scope),
  );
  return rows[0] ?? null;
}

/** A probe was refused: the scopes that cover it are left alone for half as long as they have been parked. */
export async function keepParked(database: Database, probe: Scope, trouble: Trouble, p: ParkPauses): Promise<void> {
  await database.pool.query(
    `update mirror.scopes s set reason = $4, detail = $5, probes = s.probes + 1,
        probe_at = now() + greatest($8::float8, least($7::float8, greatest($6::float8,
          extract(epoch from now() - s.parked_at) * 1000 / 2))) * interval '1 ms'
      from ${OF_BATCH} where ${scopeCovers('s', 'b')}`,
    [...keyValues(probe), trouble.reason, trouble.detail, p.firstPauseMs, p.longestPauseMs, trouble.atLeastMs],
  );
}

/** A probe ended before any call was answered: another may be made at once. */
export async function giveProbeBack(database: Database, probe: Scope): Promise<void> {
  await database.pool.query(
    `update mirror.scopes s set probe_at = now() from ${OF_BATCH} where ${scopeCovers('s', 'b')}`,
    keyValues(probe),
  );
}

/**
 * Takes up work again in every parked scope that covers this one, because it answered; in those, too, that lie in one of them
 * and were parked by the same trouble. Returns how many there were.
 */
export async function unparkScopes(database: Database, answered: Scope): Promise<number> {
  const { rowCount } = await database.pool.query(
    `with covering as (select s.ctid, s.* from mirror.scopes s, ${OF_BATCH} where ${scopeCovers('s', 'b')})
      delete from mirror.scopes s where exists (select from covering c
        where c.ctid = s.ctid or (c.resource is null and c.project_id is null
          and (c.company_id is null or c.company_id = s.company_id)
          and s.parked_at >= c.parked_at - interval '1 minute'))`,
    [answered.companyId, answered.projectId, answered.resource],
  );
  return rowCount ?? 0;
}
