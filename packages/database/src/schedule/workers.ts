import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';

/** What a worker says of itself, for who judges whether all is well. */
export type WorkerReport = {
  version: string;
  /** Does it look after hooks? Else somebody else must. */
  looksAfterHooks: boolean;
  /** Since when no token is to be had, ISO 8601, and why; null: one is, as far as it knows. `rejected`: the credentials are refused. */
  login: { reason: 'rejected' | 'unreachable'; since: string; message: string } | null;
  /** How far Procore's clock is ahead of its own, ms; null: no answer told yet. */
  procoreAheadMs: number | null;
  /** Of the one that judges (`startJudgeLoop`): what it has told of in its log, so that who takes over does not tell it again. */
  told?: readonly ToldFinding[] | null;
};

/** A finding that the log tells of. `rank`: how bad it was when it was told. */
export type ToldFinding = {
  code: string;
  companyId: string | null;
  projectId: string | null;
  resource: string | null;
  rank: number;
};

/** Notes that the worker runs, and how far its clock is ahead of the database's; to be said every few seconds. */
export async function noteWorker(
  database: Database,
  holder: string,
  report: WorkerReport | null = null,
): Promise<void> {
  await database.pool.query(
    `insert into mirror.workers as w (holder, report)
      values ($1, $2::jsonb || jsonb_build_object('aheadMs', round($3::numeric - extract(epoch from clock_timestamp()) * 1000)))
      on conflict (holder) do update set seen_at = now(), stopped_at = null, report = coalesce(excluded.report, w.report)`,
    [holder, report === null ? null : JSON.stringify(report), Date.now()],
  );
}

/** Notes that the worker ended as it should. */
export async function noteWorkerStopped(database: Database, holder: string): Promise<void> {
  await database.pool.query('update mirror.workers set seen_at = now(), stopped_at = now() where holder = $1', [
    holder,
  ]);
}

/** Forgets workers that were not seen for a day. */
export async function forgetOldWorkers(database: Database): Promise<void> {
  await database.pool.query(`delete from mirror.workers where seen_at < now() - interval '1 day'`);
}

/** How long ago a worker was seen that did not stop since, ms; null: not for a day. */
export async function readWorkerAge(client: Queryable): Promise<number | null> {
  const { rows } = await client.query<{ ms: number | null }>(
    `select (extract(epoch from now() - max(seen_at)) * 1000)::float8 as ms from mirror.workers where stopped_at is null`,
  );
  return rows[0]?.ms ?? null;
}
