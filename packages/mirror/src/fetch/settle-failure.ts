// What follows when calls of a run fail: is it the record, its resource, its company, or everything? Each answer decides only for
// what it speaks of, judged with what its neighbours got; whatever answers nothing is parked and probed.
import { type NotedRecord, postponeRecords } from '@procore-mirror/database';
import { SLOW_TIMEOUT_MS } from '@procore-mirror/procore';
import { askNeighbours, hasBeenLong, type Witness } from '../ask/witness.ts';
import { showInstead } from '../plan/follow-up.ts';
import { type Failure, isRefusal, judgeFailure, LONGEST_PAUSE_MS } from '../plan/judge-failure.ts';
import { type FetchCall, idsOf, parentIdOf } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { concludeAbsent } from '../store/conclude-absent.ts';
import { blameRecords, postpone, takeUpWork } from './blame-records.ts';
import { park } from './park-scopes.ts';
import { isOfOneRecord, type Next, type Progress, UNKNOWN } from './progress.ts';

/** So many records that fail one after the other may not be to blame themselves. */
const FAILURES_IN_A_ROW = 3;
/** Fewer of those that take as long as a call may. */
const SLOW_IN_A_ROW = 2;
const LIMITED_PAUSE_MS = 20_000;

const LIST_MISSED = {
  kind: 'trouble',
  trouble: { reason: 'failing', detail: 'its list was not found', atLeastMs: 0 },
  givesUp: null,
} as const satisfies Failure;
const GO_ON: Next = { kind: 'go on', also: [] };

/** Settles what a failed call says of its records. */
export async function settleFailure(
  run: BatchRun,
  call: FetchCall,
  failure: Failure,
  progress: Progress,
): Promise<Next> {
  const records = run.noted(idsOf(call));
  switch (failure.kind) {
    case 'limited':
      await setLimitedAside(run, call, records);
      return { kind: 'end', outcome: 'wait' }; // the budget knows when calls may go on
    case 'absent':
      return settleAbsent(run, call, progress);
    case 'in doubt':
      await postpone(run, records, { ...UNKNOWN, detail: messageOf(progress.lastError()) });
      return GO_ON;
    case 'trouble':
      progress.failed({ call, ...failure });
      if (failure.trouble.reason === 'slow') run.limitCalls({ timeoutMs: SLOW_TIMEOUT_MS });
      return judgeFailures(run, progress);
  }
}

/** Nothing of this batch is to blame for a limit, unless it strikes the same call again, while others are answered. */
async function setLimitedAside(run: BatchRun, call: FetchCall, records: readonly NotedRecord[]): Promise<void> {
  const { database, neighbours } = run.settings;
  const { companyId, projectId, resource } = run.batch;
  const key = `${projectId}/${resource}/${call.kind}/${idsOf(call)[0]}`;
  const { inARow, besideAnswers } = neighbours.limited(companyId, key);
  const error = 'was answered 429';
  if (besideAnswers >= 2) {
    const pauseMs = Math.min(LIMITED_PAUSE_MS * 2 ** (besideAnswers - 2), LONGEST_PAUSE_MS);
    await postponeRecords(database.pool, run.batch, records, { pauseMs, error, counts: 'nothing', reread: false });
  } else if (inARow >= 2 && isOfOneRecord(call)) {
    // Others come first, to find out whether they are answered.
    await postponeRecords(database.pool, run.batch, records, { pauseMs: 0, error, counts: 'attempt', reread: false });
  }
}

async function settleAbsent(run: BatchRun, call: FetchCall, progress: Progress): Promise<Next> {
  const records = run.noted(idsOf(call));
  // A list of many that is not found says nothing of each of them, but for what was deleted.
  const isTrouble = isListOfScope(run, call) && !hasBeenLong(records);
  const sure = isTrouble ? records.filter(({ isDeletedLast }) => isDeletedLast) : records;
  try {
    await concludeAbsent(run, run.entry, { version: run.version, under: parentIdOf(call) }, sure);
    if (sure.length < records.length) return settleFailure(run, call, LIST_MISSED, progress);
  } catch (error) {
    const failure = judgeFailure(error);
    if (failure?.kind !== 'trouble') throw error;
    progress.wentWrong(error);
    return settleFailure(run, call, failure, progress);
  }
  return GO_ON;
}

/** A list of all of the scope that leads to records, which cannot be asked for alone without it. */
function isListOfScope({ entry }: BatchRun, call: FetchCall): boolean {
  if (call.kind === 'find parents' || call.kind === 'all parents') return true;
  return entry.show === null && !isOfOneRecord(call) && parentIdOf(call) === null;
}

/** Was it these records, or is it all that they stand for? */
async function judgeFailures(run: BatchRun, progress: Progress): Promise<Next> {
  const last = progress.failures().at(-1);
  if (last === undefined) return GO_ON;
  if (last.trouble.reason === 'no_token') return park(run, progress);
  if (progress.isProbe() && progress.isWide) return judgeBesideOthers(run, progress);
  if (!isOfOneRecord(last.call)) {
    if (run.counts().answered > 0) {
      await blameRecords(run, progress, 'unknown');
      return GO_ON;
    }
    const show = showInstead(run.entry, last.call, run.noted(idsOf(last.call)));
    return show === null ? park(run, progress) : { kind: 'instead', call: show };
  }
  if (progress.failures().some(({ call }) => !isOfOneRecord(call))) return park(run, progress);
  if (progress.failures().length < (last.trouble.reason === 'slow' ? SLOW_IN_A_ROW : FAILURES_IN_A_ROW)) return GO_ON;
  return judgeBesideOthers(run, progress);
}

/** Several in a row that fail, or the probe of a company, beside one that is shown are not well, each for itself. */
async function judgeBesideOthers(run: BatchRun, progress: Progress): Promise<Next> {
  if (isToldByProbe(progress)) return park(run, progress);
  const witness = await askOthers(run, progress);
  if (witness === 'limited') return { kind: 'end', outcome: 'wait' };
  if (witness !== 'well') return park(run, progress);
  await takeUpWork(run, progress, 'well');
  return GO_ON;
}

/** A company that refused us is asked by one call. */
function isToldByProbe(progress: Progress): boolean {
  const last = progress.failures().at(-1);
  return (
    progress.isProbe() && progress.isWide && progress.asks === 'itself' && last !== undefined && isRefusal(last.trouble)
  );
}

/** What do others of the resource get, that were shown before? An address that hangs takes long to ask: one of them tells. */
export async function askOthers(run: BatchRun, progress: Progress): Promise<Witness> {
  const failures = progress.failures();
  const except = failures.flatMap(({ call }) => (call.kind === 'parent' ? [call.parentId] : idsOf(call)));
  const isSlow = failures.some(({ trouble }) => trouble.reason === 'slow');
  return askNeighbours(run, except, isSlow ? { most: 1 } : {});
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
