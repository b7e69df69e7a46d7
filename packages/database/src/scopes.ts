// Scopes that refuse us. A parked scope is left alone until its probe is due; each failed probe doubles the pause.
import { scopeCovers } from './batches.ts';
import type { Database } from './open-database.ts';

export type Scope = { companyId: string; projectId: string | null; resource: string | null };

export type ParkReason = 'forbidden' | 'not_connected' | 'unauthorized';

export type ParkOptions = Scope & { reason: ParkReason; detail: string; firstPauseMs: number; longestPauseMs: number };

/** Parks the scope, or parks it for longer. Returns how long until the next probe, in ms. */
export async function parkScope(database: Database, options: ParkOptions): Promise<number> {
  const { rows } = await database.pool.query<{ pause: number }>(
    `insert into mirror.scopes as s (company_id, project_id, resource, reason, detail, probe_at)
      values ($1, $2, $3, $4, $5, now() + $6::float8 * interval '1 ms')
      on conflict (company_id, project_id, resource) do update set reason = excluded.reason, detail = excluded.detail,
        probes = s.probes + 1,
        probe_at = now() + least($7::float8, $6::float8 * power(2, least(s.probes + 1, 30))) * interval '1 ms'
      returning (extract(epoch from probe_at - now()) * 1000)::float8 as pause`,
    [
      options.companyId,
      options.projectId,
      options.resource,
      options.reason,
      options.detail,
      options.firstPauseMs,
      options.longestPauseMs,
    ],
  );
  return rows[0]?.pause ?? options.firstPauseMs;
}

/** Takes up work again in every parked scope that covers this one, because it answered. Returns how many there were. */
export async function unparkScopes(
  database: Database,
  answered: { companyId: string; projectId: string | null; resource: string },
): Promise<number> {
  const { rowCount } = await database.pool.query(
    `delete from mirror.scopes s using (select $1::bigint as company_id, $2::bigint as project_id, $3::text as resource) b
      where ${scopeCovers('s', 'b')}`,
    [answered.companyId, answered.projectId, answered.resource],
  );
  return rowCount ?? 0;
}
