// One budget of API calls for all processes that share this database. Procore counts calls in two windows (an hour, ten
// seconds) and tells in each answer of the one nearer to running out; nothing else is believed.
import type { Database } from './open-database.ts';

export type Leave = { granted: number; waitMs: number };

type WindowReport = { limit: number; remaining: number; resetInMs: number };

/** `holder` names the process; `underWay` is how many of its calls have no answer yet, those asked for now not counted. */
export type Caller = { holder: string; underWay: number };

/**
 * Takes leave for up to `calls` calls. `keepShare` is the share of each window that this caller leaves to others.
 * `waitMs` says when to ask again if nothing was granted.
 */
export async function takeLeave(
  database: Database,
  options: Caller & { calls: number; keepShare: number },
): Promise<Leave> {
  const { rows } = await database.pool.query<{ granted: number; wait_ms: number }>({
    name: 'take-leave',
    text: 'select granted, wait_ms from mirror.take_leave($1, $2, $3, $4)',
    values: [options.holder, options.underWay, options.calls, options.keepShare],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('mirror.take_leave gave no answer');
  return { granted: row.granted, waitMs: row.wait_ms };
}

/** What became of a call that had leave. */
export type Answered = {
  /** How long ago it went out, ms. */
  ageMs: number;
  /** False when no answer came. */
  answered: boolean;
  /** What the rate-limit headers said; null when there were none. */
  report: WindowReport | null;
};

/** Enters what became of a call. Belongs after each call that had leave, answered or not. */
export async function learnLimits(database: Database, { ageMs, answered, report }: Answered): Promise<void> {
  await database.pool.query({
    name: 'learn-limits',
    text: 'select mirror.learn_limits($1, $2, $3, $4, $5)',
    values: [ageMs, answered, report?.limit ?? null, report?.remaining ?? null, report?.resetInMs ?? null],
  });
}

/** How many calls each batch that is due could make now, as far as is known; null when nothing is known. */
export async function readLeave(database: Database): Promise<number | null> {
  const { rows } = await database.pool.query<{ calls: number | null }>(
    `select min(remaining)::float8 / greatest((select count(*) from mirror.batches where due_at <= now()), 1) as calls
      from mirror.budget where is_confirmed and reset_at > now()`,
  );
  return rows[0]?.calls ?? null;
}

/** Stops all calls for a while, because Procore said so (429, 503). */
export async function pauseCalls(database: Database, pauseMs: number): Promise<void> {
  await database.pool.query(
    `insert into mirror.budget as b (window_name, call_limit, remaining, reset_at)
      values ('pause', 0, 0, now() + $1::float8 * interval '1 ms')
      on conflict (window_name) do update set reset_at = greatest(b.reset_at, excluded.reset_at), updated_at = now()`,
    [pauseMs],
  );
}
