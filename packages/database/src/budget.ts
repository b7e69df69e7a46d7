// One budget of API calls for all processes that share this database. Procore counts calls in two windows (an hour, ten
// seconds) and tells in each answer of the one nearer to running out; nothing else is believed.
import type { Lane } from './batches.ts';
import type { Database } from './open-database.ts';

export type Leave = {
  /** One for each call asked for, in that order. */
  granted: boolean[];
  /** When to ask again for those that were not granted, ms; 0 if there are none. */
  waitMs: number;
};

/** A call that somebody would like to make. */
export type WantedCall = { companyId: string; lane: Lane };

type WindowReport = { limit: number; remaining: number; resetInMs: number };

/** `holder` names the process; `underWay` is how many of its calls have no answer yet, those asked for now not counted. */
export type Caller = { holder: string; underWay: number };

/**
 * Takes leave for as many of the calls as the windows allow. Lanes go in their order, and all but live ones leave a share
 * of each window to those before them; so does a company that had many calls already to the other companies. The share
 * shrinks as the window passes, so that no call is wasted.
 */
export async function takeLeave(database: Database, caller: Caller, calls: readonly WantedCall[]): Promise<Leave> {
  const { rows } = await database.pool.query<{ granted: boolean[]; wait_ms: number }>({
    name: 'take-leave',
    text: 'select granted, wait_ms from mirror.take_leave($1, $2, $3::bigint[], $4::mirror.lane[])',
    values: [caller.holder, caller.underWay, calls.map((call) => call.companyId), calls.map((call) => call.lane)],
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

/**
 * How many calls each batch that is due in this lane or before it could make now, as far as is known; null when nothing
 * is known.
 */
export async function readLeave(database: Database, lane: Lane): Promise<number | null> {
  const { rows } = await database.pool.query<{ calls: number | null }>({
    name: 'read-leave',
    text: `select min(case when known_by = 'header' and reset_at > now() then remaining else call_limit end)::float8
        / greatest((select count(*) from (
            select from mirror.batches where due_at <= now() and lane <= $1::mirror.lane limit $2) as due), 1) as calls
      from mirror.budget where window_name in ('spike', 'hour') or (window_name = 'unknown' and known_by = 'header')`,
    values: [lane, COUNTED_BATCHES],
  });
  return rows[0]?.calls ?? null;
}

const COUNTED_BATCHES = 200;

/** Stops all calls for a while, because Procore said so (429, 503). */
export async function pauseCalls(database: Database, pauseMs: number): Promise<void> {
  await database.pool.query(
    `insert into mirror.budget as b (window_name, call_limit, remaining, reset_at)
      values ('pause', 0, 0, now() + $1::float8 * interval '1 ms')
      on conflict (window_name) do update set reset_at = greatest(b.reset_at, excluded.reset_at), updated_at = now()`,
    [pauseMs],
  );
}
