// The second half of the worker: the pending records of one company, project and resource are fetched and stored.
import {
  type Batch,
  type ClaimedBatch,
  giveProbeBack,
  readAffordableCalls,
  type Scope,
  type Trouble,
  VersionBehindError,
} from '@procore-mirror/database';
import { SLOW_TIMEOUT_MS } from '@procore-mirror/procore';
import { takeUpWork } from './fetch/blame-records.ts';
import { makeCall } from './fetch/make-call.ts';
import { planRun } from './fetch/plan-run.ts';
import { isOfOneRecord, type Next, type Progress, startProgress } from './fetch/progress.ts';
import { settleFailure } from './fetch/settle-failure.ts';
import { isRefusedList, settleRefusedList } from './fetch/settle-refused-list.ts';
import { endsParked, isStillParked } from './fetch/settle-run.ts';
import { followUp } from './plan/follow-up.ts';
import { judgeFailure } from './plan/judge-failure.ts';
import { type FetchCall, idsOf } from './plan/plan-fetch.ts';
import { type BatchRun, openRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';

export type BatchReport = {
  /** `parked`: the scope does not answer. `wait`: the rest comes in a later run. */
  outcome: 'done' | 'wait' | 'parked';
  stored: number;
  absent: number;
  /** Scopes that are parked since this run. */
  parked: readonly (Scope & Trouble)[];
  /** Scopes that were parked and answer again. */
  unparked: number;
  /** What went wrong last, if anything did. */
  error: unknown;
};

/** A run ends after so many calls, sooner when calls are short, so that other batches get their turn. */
const CALLS_PER_RUN = 50;
/** A list and a show of what it lacks: with less, runs would repeat the list and never come to an end. */
const FEWEST_CALLS = 2;
/** The same before any answer told what the budget is. */
const CALLS_OF_UNKNOWN_BUDGET = 10;

/**
 * Fetches and stores what is ready in the batch. Records it could not bring stay pending, each with its pause. Throws
 * only when the database fails.
 */
export async function fetchBatch(
  settings: FetchSettings,
  { isProbe = false, isWideProbe = false, probeAsks: asks = 'both', ...batch }: Batch & Partial<ClaimedBatch>,
  signal: AbortSignal,
): Promise<BatchReport> {
  const run = await openRun(settings, batch, signal);
  const progress = startProgress({ isProbe, isWide: isWideProbe, asks });
  if (isProbe) run.limitCalls({ timeoutMs: SLOW_TIMEOUT_MS });
  try {
    if (isWideProbe && asks !== 'itself' && (await isStillParked(run, progress)))
      return report(run, 'parked', progress);
    return await makeCalls(run, progress);
  } catch (error) {
    if (!(error instanceof VersionBehindError) && !signal.aborted) throw error;
    progress.wentWrong(error);
    return report(run, 'wait', progress);
  } finally {
    if (progress.isProbe()) await giveProbeBack(settings.database, batch);
  }
}

async function makeCalls(run: BatchRun, progress: Progress): Promise<BatchReport> {
  const { settings, batch, signal } = run;
  const { affordableCalls, ...plan } = await planRun(run);
  const most = Math.min(Math.max(Math.ceil(affordableCalls ?? CALLS_OF_UNKNOWN_BUDGET), FEWEST_CALLS), CALLS_PER_RUN);
  run.limitCalls({ most });
  let { calls } = plan;
  let made = 0;
  let isAgain = false;
  while (made < most && !signal.aborted) {
    const [call, ...others] = calls;
    // What would wait for leave here gathers more news where it is.
    if (
      call === undefined ||
      (made >= FEWEST_CALLS && (await readAffordableCalls(settings.database.pool, batch)) === 0)
    )
      break;
    const next = await tryCall(run, call, { progress, isAgain });
    if (next.kind === 'end') return report(run, next.outcome, progress);
    calls = callsAfter(call, next, others);
    isAgain = next.kind === 'again';
    if (!isAgain) made += 1; // that call counts once: with few calls its records would never get theirs
  }
  if (!signal.aborted && (await endsParked(run, progress))) return report(run, 'parked', progress);
  return report(run, run.wanted().length === 0 ? 'done' : 'wait', progress);
}

function callsAfter(
  call: FetchCall,
  next: Exclude<Next, { kind: 'end' }>,
  others: readonly FetchCall[],
): readonly FetchCall[] {
  switch (next.kind) {
    case 'go on':
      return [...others, ...next.also];
    case 'again':
      return [call, ...others];
    case 'instead':
      return [next.call];
  }
}

/** Makes one call; on failure settles what is known. */
async function tryCall(
  run: BatchRun,
  call: FetchCall,
  { progress, isAgain }: { progress: Progress; isAgain: boolean },
): Promise<Next> {
  const before = run.counts().answered;
  const sawAnswer = async () => {
    if (run.counts().answered > before) await takeUpWork(run, progress, isOfOneRecord(call) ? 'well' : 'not well');
  };
  try {
    await makeCall(run, call);
    await sawAnswer();
    return { kind: 'go on', also: followUp(run.entry, call, run.noted(idsOf(call))) };
  } catch (error) {
    if (run.signal.aborted) return { kind: 'end', outcome: 'wait' };
    const failure = judgeFailure(error);
    if (failure === null) throw error;
    progress.wentWrong(error);
    await sawAnswer();
    return isRefusedList(run, call, error)
      ? settleRefusedList(run, call, failure, { progress, isAgain })
      : settleFailure(run, call, failure, progress);
  }
}

function report(run: BatchRun, outcome: BatchReport['outcome'], progress: Progress): BatchReport {
  const { stored, absent, parked, unparked } = run.counts();
  return { outcome, stored, absent, parked, unparked, error: progress.lastError() };
}
