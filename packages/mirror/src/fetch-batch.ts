// The second half of the worker: the pending records of one company, project and resource are fetched and stored.
import {
  type Batch,
  countPending,
  countRows,
  countRowsPerDay,
  findDays,
  findHidden,
  findParentIds,
  inTransaction,
  type NotedRecord,
  noteListed,
  type ParkReason,
  parkScope,
  postponeRecords,
  putOff,
  readLeave,
  readRest,
  type Scope,
  unparkScopes,
  VersionBehindError,
} from '@procore-mirror/database';
import { ProcoreResponseError } from '@procore-mirror/procore';
import { type BatchRun, type FetchSettings, openRecords, openRun, wantedRecords } from './batch-run.ts';
import { parentsOf } from './catalogue/catalogue.ts';
import { concludeAbsent } from './conclude-absent.ts';
import type { DayFacts } from './date-windows.ts';
import { makeCall } from './fetch-call.ts';
import { giveUp } from './give-up.ts';
import { type FailureOutcome, judgeFailure } from './judge-failure.ts';
import { hasPlace, knownPageSize } from './listing.ts';
import { type FetchCall, type FetchPlan, type PlanFacts, planFetch } from './plan-fetch.ts';

export type BatchReport = {
  /** `parked`: the scope refuses us. `stop`: Procore refuses the credentials. `wait`: the rest comes in a later run. */
  outcome: 'done' | 'wait' | 'parked' | 'stop';
  stored: number;
  absent: number;
  /** What went wrong last, if anything did. */
  error: unknown;
};

/** A run ends after so many calls, sooner when calls are short, so that other batches get their turn. */
const CALLS_PER_RUN = 50;
/** A list and a show of what it lacks: with less, runs would repeat the list and never come to an end. */
const FEWEST_CALLS = 2;
/** The same before any answer told what the budget is. */
const CALLS_OF_UNKNOWN_BUDGET = 10;
/** Failures in a row after which the run gives Procore a rest. */
const FAILURES_PER_RUN = 3;
/** Records that failed this often are fetched alone, so that one bad record does not hold up its neighbours. */
const ATTEMPTS_TOGETHER = 3;
const LISTS_OF_RECORDS: ReadonlySet<FetchCall['kind']> = new Set([
  'list by ids',
  'list by dates',
  'refresh by ids',
  'list all',
]);

type Progress = { successes: number; failuresInARow: number; refusals: number; error: unknown };

/**
 * Fetches and stores what is ready in the batch. Records it could not bring stay pending, each with its pause. Throws
 * only when the database fails.
 */
export async function fetchBatch(settings: FetchSettings, batch: Batch, signal: AbortSignal): Promise<BatchReport> {
  const run = await openRun(settings, batch, signal);
  const progress: Progress = { successes: 0, failuresInARow: 0, refusals: 0, error: null };
  try {
    return await makeCalls(run, progress);
  } catch (error) {
    if (!(error instanceof VersionBehindError)) throw error;
    return report(run, 'wait', { ...progress, error });
  }
}

async function makeCalls(run: BatchRun, progress: Progress): Promise<BatchReport> {
  const { settings, batch, signal } = run;
  const { affordableCalls, ...plan } = await planRun(run);
  const calls = [...plan.calls];
  run.calls.most = Math.min(
    Math.max(Math.ceil(affordableCalls ?? CALLS_OF_UNKNOWN_BUDGET), FEWEST_CALLS),
    CALLS_PER_RUN,
  );
  for (let made = 0; made < run.calls.most && !signal.aborted; made += 1) {
    const call = calls.shift();
    // What would wait for leave here gathers more news where it is.
    if (call === undefined || (made >= FEWEST_CALLS && (await readLeave(settings.database, batch.lane)) === 0)) break;
    const end = await tryCall(run, call, progress, calls);
    if (end !== null) return report(run, end, progress);
  }
  if (progress.refusals > 0 && progress.successes === 0) return report(run, await parkRefused(run, progress), progress);
  return report(run, wantedRecords(run).length === 0 ? 'done' : 'wait', progress);
}

async function planRun(run: BatchRun): Promise<FetchPlan & Pick<PlanFacts, 'affordableCalls'>> {
  const { database } = run.settings;
  const { table, parent } = run.resource;
  const { companyId, projectId } = run.batch;
  if (parent !== null) await addKnownParents(run);
  const records = wantedRecords(run);
  const together = records.filter(({ attempts }) => attempts < ATTEMPTS_TOGETHER);
  const facts: PlanFacts = {
    records: Math.max(
      await countRows(database.pool, table, companyId, projectId),
      await countPending(database, run.batch, run.settings.pageSize + 1),
    ),
    parents: await countParents(run),
    ...(await knownDays(run)),
    perPage: await knownPageSize(run, run.resource),
    affordableCalls: await readLeave(database, run.batch.lane),
  };
  const plan = await withoutWalks(run, planFetch(run.resource, together, facts));
  const alone = records.filter(({ attempts }) => attempts >= ATTEMPTS_TOGETHER);
  const plans = alone.map(({ id }) => planFetch(run.resource, noted(run, [id]), facts));
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
  await putOff(run.settings.database.pool, run.batch, noted(run, walks.flatMap(idsOf)), restMs);
  for (const id of walks.flatMap(idsOf)) openRecords(run).delete(id);
  const calls = plan.calls.filter(({ kind }) => kind !== 'walk parents');
  return { ...plan, calls, estimatedCalls: plan.estimatedCalls - walks.length };
}

/** The days that our rows are of, for lists that are by date. */
async function knownDays({
  settings,
  resource,
  batch,
  open,
}: BatchRun): Promise<Pick<DayFacts, 'days' | 'recordsPerDay'>> {
  const { list, table } = resource;
  const hasDay = table.columns.some(({ name, type }) => name === list?.dayField && type === 'date');
  if (list === null || !list.todayOnly || !hasDay) return { days: new Map(), recordsPerDay: 0 };
  const ids = [...(open.get(resource.resource)?.keys() ?? [])];
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
  const open = openRecords(run);
  const { companyId, projectId } = run.batch;
  const ids = wantedRecords(run)
    .filter(({ parentId }) => parentId === null)
    .map(({ id }) => id);
  const { resource, settings } = run;
  const parents = await findParentIds(settings.database.pool, resource.table, companyId, projectId, ids);
  for (const [id, parentId] of parents) {
    const record = open.get(id);
    if (record !== undefined) open.set(id, { ...record, parentId });
  }
  await forgetParents(run);
  // A parent whose own place nobody knows is no help: it is looked for with the others.
  for (const [id, record] of open) {
    if (record.parentId === null || resource.parent?.embeddedAs !== null) continue;
    if (!(await hasPlace(run, resource, record.parentId))) open.set(id, { ...record, parentId: null });
  }
}

/**
 * What was not found under the parent that we know may have another by now, so the second look is at all of them. Not where
 * news came of a child whose parent is hidden from us: it mostly is, too, and is looked at again later in any case.
 */
async function forgetParents(run: BatchRun): Promise<void> {
  const { resource, settings, batch } = run;
  const lost = wantedRecords(run).filter(({ isSightedAbsent, isDeletedLast }) => isSightedAbsent && !isDeletedLast);
  if (lost.length === 0) return;
  const parentIds = lost.flatMap(({ parentId }) => parentId ?? []);
  const hidden = new Set<string>();
  for (const { table } of parentsOf(settings.catalogue, resource)) {
    const found = await findHidden(settings.database.pool, table, batch.companyId, batch.projectId, parentIds);
    for (const id of found) hidden.add(id);
  }
  for (const record of lost) {
    const staysHidden = record.eventId !== null && record.parentId !== null && hidden.has(record.parentId);
    if (staysHidden) run.hiddenWithParent.add(record.id);
    else openRecords(run).set(record.id, { ...record, parentId: null });
  }
}

/** Makes one call; on failure settles what is known and says whether the run must end, and how. */
async function tryCall(
  run: BatchRun,
  call: FetchCall,
  progress: Progress,
  further: FetchCall[],
): Promise<BatchReport['outcome'] | null> {
  try {
    await makeCall(run, call);
    progress.successes += 1;
    progress.failuresInARow = 0;
    if (progress.successes === 1) await unparkScopes(run.settings.database, run.batch);
    further.push(...followUp(run, call));
    return null;
  } catch (error) {
    if (run.signal.aborted) return 'wait';
    if (!isKnownFailure(error)) throw error;
    progress.error = error;
    if (isRefusedList(run, call, error)) {
      if (call.kind === 'refresh by ids') await passOverList(run, call.ids);
      further.push(...followUp(run, call));
      return null;
    }
    const records = noted(run, idsOf(call));
    const attempts = Math.max(0, ...records.map((record) => record.attempts));
    return settleFailure(run, call, judgeFailure(error, attempts, run.settings.random), progress);
  }
}

async function settleFailure(
  run: BatchRun,
  call: FetchCall,
  failure: FailureOutcome,
  progress: Progress,
): Promise<BatchReport['outcome'] | null> {
  const { database, parking } = run.settings;
  const records = noted(run, idsOf(call));
  const postpone = (pauseMs: number, all = false) =>
    postponeRecords(database.pool, run.batch, all ? wantedRecords(run) : records, {
      pauseMs,
      error: messageOf(progress.error),
      countsAttempt: !all,
      reread: false,
    });
  switch (failure.outcome) {
    case 'wait':
      return 'wait'; // the budget knows when calls may go on; nothing of this batch is to blame
    case 'stop':
      return 'stop';
    case 'unauthorized':
      await park(run, { companyId: run.batch.companyId, projectId: null, resource: null }, 'unauthorized', progress);
      return 'parked';
    case 'refused':
      await postpone(Math.max(failure.pauseMs, parking.firstPauseMs));
      progress.refusals += 1;
      return progress.refusals >= 2 && progress.successes === 0 ? parkRefused(run, progress) : null;
    case 'absent':
      await concludeAbsent(run, run.resource, { version: run.version, under: parentOf(call) }, records);
      return null;
    case 'dead':
      await giveUp(run, records, { reason: failure.reason, detail: messageOf(progress.error) });
      for (const { id } of records) openRecords(run).delete(id);
      return null;
    case 'retry':
      await postpone(failure.pauseMs);
      for (const { id } of records) openRecords(run).delete(id);
      progress.failuresInARow += 1;
      if (progress.failuresInARow < FAILURES_PER_RUN) return null;
      await postpone(failure.pauseMs, true);
      return 'wait';
  }
}

/** A list that does not exist, or not with this filter, says nothing of its records: they may answer one by one. */
function isRefusedList(run: BatchRun, call: FetchCall, error: unknown): boolean {
  if (run.resource.show === null || !LISTS_OF_RECORDS.has(call.kind)) return false;
  return error instanceof ProcoreResponseError && [400, 404, 405, 410, 414, 422].includes(error.status);
}

/** The list is no use, so the records are shown next time, refreshed or not. */
async function passOverList(run: BatchRun, ids: readonly string[]): Promise<void> {
  const { batch, settings } = run;
  const note = { pauseMs: 0, lane: batch.lane };
  await inTransaction(settings.database, (client) => noteListed(client, batch, noted(run, ids), note));
}

/** What a list call did not bring is asked for alone before anything is concluded; without a show, in the whole list. */
function followUp(run: BatchRun, call: FetchCall): FetchCall[] {
  if (call.kind === 'show' || call.kind === 'refresh by ids') return [];
  const missing = noted(run, idsOf(call));
  const parentId = parentOf(call);
  if (run.resource.show === null) {
    const isToList = call.kind === 'list by ids' && missing.length > 0;
    return isToList ? [{ kind: 'list all', ids: missing.map(({ id }) => id), parentId }] : [];
  }
  return missing
    .filter((record) => run.resource.parent === null || record.parentId !== null)
    .map((record) => ({ kind: 'show', id: record.id, parentId: record.parentId ?? parentId }));
}

async function parkRefused(run: BatchRun, progress: Progress): Promise<'parked'> {
  const { companyId, projectId, resource } = run.batch;
  if (await isCompanyRefused(run)) {
    await park(run, { companyId, projectId: null, resource: null }, 'not_connected', progress);
  } else {
    await park(run, { companyId, projectId, resource }, 'forbidden', progress);
  }
  return 'parked';
}

/** A company that disconnected the app refuses everything, even `me` (facts: Errors that mean something). */
async function isCompanyRefused(run: BatchRun): Promise<boolean> {
  try {
    using _ = await run.settings.client.get('/rest/v1.0/me', { companyId: run.batch.companyId, signal: run.signal });
    return false;
  } catch (error) {
    return error instanceof ProcoreResponseError && error.status === 403;
  }
}

async function park(run: BatchRun, scope: Scope, reason: ParkReason, progress: Progress): Promise<void> {
  const { database, parking } = run.settings;
  await parkScope(database, { ...scope, reason, detail: messageOf(progress.error), ...parking });
}

function report(run: BatchRun, outcome: BatchReport['outcome'], { error }: Progress): BatchReport {
  return { outcome, stored: run.stored, absent: run.absent, error };
}

function parentOf(call: FetchCall): string | null {
  return 'parentId' in call ? call.parentId : null;
}

function idsOf(call: FetchCall): readonly string[] {
  return call.kind === 'show' ? [call.id] : call.ids;
}

function noted(run: BatchRun, ids: readonly string[]): NotedRecord[] {
  const open = openRecords(run);
  return ids.flatMap((id) => open.get(id) ?? []);
}

/** Errors of the client and the sign-in are judged; anything else is the database's or a bug, and the caller's. */
function isKnownFailure(error: unknown): boolean {
  return error instanceof Error && (error.name.startsWith('Procore') || error.name === 'AuthError');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
