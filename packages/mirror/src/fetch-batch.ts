// The second half of the worker: the pending records of one company, project and resource are fetched and stored.
import { parentsOf } from '@procore-mirror/catalogue';
import {
  type Batch,
  type ClaimedBatch,
  countPending,
  countRows,
  countRowsPerDay,
  findDays,
  findHidden,
  findParentIds,
  giveProbeBack,
  inTransaction,
  type NotedRecord,
  noteListed,
  putOff,
  readLeave,
  readRest,
  type Scope,
  type Trouble,
  VersionBehindError,
} from '@procore-mirror/database';
import { ProcoreResponseError, SLOW_TIMEOUT_MS } from '@procore-mirror/procore';
import { knownPageSize } from './ask/listing-pages.ts';
import { hasPlace } from './ask/record-paths.ts';
import { isPlaceAnswered } from './ask/witness.ts';
import { takeUpWork } from './fetch/blame-records.ts';
import { makeCall } from './fetch/make-call.ts';
import { isOfOneRecord, type Next, type Progress, startProgress } from './fetch/progress.ts';
import { settleFailure } from './fetch/settle-failure.ts';
import { endsParked, isStillParked } from './fetch/settle-run.ts';
import type { DayFacts } from './plan/date-windows.ts';
import { type Failure, judgeFailure, NOTHING_THERE } from './plan/judge-failure.ts';
import { type FetchCall, type FetchPlan, idsOf, type PlanFacts, parentIdOf, planFetch } from './plan/plan-fetch.ts';
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
/** Records that failed this often are fetched alone, so that one bad record does not hold up its neighbours. */
const ATTEMPTS_TOGETHER = 3;
const LISTS_OF_RECORDS: ReadonlySet<FetchCall['kind']> = new Set([
  'list by ids',
  'list by dates',
  'refresh by ids',
  'list all',
]);

/**
 * Fetches and stores what is ready in the batch. Records it could not bring stay pending, each with its pause. Throws
 * only when the database fails.
 */
export async function fetchBatch(
  settings: FetchSettings,
  { isProbe = false, isWideProbe = false, ...batch }: Batch & Partial<ClaimedBatch>,
  signal: AbortSignal,
): Promise<BatchReport> {
  const run = await openRun(settings, batch, signal);
  const progress = startProgress({ isProbe, isWide: isWideProbe });
  if (isProbe) run.limitCalls({ timeoutMs: SLOW_TIMEOUT_MS });
  try {
    if (isWideProbe && (await isStillParked(run, progress))) return report(run, 'parked', progress);
    return await makeCalls(run, progress);
  } catch (error) {
    if (!(error instanceof VersionBehindError) && !signal.aborted) throw error;
    return report(run, 'wait', { ...progress, error });
  } finally {
    if (progress.isProbe) await giveProbeBack(settings.database, batch);
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
    if (call === undefined || (made >= FEWEST_CALLS && (await readLeave(settings.database, batch)) === 0)) break;
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

async function planRun(run: BatchRun): Promise<FetchPlan & Pick<PlanFacts, 'affordableCalls'>> {
  const { database } = run.settings;
  const { table, parent } = run.resource;
  const { companyId, projectId } = run.batch;
  if (parent !== null) await addKnownParents(run);
  const records = run.wanted();
  const canBeAlone = run.resource.show !== null || (parent !== null && parent.embeddedAs !== null);
  const isAlone = ({ attempts }: NotedRecord) => attempts >= ATTEMPTS_TOGETHER && canBeAlone;
  // Those that failed come last, so that they hold up nobody.
  const together = records.filter((record) => !isAlone(record)).toSorted((a, b) => a.attempts - b.attempts);
  const facts: PlanFacts = {
    records: Math.max(
      await countRows(database.pool, table, companyId, projectId),
      await countPending(database, run.batch, run.settings.pageSize + 1),
    ),
    parents: await countParents(run),
    ...(await knownDays(run)),
    perPage: await knownPageSize(run, run.resource),
    affordableCalls: await readLeave(database, run.batch),
  };
  const plan = await withoutWalks(run, planFetch(run.resource, together, facts));
  const alone = records.filter(isAlone).toSorted((a, b) => a.attempts - b.attempts);
  const plans = alone.map(({ id }) => planFetch(run.resource, run.noted([id]), facts));
  return {
    affordableCalls: facts.affordableCalls,
    calls: [plan, ...plans].flatMap(({ calls }) => calls),
    estimatedCalls: [plan, ...plans].reduce((sum, { estimatedCalls }) => sum + estimatedCalls, 0),
  };
}

/** When calls are short, walks wait: the parent's own news often comes a moment later, and its row then names the child. */
async function withoutWalks(run: BatchRun, plan: FetchPlan): Promise<FetchPlan> {
  const walks = plan.calls.filter(({ kind }) => kind === 'walk parents');
  const restMs = walks.length === 0 ? 0 : await readRest(run.settings.database, run.batch);
  if (restMs === 0) return plan;
  const waiting = run.noted(walks.flatMap(idsOf));
  await putOff(run.settings.database.pool, run.batch, waiting, restMs);
  run.settled(waiting);
  const calls = plan.calls.filter(({ kind }) => kind !== 'walk parents');
  return { ...plan, calls, estimatedCalls: plan.estimatedCalls - walks.length };
}

/** The days that our rows are of, for lists that are by date. */
async function knownDays(run: BatchRun): Promise<Pick<DayFacts, 'days' | 'recordsPerDay'>> {
  const { settings, resource, batch } = run;
  const { list, table } = resource;
  const hasDay = table.columns.some(({ name, type }) => name === list?.dayField && type === 'date');
  if (list === null || !list.todayOnly || !hasDay) return { days: new Map(), recordsPerDay: 0 };
  const ids = run.allNoted().map(({ id }) => id);
  const place = { table, companyId: batch.companyId, projectId: batch.projectId, day: list.dayField };
  const { pool } = settings.database;
  return { days: await findDays(pool, place, ids), recordsPerDay: await countRowsPerDay(pool, place) };
}

async function countParents({ settings, resource, batch }: BatchRun): Promise<number> {
  let count = 0;
  for (const { table } of parentsOf(settings.catalogue, resource)) {
    count += await countRows(settings.database.pool, table, batch.companyId, batch.projectId);
  }
  return count;
}

/** Our own rows remember the parent where the event did not name it. */
async function addKnownParents(run: BatchRun): Promise<void> {
  const { companyId, projectId } = run.batch;
  const { resource, settings } = run;
  const ids = run.wanted().flatMap(({ id, parentId }) => (parentId === null ? [id] : []));
  const parents = await findParentIds(settings.database.pool, resource.table, companyId, projectId, ids);
  for (const [id, parentId] of parents) run.placed(id, parentId);
  await forgetParents(run);
  // A parent whose own place nobody knows is no help: it is looked for with the others.
  for (const { id, parentId } of run.allNoted()) {
    if (parentId === null || resource.parent?.embeddedAs !== null) continue;
    if (!(await hasPlace(run, resource, parentId))) run.placed(id, null);
  }
}

/**
 * What was not found under the parent that we know may have another by now, so the second look is at all of them. Not where
 * news came of a child whose parent is hidden from us: it mostly is, too, and is looked at again later in any case.
 */
async function forgetParents(run: BatchRun): Promise<void> {
  const { resource, settings, batch } = run;
  const lost = run.wanted().filter(({ isSightedAbsent, isDeletedLast }) => isSightedAbsent && !isDeletedLast);
  if (lost.length === 0) return;
  const parentIds = lost.flatMap(({ parentId }) => parentId ?? []);
  const hidden = new Set<string>();
  for (const { table } of parentsOf(settings.catalogue, resource)) {
    const found = await findHidden(settings.database.pool, table, batch.companyId, batch.projectId, parentIds);
    for (const id of found) hidden.add(id);
  }
  for (const record of lost) {
    const staysHidden = record.eventId !== null && record.parentId !== null && hidden.has(record.parentId);
    if (staysHidden) run.hiddenWithParent(record.id);
    else run.placed(record.id, null);
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
    return { kind: 'go on', also: followUp(run, call) };
  } catch (error) {
    if (run.signal.aborted) return { kind: 'end', outcome: 'wait' };
    const failure = judgeFailure(error);
    if (failure === null) throw error;
    progress.error = error;
    await sawAnswer();
    return isRefusedList(run, call, error)
      ? settleRefusedList(run, call, failure, { progress, isAgain })
      : settleFailure(run, call, failure, progress);
  }
}

/** Its records may be asked for one by one; not where nothing else of the resource is there, either. */
async function settleRefusedList(
  run: BatchRun,
  call: FetchCall,
  failure: Failure,
  { progress, isAgain }: { progress: Progress; isAgain: boolean },
): Promise<Next> {
  const isListMissed = call.kind === 'list all' || call.kind === 'list by dates';
  const records = run.noted(idsOf(call));
  if (failure.kind === 'absent' && !(await isPlaceAnswered(run, run.resource, records, { isListMissed }))) {
    run.foundNothing();
    return settleFailure(run, call, NOTHING_THERE, progress);
  }
  // One that was not found where others are may have been missed for a moment; its records one by one cost more.
  const isWorthAnother = failure.kind === 'absent' && !isAgain && idsOf(call).length > FEWEST_CALLS;
  if (isWorthAnother) return { kind: 'again' };
  if (call.kind === 'refresh by ids') await passOverList(run, call.ids);
  return { kind: 'go on', also: followUp(run, call) };
}

/** A list that does not exist, or not with this filter, says nothing of its records: they may answer one by one. */
function isRefusedList(run: BatchRun, call: FetchCall, error: unknown): boolean {
  if (run.resource.show === null || !LISTS_OF_RECORDS.has(call.kind)) return false;
  return error instanceof ProcoreResponseError && ['absent', 'not understood'].includes(error.meaning);
}

/** The list is no use, so the records are shown next time, refreshed or not. */
async function passOverList(run: BatchRun, ids: readonly string[]): Promise<void> {
  const { batch, settings } = run;
  const note = { pauseMs: 0, lane: batch.lane };
  await inTransaction(settings.database, (client) => noteListed(client, batch, run.noted(ids), note));
}

/** What a list call did not bring is asked for alone before anything is concluded; without a show, in the whole list. */
function followUp(run: BatchRun, call: FetchCall): FetchCall[] {
  if (call.kind === 'show' || call.kind === 'refresh by ids') return [];
  const missing = run.noted(idsOf(call));
  const parentId = parentIdOf(call);
  if (run.resource.show === null) {
    const isToList = call.kind === 'list by ids' && missing.length > 0;
    return isToList ? [{ kind: 'list all', ids: missing.map(({ id }) => id), parentId }] : [];
  }
  return missing
    .filter((record) => run.resource.parent === null || record.parentId !== null)
    .map((record) => ({ kind: 'show', id: record.id, parentId: record.parentId ?? parentId }));
}

function report(run: BatchRun, outcome: BatchReport['outcome'], { error }: Progress): BatchReport {
  const { stored, absent, parked, unparked } = run.counts();
  return { outcome, stored, absent, parked, unparked, error };
}
