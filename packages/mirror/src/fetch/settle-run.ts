// What a run settles before its first call and after its last, when no answer has: does a parked scope stay parked?
import { keepParked } from '@procore-mirror/database';
import { askOwnCompany, isListAnswered, isPlaceAnswered, type Witness } from '../ask/witness.ts';
import { isRefusal, NOTHING_THERE, ofCompany } from '../plan/judge-failure.ts';
import { idsOf } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { blameRecords, isLastTry, setAside, takeUpWork } from './blame-records.ts';
import { park, parkCompanyOf } from './park-scopes.ts';
import { type Progress, UNKNOWN } from './progress.ts';
import { askOthers } from './settle-failure.ts';

/**
 * Where a whole company is parked, it tells first whether it knows us again. One that refuses to say who we are may answer all the
 * same: the run then finds out, or, where it refused before, the next probe.
 */
export async function isStillParked(run: BatchRun, progress: Progress): Promise<boolean> {
  const failure = await askOwnCompany(run);
  if (failure === null) await takeUpWork(run, progress, 'not well');
  if (failure?.kind !== 'trouble' || (isRefusal(failure.trouble) && progress.asks === 'both')) return false;
  const trouble = ofCompany(failure.trouble);
  progress.probed();
  progress.wentWrong(new Error(trouble.detail));
  await keepParked(run.settings.database, run.batch, trouble, run.settings.parking);
  return true;
}

/** Settles what no answer of the run did. Returns whether a scope stays parked. */
export async function endsParked(run: BatchRun, progress: Progress): Promise<boolean> {
  if (progress.failures().length > 0 && (await settleLastFailures(run, progress))) return true;
  return progress.isProbe() && run.counts().calls > 0 && (await settleProbeOfAbsent(run, progress));
}

/** Nothing was answered since a record or two failed. Returns whether that is the trouble of more than these. */
async function settleLastFailures(run: BatchRun, progress: Progress): Promise<boolean> {
  const { witness, isListed } = await findWitness(run, progress);
  if (witness === 'not well' || (progress.isProbe() && witness !== 'well' && !isListed)) {
    await park(run, progress);
    return true;
  }
  if (witness !== 'well' && (await parkCompanyOf(run, progress.failures().at(-1)?.trouble ?? UNKNOWN))) {
    await setAside(run, progress);
    return true;
  }
  // One that its list names and that has no neighbour is alone: it is given up in the end, but not for trouble that passes.
  const blame = isListed ? 'unknown' : 'not well';
  if (progress.isProbe() || witness === 'well') await takeUpWork(run, progress, witness === 'well' ? 'well' : blame);
  else await blameRecords(run, progress, blame);
  return false;
}

/** Others are asked where something hangs on it: a parked scope, or whether a record is given up. Where there are none, the list is. */
async function findWitness(run: BatchRun, progress: Progress): Promise<{ witness: Witness; isListed: boolean }> {
  const isLast = progress.failures().some((failure) => isLastTry(failure, run.noted(idsOf(failure.call)), 'well'));
  if (!progress.isProbe() && !isLast) return { witness: 'unknown', isListed: false };
  const witness = await askOthers(run, progress);
  return { witness, isListed: witness === 'unknown' && (await isListAnswered(run)) };
}

/** A probe found nothing of what it asked for, which is an answer if others are there. Returns whether the scope stays parked. */
async function settleProbeOfAbsent(run: BatchRun, progress: Progress): Promise<boolean> {
  if (await isPlaceAnswered(run, run.entry, [])) {
    await takeUpWork(run, progress, 'not well');
    return false;
  }
  progress.probed();
  await keepParked(run.settings.database, run.batch, NOTHING_THERE.trouble, run.settings.parking);
  return true;
}
