import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';

/** Notes that the worker runs; to be said every few seconds. */
export async function noteWorker(database: Database, holder: string): Promise<void> {
  await database.pool.query(
    `insert into mirror.workers as w (holder) values ($1)
      on conflict (holder) do update set seen_at = now(), stopped_at = null`,
    [holder],
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
