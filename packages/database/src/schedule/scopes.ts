// Scopes that refuse us, or that fail: one resource in a project or company, a company, or everything. A parked scope is left alone
// until its probe is due; one call at a time probes it.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';

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
  /** Procore asked to stay away so long; 0 when it did not say. No longer than the longest pause counts. */
  atLeastMs: number;
};

/**
 * Parks the scope, unless it is parked already or lies in one that is: who was in hand then knows nothing newer. Returns whether it
 * is parked only now.
 */
export async function parkScope(
  database: Database,
  scope: Scope,
  trouble: Trouble,
  pauses: ParkPauses,
): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `insert into mirror.scopes (company_id, project_id, resource, reason, detail, probe_at, refused_at)
      select $1::bigint, $2::bigint, $3::text, $4, $5, now() + $6::float8 * interval '1 ms', case when ${isRefusal('$4')} then now() end
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
      Math.min(Math.max(pauses.firstPauseMs, trouble.atLeastMs), pauses.longestPauseMs),
    ],
  );
  return rowCount === 1;
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
    `with ended as (delete from mirror.scopes where company_id is null and project_id is null and resource is null and reason = 'no_token'
        returning *)
      ${noteLacking('ended')}`,
  );
}

const OF_BATCH = '(select $1::bigint as company_id, $2::bigint as project_id, $3::text as resource) b';
const COVERING = lockCovering(OF_BATCH, 'b');
/** Joined to a statement that changes scopes, so that these are locked before. */
const LOCKED = '(select count(*) as count from covering) as locked';
const keyValues = ({ companyId, projectId, resource }: Scope) => [companyId, projectId, resource];

/**
 * What a probe of a whole company asks. Where the company refused us one call a probe is enough, by turns: `company`, whether it says who we
 * are, and `itself`, what the caller wants. Else (`both`) the company first, and where that does not tell, what the caller wants.
 */
export type ProbeAsks = 'company' | 'itself' | 'both';

/** SQL condition: we were told that we may not. */
const isRefusal = (reason: string) => `${reason} in ('forbidden', 'not_connected', 'unauthorized')`;

/**
 * SQL statement: what happened in companies that refused us is noted as lacking, because nobody knows what Procore kept of it: since all in the
 * log of each hook was recorded. `ended`: their scopes, rows of `mirror.scopes`.
 */
const noteLacking = (ended: string) => `insert into mirror.event_gaps (company_id, project_id, since, until, because)
  select h.company_id, h.project_id, coalesce(min(l.covers_until), '-infinity'), now(), 'disconnected'
  from mirror.hooks h left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'
  where exists (select from ${ended} s where (s.refused_at is not null or ${isRefusal('s.reason')}) and s.project_id is null and s.resource is null
    and (s.company_id is null or s.company_id = h.company_id))
  group by h.company_id, h.project_id`;

/** SQL value: the same of the scopes, rows of `mirror.scopes`, that are probed. */
export const PROBE_ASKS = `case
    when bool_or(resource is null and company_id is not null and ${isRefusal('reason')})
    then case when max(probes) filter (where resource is null and company_id is not null) % 2 = 0 then 'company' else 'itself' end
    else 'both' end`;

export type ParkedNow = {
  /** `probe`: the caller is to find out whether it answers again, and to tell, within a minute; `wait`: somebody else is, or will. */
  turn: 'probe' | 'wait';
  reason: ParkReason;
  detail: string;
  /** Until the next probe, ms. */
  waitMs: number;
  /** Is it a whole company, or everything? */
  isWide: boolean;
  /** Where it is wide. */
  asks: ProbeAsks;
  isEverything: boolean;
};

/** Is the scope parked, or does it lie in one that is? */
export async function isScopeParked(client: Queryable, scope: Scope): Promise<boolean> {
  const { rows } = await client.query<{ parked: boolean }>(
    `select exists (select from mirror.scopes s cross join (select $1::bigint as company_id, $2::bigint as project_id,
      $3::text as resource) b where ${scopeCovers('s', 'b')}) as parked`,
    keyValues(scope),
  );
  return rows[0]?.parked === true;
}

/** What a caller must know who wants to make a call in this scope. Null: it is not parked. Takes the probe if it is due. */
export async function askForTurn(database: Database, scope: Scope): Promise<ParkedNow | null> {
  const { rows } = await database.pool.query<ParkedNow>(
    `with ${COVERING},
      due as (select bool_and(probe_at <= now()) as is_due, bool_or(resource is null) as is_wide,
        bool_or(company_id is null) as is_everything, ${PROBE_ASKS} as asks from covering),
      taken as (update mirror.scopes s set probe_at = now() + interval '1 minute' from due, ${OF_BATCH}
        where due.is_due and ${scopeCovers('s', 'b')} returning s.resource)
      select case when exists (select from taken) then 'probe' else 'wait' end as turn, reason, detail,
        greatest(extract(epoch from probe_at - now()) * 1000, 0)::float8 as "waitMs", is_wide as "isWide", asks,
        is_everything as "isEverything"
      from covering, due order by probe_at desc limit 1`,
    keyValues(scope),
  );
  return rows[0] ?? null;
}

/**
 * A probe was refused: the scopes that cover it are left alone for half as long as they have been parked. Where everything is
 * parked this says no more than that the company is, too, so that is parked by itself, and others probe soon; only where no token
 * is to be had it is the same for everybody.
 */
export async function keepParked(database: Database, probe: Scope, trouble: Trouble, p: ParkPauses): Promise<void> {
  await database.pool.query(
    `with ${COVERING},
      own as (insert into mirror.scopes (company_id, reason, detail, probe_at, refused_at)
        select $1::bigint, $4, $5, now() + least($7::float8, greatest($8::float8, $6::float8)) * interval '1 ms',
          case when ${isRefusal('$4')} then now() end
        from covering where company_id is null and $4 <> 'no_token'
        on conflict (company_id, project_id, resource) do nothing)
      update mirror.scopes s set reason = $4, detail = $5, probes = s.probes + 1,
        refused_at = coalesce(s.refused_at, case when ${isRefusal('$4')} then now() end),
        probe_at = now() + interval '1 ms' * case when s.company_id is null and $4 <> 'no_token' then $6::float8
          else least($7::float8, greatest($8::float8, $6::float8, extract(epoch from now() - s.parked_at) * 1000 / 2)) end
      from ${OF_BATCH}, ${LOCKED} where ${scopeCovers('s', 'b')}`,
    [...keyValues(probe), trouble.reason, trouble.detail, p.firstPauseMs, p.longestPauseMs, trouble.atLeastMs],
  );
}

/** A probe ended before any call was answered: another may be made at once. */
export async function giveProbeBack(database: Database, probe: Scope): Promise<void> {
  await database.pool.query(
    `with ${COVERING} update mirror.scopes s set probe_at = now() from ${OF_BATCH}, ${LOCKED} where ${scopeCovers('s', 'b')}`,
    keyValues(probe),
  );
}

/**
 * Takes up work again in every parked scope that covers this one, because it answered; in those, too, that lie in it
 * and were parked by the same trouble. Returns how many there were. If everything was parked, what the same trouble parked of
 * other companies stays so, and is probed soon. Of a time in which a company refused us what happened may be lacking.
 */
export async function unparkScopes(database: Database, answered: Scope): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `with ${COVERING},
      wide as (select company_id, parked_at - interval '1 minute' as since from covering
        where project_id is null and resource is null),
      unparked as (delete from mirror.scopes s using ${OF_BATCH}, ${LOCKED} where locked.count > 0
        and (${scopeCovers('s', 'b')} or s.company_id = b.company_id and s.parked_at >= (select min(since) from wide))
        returning s.*),
      lacking as (${noteLacking('unparked')}),
      soon as (update mirror.scopes s set probe_at = least(s.probe_at, now() + interval '20 seconds') from wide
        where wide.company_id is null and s.company_id <> $1::bigint and s.parked_at >= wide.since)
      select count(*)::int as count from unparked`,
    keyValues(answered),
  );
  return rows[0]?.count ?? 0;
}

/**
 * Forgets parked resources of which nothing is pending: no batch would ever probe them, and if they still fail, the next news tells.
 * A whole company that is parked stays so.
 */
export async function forgetIdleScopes(database: Database): Promise<void> {
  await database.pool.query(
    `delete from mirror.scopes s where resource is not null and probe_at <= now() and not exists (select from mirror.pending p
      where p.company_id = s.company_id and p.resource = s.resource
        and (p.project_id = s.project_id or (p.project_id is null and s.project_id is null)))`,
  );
}

/** SQL condition: the parked scope covers the batch. */
export function scopeCovers(scope: string, batch: string): string {
  return `(${scope}.company_id is null or ${scope}.company_id = ${batch}.company_id)
    and (${scope}.project_id is null or ${scope}.project_id = ${batch}.project_id)
    and (${scope}.resource is null or ${scope}.resource = ${batch}.resource)`;
}

/**
 * The part of a statement that locks the parked scopes that cover `batch` (an item of `from`, known there as `alias`), as `covering`:
 * the widest first, as everybody does. They are as others left them meanwhile.
 */
export function lockCovering(batch: string, alias: string): string {
  return `covering as (select s.* from mirror.scopes s, ${batch} where ${scopeCovers('s', alias)}
    order by s.company_id nulls first, s.project_id nulls first, s.resource nulls first for update of s)`;
}
