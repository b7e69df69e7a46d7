// Records that are to blame for their failures themselves: each waits on its own, and is given up in the end.
import { type NotedRecord, postponeRecords, type Trouble, unparkScopes } from '@procore-mirror/database';
import type { Witness } from '../ask/witness.ts';
import { judgeFailure, pauseOf } from '../plan/judge-failure.ts';
import { type FetchCall, idsOf } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { giveUp } from '../store/give-up.ts';
import { makeCall } from './make-call.ts';
import { type CallFailure, isOfOneRecord, type Progress } from './progress.ts';

const LIST_PAUSE_MS = 20_000;
/** About three minutes: a record that has no neighbour is not given up before. */
const ALONE_AFTER_FAILURES = 12;

/** A call was answered: what failed before it was to blame itself, and scopes that were parked answer again. `witness`: was another shown? */
export async function takeUpWork(run: BatchRun, progress: Progress, witness: Witness): Promise<void> {
  await blameRecords(run, progress, witness);
  if (!progress.answered()) return;
  // Those whose records come with this one's, too: it is their address that was answered, and perhaps nothing of them is left to fetch.
  for (const resource of run.notedResources()) {
    run.unparked(await unparkScopes(run.settings.database, { ...run.batch, resource }));
  }
}

/**
 * The failures are those of their records: each has a pause of its own, and is given up in the end if that is no use and others
 * are well.
 */
export async function blameRecords(run: BatchRun, progress: Progress, witness: Witness): Promise<void> {
  for (const failure of progress.takeFailures()) {
    const { call } = failure;
    const isLast = call.kind === 'show' && isLastTry(failure, run.noted([call.id]), witness);
    if (!isLast) await postponeFailed(run, failure);
    else if (!(await isShownNow(run, call))) await giveUpOn(run, failure);
  }
}

async function giveUpOn(run: BatchRun, { call, trouble, givesUp }: CallFailure): Promise<void> {
  const records = run.noted(idsOf(call));
  await giveUp(run, records, { reason: givesUp?.reason ?? '', detail: trouble.detail });
  run.settled(records);
}

async function postponeFailed(run: BatchRun, { call, trouble, givesUp }: CallFailure): Promise<void> {
  const records = run.noted(idsOf(call));
  if (isOfOneRecord(call)) return postpone(run, records, trouble, givesUp === null ? 'attempt' : 'own failure');
  // A list that fails is asked again a few times before each of its records is asked for alone.
  await postpone(run, records, { ...trouble, atLeastMs: Math.max(trouble.atLeastMs, LIST_PAUSE_MS) });
}

/** The trouble may have ended just now, between the record and its witness. */
async function isShownNow(run: BatchRun, call: FetchCall): Promise<boolean> {
  try {
    await makeCall(run, call);
    return true;
  } catch (error) {
    if (run.signal.aborted || judgeFailure(error) === null) throw error;
    return false;
  }
}

export function isLastTry({ givesUp }: CallFailure, records: readonly NotedRecord[], witness: Witness): boolean {
  if (givesUp === null || witness === 'not well') return false;
  const most = witness === 'well' ? givesUp.afterFailures : Math.max(givesUp.afterFailures, ALONE_AFTER_FAILURES);
  return records.some(({ ownFailures }) => ownFailures + 1 >= most);
}

export async function postpone(
  run: BatchRun,
  records: readonly NotedRecord[],
  trouble: Trouble,
  counts: 'attempt' | 'own failure' = 'attempt',
): Promise<void> {
  const { database, random } = run.settings;
  const attempts = Math.max(0, ...records.map((record) => record.attempts));
  const pauseMs = pauseOf(trouble, attempts, random);
  const note = { pauseMs, error: trouble.detail, counts, reread: false };
  await postponeRecords(database.pool, run.batch, records, note);
  run.settled(records);
}

/** Records that were asked for one by one come last the next time, so that one of them does not fail each probe. */
export async function setAside(run: BatchRun, progress: Progress): Promise<void> {
  for (const { call, trouble } of progress.takeFailures().filter(({ call }) => isOfOneRecord(call))) {
    const note = { pauseMs: 0, error: trouble.detail, counts: 'attempt', reread: false } as const;
    await postponeRecords(run.settings.database.pool, run.batch, run.noted(idsOf(call)), note);
  }
}
