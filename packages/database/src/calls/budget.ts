// One budget of API calls for all processes that share this database. Procore counts calls in two windows (an hour, ten
// seconds) and tells in each answer of the one nearer to running out; nothing else is believed.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import type { Lane } from '../schedule/batch.ts';

export type TakenCalls = {
  /** One for each call asked for, in that order. */
  granted: boolean[];
  /** When to ask again for those that were not granted, ms; 0 if there are none. */
  waitMs: number;
};

/** A call that somebody would like to make. */
export type WantedCall = { companyId: string; lane: Lane };

type WindowReport = {
  limit: number;
  remaining: number;
  /** null: it did not say. */
  resetInMs: number | null;
};

/** `holder` names the process; `underWay`: how many of its calls have no answer yet, by company, those asked for now not counted. */
export type Caller = { holder: string; underWay: ReadonlyMap<string, number> };

/**
 * Takes as many of these calls from the budget as its windows allow. Lanes go in their order and leave a share of each window to
 * others (functions/lane_shares.sql); so does a company that had many calls of a shared window already to the other companies. The
 * share shrinks as the window passes, so that no call is wasted.
 */
export async function takeCalls(database: Database, caller: Caller, calls: readonly WantedCall[]): Promise<TakenCalls> {
  const { rows } = await database.pool.query<{ granted: boolean[]; wait_ms: number }>({
    name: 'take-calls',
    text: 'select granted, wait_ms from mirror.take_calls($1, $2, $3::bigint[], $4::mirror.lane[])',
    values: [
      caller.holder,
      Object.fromEntries(caller.underWay),
      calls.map((call) => call.companyId),
      calls.map((call) => call.lane),
    ],
  });
  const [row] = rows;
  if (row === undefined) throw new Error('mirror.take_calls gave no answer');
  return { granted: row.granted, waitMs: row.wait_ms };
}

/** A call that was granted. */
type MadeCall = {
  /** null: for no company. */
  companyId: string | null;
  /** How long ago it went out, ms. */
  ageMs: number;
};

/** What became of it. */
export type Answered = MadeCall & {
  /** The process that made the call, as it names itself to `takeCalls`. */
  holder: string;
  /** It was answered 2xx. */
  succeeded: boolean;
  /** What the rate-limit headers said; null when there were none. */
  report: WindowReport | null;
};

/** Enters what became of a call. Belongs after each call that was granted, answered or not. */
export async function learnLimits(database: Database, answered: Answered): Promise<void> {
  const { holder, companyId, ageMs, succeeded, report } = answered;
  await database.pool.query({
    name: 'learn-limits',
    text: 'select mirror.learn_limits($1, $2, $3, $4, $5, $6, $7)',
    values: [
      ...[holder, companyId, ageMs, succeeded],
      ...[report?.limit ?? null, report?.remaining ?? null, report?.resetInMs ?? null],
    ],
  });
}

/**
 * How many such calls each batch that is due in this lane or before it could make now, as far as is known; null when
 * nothing is known. By the windows of the company if it has some of its own, else by the shared ones.
 */
export async function readAffordableCalls(client: Queryable, { lane, companyId }: WantedCall): Promise<number | null> {
  const { rows } = await client.query<{ calls: number | null }>({
    name: 'read-affordable-calls',
    text: `select min(case when known_by = 'header' and reset_at > now() then remaining else call_limit end)::float8
        / greatest((select count(*) from (
            select from mirror.batches where due_at <= now() and lane <= $1::mirror.lane limit $2) as due), 1) as calls
      from mirror.windows_of($3)
      where (window_name in ('spike', 'hour') and known_by <> 'assumed') or (window_name = 'unknown' and known_by = 'header')`,
    values: [lane, COUNTED_BATCHES, companyId],
  });
  return rows[0]?.calls ?? null;
}

const COUNTED_BATCHES = 200;

/** `isTold`: the answer said how long; else it is a guess. */
export type Refusal = MadeCall & { pauseMs: number; isTold: boolean };

/**
 * Stops the company's calls for a while, because Procore said so (429); null: all calls. Then one call asks whether it is over.
 * A guess is doubled with each such call that is refused in a row, up to an hour.
 */
export async function pauseCalls(database: Database, refusal: Refusal): Promise<void> {
  const { companyId, ageMs, pauseMs, isTold } = refusal;
  await database.pool.query('select mirror.pause_calls($1, $2, $3, $4)', [companyId, ageMs, pauseMs, isTold]);
}
