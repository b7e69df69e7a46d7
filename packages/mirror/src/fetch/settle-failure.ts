// What follows when calls of a run fail: is it the record, its resource, its company, or everything? Each answer decides only for
// what it speaks of, judged with what its neighbours got; whatever answers nothing is parked and probed (rule 16 of the design).
import {
  findOtherCompany,
  keepParked,
  type NotedRecord,
  parkScope,
  postponeRecords,
  type Scope,
  type Trouble,
  unparkScopes,
} from '@procore-mirror/database';
import { SLOW_TIMEOUT_MS } from '@procore-mirror/procore';
import {
  areProjectsListed,
  askCompany,
  askNeighbours,
  askOwnCompany,
  hasBeenLong,
  isListAnswered,
  isPlaceAnswered,
  isSomethingAnswered,
  type Witness,
} from '../ask/witness.ts';
import {
  type Failure,
  isRefusal,
  judgeFailure,
  LONGEST_PAUSE_MS,
  NOTHING_THERE,
  pauseOf,
} from '../plan/judge-failure.ts';
import { type FetchCall, idsOf, parentIdOf } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { concludeAbsent } from '../store/conclude-absent.ts';
import { giveUp } from '../store/give-up.ts';
import { makeCall } from './make-call.ts';

/** So many records that fail one after the other may not be to blame themselves. */
const FAILURES_IN_A_ROW = 3;
/** Fewer of those that take as long as a call may. */
const SLOW_IN_A_ROW = 2;
/** So many resources of a company, and companies, may not be either. One that refuses us is enough to ask the company. */
const RESOURCES_OF_A_COMPANY = 2;
const COMPANIES_OF_ALL = 2;
/** Tools that are turned off refuse many fills in a row. */
const FILLS_OF_A_COMPANY = 3;
const LIST_PAUSE_MS = 20_000;
const LIMITED_PAUSE_MS = 20_000;
/** About three minutes: a record that has no neighbour is not given up before. */
const ALONE_AFTER_FAILURES = 12;
const LIST_MISSED = {
  kind: 'trouble',
  trouble: { reason: 'failing', detail: 'its list was not found', atLeastMs: 0 },
  givesUp: null,
} as const satisfies Failure;
const UNKNOWN: Trouble = { reason: 'failing', detail: 'unknown', atLeastMs: 0 };

type CallFailure = Extract<Failure, { kind: 'trouble' }> & { call: FetchCall };

/** What follows from a call. */
export type Next =
  /** The run makes no more calls; see `BatchReport`. */
  | { kind: 'end'; outcome: 'wait' | 'parked' }
  /** With the others, and these come last. */
  | { kind: 'go on'; also: readonly FetchCall[] }
  /** With the same call once more. */
  | { kind: 'again' }
  /** With this one; the others would fail, too. */
  | { kind: 'instead'; call: FetchCall };

const GO_ON: Next = { kind: 'go on', also: [] };

/** How far a run has come in finding out who is to blame. */
export type Progress = {
  /** The run has yet to find out whether a parked scope answers again. */
  isProbe: boolean;
  /** That is a whole company, or everything. */
  isWide: boolean;
  hasUnparked: boolean;
  /** Since the last call that was answered. */
  failures: CallFailure[];
  /** What went wrong last. */
  error: unknown;
};

export function startProgress({ isProbe, isWide }: Pick<Progress, 'isProbe' | 'isWide'>): Progress {
  return { isProbe, isWide, hasUnparked: false, failures: [], error: null };
}

/**
 * Where a whole company is parked, it tells first whether it knows us again. One that refuses to say who we are may answer all the
 * same: the run then finds out.
 */
export async function isStillParked(run: BatchRun, progress: Progress): Promise<boolean> {
  const failure = await askOwnCompany(run);
  if (failure === null) await takeUpWork(run, progress, 'not well');
  if (failure?.kind !== 'trouble' || isRefusal(failure.trouble)) return false;
  progress.isProbe = false;
  progress.error = new Error(failure.trouble.detail);
  await keepParked(run.settings.database, run.batch, failure.trouble, run.settings.parking);
  return true;
}

/** Nothing was answered since a record or two failed. Returns whether that is the trouble of more than these. */
export async function settleLastFailures(run: BatchRun, progress: Progress): Promise<boolean> {
  const { witness, isListed } = await findWitness(run, progress);
  if (witness === 'not well' || (progress.isProbe && witness !== 'well' && !isListed)) {
    await park(run, progress);
    return true;
  }
  if (witness !== 'well' && (await parkCompanyOf(run, progress.failures.at(-1)?.trouble ?? UNKNOWN))) {
    await setAside(run, progress);
    return true;
  }
  // One that its list names and that has no neighbour is alone: it is given up in the end, but not for trouble that passes.
  const blame = isListed ? 'unknown' : 'not well';
  if (progress.isProbe || witness === 'well') await takeUpWork(run, progress, witness === 'well' ? 'well' : blame);
  else await blameRecords(run, progress, blame);
  return false;
}

/** Others are asked where something hangs on it: a parked scope, or whether a record is given up. Where there are none, the list is. */
async function findWitness(run: BatchRun, progress: Progress): Promise<{ witness: Witness; isListed: boolean }> {
  const isLast = progress.failures.some((failure) => isLastTry(failure, run.noted(idsOf(failure.call)), 'well'));
  if (!progress.isProbe && !isLast) return { witness: 'unknown', isListed: false };
  const witness = await askOthers(run, progress);
  return { witness, isListed: witness === 'unknown' && (await isListAnswered(run)) };
}

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
      await postpone(run, records, { ...UNKNOWN, detail: messageOf(progress.error) });
      return GO_ON;
    case 'trouble':
      progress.failures.push({ call, ...failure });
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
    await concludeAbsent(run, run.resource, { version: run.version, under: parentIdOf(call) }, sure);
    if (sure.length < records.length) return settleFailure(run, call, LIST_MISSED, progress);
  } catch (error) {
    const failure = judgeFailure(error);
    if (failure?.kind !== 'trouble') throw error;
    progress.error = error;
    return settleFailure(run, call, failure, progress);
  }
  return GO_ON;
}

/** A list of all of the scope that leads to records, which cannot be asked for alone without it. */
function isListOfScope({ resource }: BatchRun, call: FetchCall): boolean {
  if (call.kind === 'find parents' || call.kind === 'all parents') return true;
  return resource.show === null && !isOfOneRecord(call) && parentIdOf(call) === null;
}

/** A probe found nothing of what it asked for, which is an answer if others are there. Returns whether the scope stays parked. */
export async function settleProbeOfAbsent(run: BatchRun, progress: Progress): Promise<boolean> {
  if (await isPlaceAnswered(run, run.resource, [])) {
    await takeUpWork(run, progress, 'not well');
    return false;
  }
  progress.isProbe = false;
  await keepParked(run.settings.database, run.batch, NOTHING_THERE.trouble, run.settings.parking);
  return true;
}

/** Was it these records, or is it all that they stand for? */
async function judgeFailures(run: BatchRun, progress: Progress): Promise<Next> {
  const last = progress.failures.at(-1);
  if (last === undefined) return GO_ON;
  if (last.trouble.reason === 'no_token') return park(run, progress);
  if (progress.isProbe && progress.isWide) return judgeBesideOthers(run, progress);
  if (!isOfOneRecord(last.call)) {
    if (run.counts().answered > 0) {
      await blameRecords(run, progress, 'unknown');
      return GO_ON;
    }
    const show = showInstead(run, last.call);
    return show === null ? park(run, progress) : { kind: 'instead', call: show };
  }
  if (progress.failures.some(({ call }) => !isOfOneRecord(call))) return park(run, progress);
  if (progress.failures.length < (last.trouble.reason === 'slow' ? SLOW_IN_A_ROW : FAILURES_IN_A_ROW)) return GO_ON;
  return judgeBesideOthers(run, progress);
}

/** Several in a row that fail, or the probe of a company, beside one that is shown are not well, each for itself. */
async function judgeBesideOthers(run: BatchRun, progress: Progress): Promise<Next> {
  const witness = await askOthers(run, progress);
  if (witness === 'limited') return { kind: 'end', outcome: 'wait' };
  if (witness !== 'well') return park(run, progress);
  await takeUpWork(run, progress, 'well');
  return GO_ON;
}

/** What do others of the resource get, that were shown before? An address that hangs takes long to ask: one of them tells. */
async function askOthers(run: BatchRun, { failures }: Progress): Promise<Witness> {
  const except = failures.flatMap(({ call }) => (call.kind === 'parent' ? [call.parentId] : idsOf(call)));
  const isSlow = failures.some(({ trouble }) => trouble.reason === 'slow');
  return askNeighbours(run, except, isSlow ? { most: 1 } : {});
}

/** A call was answered: what failed before it was to blame itself, and scopes that were parked answer again. `witness`: was another shown? */
export async function takeUpWork(run: BatchRun, progress: Progress, witness: Witness): Promise<void> {
  await blameRecords(run, progress, witness);
  if (progress.hasUnparked) return;
  progress.hasUnparked = true;
  progress.isProbe = false;
  // Those whose records come with this one's, too: it is their address that was answered, and perhaps nothing of them is left to fetch.
  for (const resource of run.notedResources()) {
    run.unparked(await unparkScopes(run.settings.database, { ...run.batch, resource }));
  }
}

/**
 * The failures are those of their records: each has a pause of its own, and is given up in the end if that is no use and others
 * are well.
 */
async function blameRecords(run: BatchRun, progress: Progress, witness: Witness): Promise<void> {
  for (const failure of progress.failures.splice(0)) {
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

function isLastTry({ givesUp }: CallFailure, records: readonly NotedRecord[], witness: Witness): boolean {
  if (givesUp === null || witness === 'not well') return false;
  const most = witness === 'well' ? givesUp.afterFailures : Math.max(givesUp.afterFailures, ALONE_AFTER_FAILURES);
  return records.some(({ ownFailures }) => ownFailures + 1 >= most);
}

async function postpone(
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

/** One of the records that a list was asked for in vain: perhaps it is the list alone that fails. */
function showInstead(run: BatchRun, call: FetchCall): FetchCall | null {
  const { parent, show } = run.resource;
  for (const { id, parentId: own } of run.noted(idsOf(call))) {
    const parentId = own ?? parentIdOf(call);
    if (parent?.embeddedAs != null && parentId !== null) return { kind: 'parent', parentId, ids: [id] };
    if (show !== null && (parent === null || parentId !== null)) return { kind: 'show', id, parentId };
  }
  return null;
}

/** The resource does not answer in its company or project; perhaps the whole company does not, or nobody. */
async function park(run: BatchRun, progress: Progress): Promise<Next> {
  const { database, parking } = run.settings;
  const { companyId, projectId, resource } = run.batch;
  const trouble = progress.failures.at(-1)?.trouble ?? UNKNOWN;
  await setAside(run, progress);
  if (progress.isProbe) await keepParked(database, run.batch, progress.isWide ? ofCompany(trouble) : trouble, parking);
  else if (trouble.reason === 'no_token') await parkEverything(run, trouble);
  else await parkAndTell(run, { companyId, projectId, resource }, trouble);
  const isSettled = progress.isProbe && progress.isWide;
  progress.isProbe = false;
  if (!isSettled) await parkCompanyOf(run, trouble);
  return { kind: 'end', outcome: 'parked' };
}

/** A resource could not be filled. That one is not parked, for it has no news; its company is, or everything, if that is what fails. */
export async function settleFailedFill(run: BatchRun, trouble: Trouble): Promise<void> {
  if (trouble.reason === 'no_token') await parkEverything(run, trouble);
  else await parkCompanyOf(run, trouble, FILLS_OF_A_COMPANY);
}

/** Parks the company if it may be what fails and does not say who we are. Returns whether it did. */
async function parkCompanyOf(run: BatchRun, cause: Trouble, enough?: number): Promise<boolean> {
  const failed = run.settings.neighbours.resourceFailed(run.batch);
  const least = enough ?? (isRefusal(cause) ? 1 : RESOURCES_OF_A_COMPANY);
  if (cause.reason === 'no_token' || failed < least) return false;
  const { neighbours } = run.settings;
  const { companyId } = run.batch;
  const question = `${companyId}/${run.batch.lane}/anything/${Math.min(failed, RESOURCES_OF_A_COMPANY)}`;
  const failure = await neighbours.askTogether(question, () => troubleOfCompany(run, failed), run.signal);
  if (failure === null) return false;
  const trouble = ofCompany(failure);
  await parkAndTell(run, { companyId, projectId: null, resource: null }, trouble);
  const failing = neighbours.companyFailed(companyId);
  if (failing.length >= COMPANIES_OF_ALL && !(await isOtherAnswered(run, failing))) await parkEverything(run, trouble);
  return true;
}

/** Where nobody may ask who they are, what the company shows tells. */
async function troubleOfCompany(run: BatchRun, failedResources: number): Promise<Trouble | null> {
  if (run.settings.neighbours.isNothingThere(run.batch.companyId)) return NOTHING_THERE.trouble;
  const failure = await askOwnCompany(run);
  const isAbsent = failure?.kind === 'absent' && failedResources >= RESOURCES_OF_A_COMPANY;
  if (failure?.kind !== 'trouble' && !isAbsent) return null;
  const { trouble } = failure.kind === 'trouble' ? failure : NOTHING_THERE;
  const isToAsk = isAbsent || isRefusal(trouble);
  return isToAsk && ((await isSomethingAnswered(run)) || (await areProjectsListed(run))) ? null : trouble;
}

function ofCompany(trouble: Trouble): Trouble {
  return trouble.reason === 'forbidden' ? { ...trouble, reason: 'not_connected' } : trouble;
}

/** A company that is not known to fail may be well, which is none of their trouble. */
async function isOtherAnswered({ settings, batch, signal }: BatchRun, failing: readonly string[]): Promise<boolean> {
  const { client, database, neighbours } = settings;
  const ask = async () => {
    const companyId = await findOtherCompany(database.pool, failing);
    if (companyId === null) return false;
    return (await askCompany({ client, companyId, signal }))?.kind !== 'trouble';
  };
  return neighbours.askTogether(`another company than ${failing.toSorted().join(', ')}/${batch.lane}`, ask, signal);
}

async function parkEverything(run: BatchRun, trouble: Trouble): Promise<void> {
  await parkAndTell(run, { companyId: null, projectId: null, resource: null }, trouble);
}

async function parkAndTell(run: BatchRun, scope: Scope, trouble: Trouble): Promise<void> {
  const { database, parking } = run.settings;
  if (await parkScope(database, scope, trouble, parking)) run.parked({ ...scope, ...trouble });
}

/** Records that were asked for one by one come last the next time, so that one of them does not fail each probe. */
async function setAside(run: BatchRun, progress: Progress): Promise<void> {
  for (const { call, trouble } of progress.failures.splice(0).filter(({ call }) => isOfOneRecord(call))) {
    const note = { pauseMs: 0, error: trouble.detail, counts: 'attempt', reread: false } as const;
    await postponeRecords(run.settings.database.pool, run.batch, run.noted(idsOf(call)), note);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A show of the record, or of the parent that it lives in. */
export function isOfOneRecord({ kind }: FetchCall): boolean {
  return kind === 'show' || kind === 'parent';
}
