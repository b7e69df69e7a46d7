// What follows when calls of a run fail: is it the record, its resource, its company, or everything? Each answer decides only for
// what it speaks of, judged with what its neighbours got; whatever answers nothing is parked and probed (rule 16 of the design).
import {
  keepParked,
  type NotedRecord,
  parkScope,
  postponeRecords,
  type Trouble,
  unparkScopes,
} from '@procore-mirror/database';
import { type BatchRun, openRecords, stillOpen } from './batch-run.ts';
import { concludeAbsent } from './conclude-absent.ts';
import { giveUp } from './give-up.ts';
import { type Failure, pauseOf } from './judge-failure.ts';
import { type FetchCall, idsOf, parentIdOf } from './plan-fetch.ts';
import { askCompany, isListAnswered, isResourceAnswered } from './witness.ts';

/** So many records that fail one after the other may not be to blame themselves. */
const FAILURES_IN_A_ROW = 3;
/** Fewer of those that take as long as a call may. */
const SLOW_IN_A_ROW = 2;
/** So many resources of a company, and companies, may not be either. One that refuses us is enough to ask the company. */
const RESOURCES_OF_A_COMPANY = 2;
const COMPANIES_OF_ALL = 2;
const LIST_PAUSE_MS = 20_000;
/** Ten seconds of silence. */
export const SLOW_TIMEOUT_MS = 20_000;
const UNKNOWN: Trouble = { reason: 'failing', detail: 'unknown', atLeastMs: 0 };

type CallFailure = Extract<Failure, { kind: 'trouble' }> & { call: FetchCall };

/** Why a run makes no more calls; see `BatchReport`. */
type RunEnd = 'wait' | 'parked';

export type Progress = {
  /** The run has yet to find out whether a parked scope answers again. */
  isProbe: boolean;
  hasUnparked: boolean;
  /** Since the last call that was answered. */
  failures: CallFailure[];
  /** What went wrong last. */
  error: unknown;
};

/** Where a whole company is parked, it tells first whether it knows us again. */
export async function isStillParked(run: BatchRun, progress: Progress): Promise<boolean> {
  const failure = await askCompany(run);
  if (failure?.kind !== 'trouble') {
    if (failure === null) await takeUpWork(run, progress);
    return false;
  }
  progress.isProbe = false;
  progress.error = new Error(failure.trouble.detail);
  await keepParked(run.settings.database, run.batch, failure.trouble, run.settings.parking);
  return true;
}

/** Nothing was answered since a record or two failed. Returns whether that is the trouble of more than these. */
export async function settleLastFailures(run: BatchRun, progress: Progress): Promise<boolean> {
  if (progress.isProbe) {
    await park(run, progress);
    return true;
  }
  if (await parkCompanyOf(run, progress.failures.at(-1)?.trouble ?? UNKNOWN)) {
    await setAside(run, progress);
    return true;
  }
  const failed = progress.failures.map(({ call }) => stillOpen(run, idsOf(call)));
  const isLast = progress.failures.some((failure, index) => isLastTry(failure, failed[index] ?? []));
  const except = failed.flat().map(({ id }) => id);
  await blameRecords(run, progress, isLast && (await isResourceAnswered(run, except)));
  return false;
}

/** Settles what a failed call says of its records. Null when the run goes on; `further` are the calls it has yet to make. */
export async function settleFailure(
  run: BatchRun,
  call: FetchCall,
  failure: Failure,
  { progress, further }: { progress: Progress; further: FetchCall[] },
): Promise<RunEnd | null> {
  const records = stillOpen(run, idsOf(call));
  switch (failure.kind) {
    case 'limited':
      return 'wait'; // the budget knows when calls may go on; nothing of this batch is to blame
    case 'absent':
      await concludeAbsent(run, run.resource, { version: run.version, under: parentIdOf(call) }, records);
      return null;
    case 'in doubt':
      await postpone(run, records, { ...UNKNOWN, detail: messageOf(progress.error) });
      return null;
    case 'trouble':
      progress.failures.push({ call, ...failure });
      if (failure.trouble.reason === 'slow') run.calls.timeoutMs = SLOW_TIMEOUT_MS;
      return judgeFailures(run, progress, further);
  }
}

/** Was it these records, or is it all that they stand for? Null when the run goes on. */
async function judgeFailures(run: BatchRun, progress: Progress, further: FetchCall[]): Promise<RunEnd | null> {
  const last = progress.failures.at(-1);
  if (last === undefined) return null;
  if (last.trouble.reason === 'no_token') return park(run, progress);
  if (!isOfOneRecord(last.call)) {
    if (run.calls.answered > 0) {
      await blameRecords(run, progress, true);
      return null;
    }
    const show = showInstead(run, last.call);
    if (show === null) return park(run, progress);
    further.splice(0, further.length, show);
    return null;
  }
  if (progress.failures.some(({ call }) => !isOfOneRecord(call))) return park(run, progress);
  if (progress.failures.length < (last.trouble.reason === 'slow' ? SLOW_IN_A_ROW : FAILURES_IN_A_ROW)) return null;
  // Three in a row that fail beside a list that answers are not well, each for itself.
  if (last.trouble.reason === 'slow' || !(await isListAnswered(run))) return park(run, progress);
  await takeUpWork(run, progress);
  return null;
}

/** A call was answered: what failed before it was to blame itself, and scopes that were parked answer again. */
export async function takeUpWork(run: BatchRun, progress: Progress): Promise<void> {
  await blameRecords(run, progress, true);
  if (progress.hasUnparked) return;
  progress.hasUnparked = true;
  progress.isProbe = false;
  // Those whose records come with this one's, too: it is their address that was answered, and perhaps nothing of them is left to fetch.
  for (const resource of run.open.keys()) await unparkScopes(run.settings.database, { ...run.batch, resource });
}

/** The failures are those of their records: each has a pause of its own, and is given up in the end if that is no use. */
async function blameRecords(run: BatchRun, progress: Progress, areNeighboursWell: boolean): Promise<void> {
  for (const failure of progress.failures.splice(0)) {
    const { call, trouble, givesUp } = failure;
    const records = stillOpen(run, idsOf(call));
    if (areNeighboursWell && call.kind === 'show' && isLastTry(failure, records)) {
      await giveUp(run, records, { reason: givesUp?.reason ?? '', detail: trouble.detail });
      openRecords(run).delete(call.id);
    } else {
      // A list that fails is asked again a few times before each of its records is asked for alone.
      const atLeastMs = isOfOneRecord(call) ? trouble.atLeastMs : Math.max(trouble.atLeastMs, LIST_PAUSE_MS);
      await postpone(run, records, { ...trouble, atLeastMs });
    }
  }
}

function isLastTry({ givesUp }: CallFailure, records: readonly NotedRecord[]): boolean {
  return givesUp !== null && records.some(({ attempts }) => attempts + 1 >= givesUp.afterFailures);
}

async function postpone(run: BatchRun, records: readonly NotedRecord[], trouble: Trouble): Promise<void> {
  const { database, random } = run.settings;
  const attempts = Math.max(0, ...records.map((record) => record.attempts));
  const pauseMs = pauseOf(trouble, attempts, random);
  const note = { pauseMs, error: trouble.detail, countsAttempt: true, reread: false };
  await postponeRecords(database.pool, run.batch, records, note);
  for (const { id } of records) openRecords(run).delete(id);
}

/** One of the records that a list was asked for in vain: perhaps it is the list alone that fails. */
function showInstead(run: BatchRun, call: FetchCall): FetchCall | null {
  const { parent, show } = run.resource;
  for (const { id, parentId: own } of stillOpen(run, idsOf(call))) {
    const parentId = own ?? parentIdOf(call);
    if (parent?.embeddedAs != null && parentId !== null) return { kind: 'parent', parentId, ids: [id] };
    if (show !== null && (parent === null || parentId !== null)) return { kind: 'show', id, parentId };
  }
  return null;
}

/** The resource does not answer in its company or project; perhaps the whole company does not, or nobody. */
async function park(run: BatchRun, progress: Progress): Promise<'parked'> {
  const { database, parking } = run.settings;
  const { companyId, projectId, resource } = run.batch;
  const trouble = progress.failures.at(-1)?.trouble ?? UNKNOWN;
  await setAside(run, progress);
  if (progress.isProbe) await keepParked(database, run.batch, trouble, parking);
  else if (trouble.reason === 'no_token') await parkEverything(run, trouble);
  else await parkScope(database, { companyId, projectId, resource }, trouble, parking);
  progress.isProbe = false;
  await parkCompanyOf(run, trouble);
  return 'parked';
}

/** Parks the company if it may be what fails and does not say who we are. Returns whether it did. */
async function parkCompanyOf(run: BatchRun, { reason }: Trouble): Promise<boolean> {
  const failed = run.settings.neighbours.resourceFailed(run.batch);
  const isRefusal = reason === 'forbidden' || reason === 'unauthorized';
  if (reason === 'no_token' || failed < (isRefusal ? 1 : RESOURCES_OF_A_COMPANY)) return false;
  const failure = await askCompany(run);
  if (failure?.kind !== 'trouble') return false;
  const { database, neighbours, parking } = run.settings;
  const { companyId } = run.batch;
  const isRefused = failure.trouble.reason === 'forbidden';
  const trouble: Trouble = isRefused ? { ...failure.trouble, reason: 'not_connected' } : failure.trouble;
  await parkScope(database, { companyId, projectId: null, resource: null }, trouble, parking);
  if (neighbours.companyFailed(companyId) >= COMPANIES_OF_ALL) await parkEverything(run, trouble);
  return true;
}

async function parkEverything(run: BatchRun, trouble: Trouble): Promise<void> {
  const { database, parking } = run.settings;
  await parkScope(database, { companyId: null, projectId: null, resource: null }, trouble, parking);
}

/** Records that were asked for one by one come last the next time, so that one of them does not fail each probe. */
async function setAside(run: BatchRun, progress: Progress): Promise<void> {
  for (const { call, trouble } of progress.failures.splice(0).filter(({ call }) => isOfOneRecord(call))) {
    const note = { pauseMs: 0, error: trouble.detail, countsAttempt: true, reread: false };
    await postponeRecords(run.settings.database.pool, run.batch, stillOpen(run, idsOf(call)), note);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isOfOneRecord({ kind }: FetchCall): boolean {
  return kind === 'show' || kind === 'parent';
}
