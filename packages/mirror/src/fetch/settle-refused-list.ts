// A list that does not exist, or not with this filter, says nothing of its records: they may answer one by one.
import { inTransaction, noteListed } from '@procore-mirror/database';
import { ProcoreResponseError } from '@procore-mirror/procore';
import { isPlaceAnswered } from '../ask/witness.ts';
import { followUp } from '../plan/follow-up.ts';
import { type Failure, NOTHING_THERE } from '../plan/judge-failure.ts';
import { type FetchCall, idsOf } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import type { Next, Progress } from './progress.ts';
import { settleFailure } from './settle-failure.ts';

const LISTS_OF_RECORDS: ReadonlySet<FetchCall['kind']> = new Set([
  'list by ids',
  'list by dates',
  'refresh by ids',
  'list all',
]);

/** So few records cost no more one by one. */
const AS_CHEAP_ONE_BY_ONE = 2;

export function isRefusedList(run: BatchRun, call: FetchCall, error: unknown): boolean {
  if (run.entry.show === null || !LISTS_OF_RECORDS.has(call.kind)) return false;
  return error instanceof ProcoreResponseError && ['absent', 'not understood'].includes(error.meaning);
}

/** Its records may be asked for one by one; not where nothing else of the resource is there, either. */
export async function settleRefusedList(
  run: BatchRun,
  call: FetchCall,
  failure: Failure,
  { progress, isAgain }: { progress: Progress; isAgain: boolean },
): Promise<Next> {
  const isListMissed = call.kind === 'list all' || call.kind === 'list by dates';
  const records = run.noted(idsOf(call));
  if (failure.kind === 'absent' && !(await isPlaceAnswered(run, run.entry, records, { isListMissed }))) {
    run.foundNothing();
    return settleFailure(run, call, NOTHING_THERE, progress);
  }
  // One that was not found where others are may have been missed for a moment; its records one by one cost more.
  const isWorthAnother = failure.kind === 'absent' && !isAgain && idsOf(call).length > AS_CHEAP_ONE_BY_ONE;
  if (isWorthAnother) return { kind: 'again' };
  if (call.kind === 'refresh by ids') await passOverList(run, call.ids);
  return { kind: 'go on', also: followUp(run.entry, call, run.noted(idsOf(call))) };
}

/** The list is no use, so the records are shown next time, refreshed or not. */
async function passOverList(run: BatchRun, ids: readonly string[]): Promise<void> {
  const { batch, settings } = run;
  const note = { pauseMs: 0, lane: batch.lane };
  await inTransaction(settings.database, (client) => noteListed(client, batch, run.noted(ids), note));
}
