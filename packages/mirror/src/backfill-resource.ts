// The backfill of one resource in one scope. A list that carries the whole record is stored page by page; so is what
// others carry, and these records are marked pending: the worker's planner shows them.
import { isListedByParent, listsAll } from '@procore-mirror/catalogue';
import type { BatchKey } from '@procore-mirror/database';
import { createPassOver, insistOnAny } from './ask/pass-over.ts';
import { InDoubtError } from './errors.ts';
import { buryLacking } from './fetch/bury-lacking.ts';
import { askAgain, type Fill, fillParts, keepPlace, type Part } from './fetch/fill-parts.ts';
import {
  afterParent,
  firstPlace,
  insistOnNoDoubt,
  type KeptFill,
  onceMore,
  parentAt,
  readParents,
  readPlace,
  withDoubts,
} from './fetch/fill-place.ts';
import { allParents } from './fetch/parent-walk.ts';
import { settleFailedList } from './fetch/park-scopes.ts';
import { datesBetween, windowsBack } from './plan/date-windows.ts';
import { judgeFailure } from './plan/judge-failure.ts';
import { mayPass } from './plan/judge-fill.ts';
import { openRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { rulesOf } from './run/kept-walk.ts';

export type BackfillOptions = {
  signal: AbortSignal;
  now: Date;
  /** Where it goes on, and where its place is kept; it begins at the beginning when left out. */
  kept?: KeptFill;
  /** Told when it ends, in whatever way. */
  onEnd?: (end: BackfillEnd) => void;
};

/**
 * `buried`: rows that its lists lack. `notes`: which further lists of the resource it did without, `remarks`: what lists lack and stays; and why.
 * `isProof`: if it did not throw, it read all there is, without a flaw.
 */
export type BackfillEnd = {
  calls: number;
  buried: number;
  notes: readonly string[];
  remarks: readonly string[];
  isProof: boolean;
};

/** How many records were stored whole, and how many wait for the worker to fetch what their list does not carry. */
export type Backfilled = { stored: number; pending: number };

const MOST_NAMED = 3;

/**
 * Fills one resource in one company or project from its listings; may be repeated. Records that live inside their
 * parents come with the parents. Throws what the client throws and, when all lists were read, ProcoreFormatError if one of them
 * made no sense or could not be read to its end, InDoubtError if those of some parents were not answered; what was stored until then
 * stays.
 */
export async function backfillResource(
  settings: FetchSettings,
  scope: BatchKey,
  options: BackfillOptions,
): Promise<Backfilled> {
  const { signal, now, kept = null, onEnd = () => {} } = options;
  const run = await openRun(settings, { ...scope, lane: 'backfill' }, signal);
  const { list } = run.entry;
  if (list === null || list.shared) return { stored: 0, pending: 0 };
  const rules = rulesOf(run);
  const place = readPlace(kept?.place, rules) ?? firstPlace(rules, now.toISOString(), run.version);
  const own: Part[] = list.todayOnly
    ? windowsBack(new Date(place.day)).map((days) => ({ searchParams: datesBetween(days) }))
    : [{}];
  const parts = [...own, ...list.also.map((also) => ({ also }))];
  const fill: Fill = {
    run,
    place,
    parts,
    kept,
    parentIds: null,
    passOver: createPassOver(signal, askAgain(run, place.answered, parts)),
  };
  try {
    await (isListedByParent(run.entry) ? fillFromParents(fill) : fillFromList(fill));
  } catch (error) {
    const failure = signal.aborted ? null : judgeFailure(error);
    if (failure?.kind === 'trouble')
      await settleFailedList(run, failure.trouble, { isSure: (kept?.attempts ?? 0) > 0 });
    throw error;
  } finally {
    const { buried, notes, remarks, unproved } = fill.place;
    const isProof = listsAll(run.entry) && unproved?.length === 0 && notes.length + remarks.length === 0;
    onEnd({ calls: run.counts().calls, buried, notes, remarks, isProof });
  }
  const { records } = fill.place;
  return list.carries === 'whole record' ? { stored: records, pending: 0 } : { stored: 0, pending: records };
}

async function fillFromList(fill: Fill): Promise<void> {
  await fillParts(fill, null);
  await buryLacking(fill);
}

/**
 * Fills from all parents that answer. Throws InDoubtError when others did not, and what they answered when none did. Where it goes on
 * after that, only those are asked that may answer another time.
 */
async function fillFromParents(fill: Fill): Promise<void> {
  const { kept } = fill;
  const parents = await parentsOfFill(fill);
  fill.parentIds = new Set(parents);
  for (let at = parentAt(fill.place, parents.length); at !== null; at = parentAt(fill.place, parents.length)) {
    const parentId = parents[at];
    if (parentId === undefined) break;
    await fillFromParent(fill, parentId);
  }
  // What was left may be answered another time, and show what others lack.
  if (fill.place.left.length === 0 || kept?.isLastTry !== false) await buryLacking(fill);
  await insistOnParents(fill);
}

async function fillFromParent(fill: Fill, parentId: string): Promise<void> {
  const { run, passOver, kept } = fill;
  const at = fill.place.parent;
  // One that answered before may be asked again, when others do not.
  const work = async () =>
    fill.place.parent === at ? fillParts(fill, parentId) : askAgain(run, parentId, fill.parts)?.();
  const before = passOver.troubles.length;
  const { isPassedOver, end } = await passOver.attempt('parent', work);
  if (end !== null) throw end;
  const troubles = passOver.troubles.slice(before);
  const isLeft = kept !== null && troubles.length > 0 && troubles.every(mayPass);
  const place = isLeft ? fill.place : withDoubts(fill.place, messagesOf(troubles));
  fill.place = afterParent(isPassedOver ? place : { ...place, answered: parentId }, { isLeft });
  if (isPassedOver) await keepPlace(fill);
}

async function insistOnParents(fill: Fill): Promise<void> {
  const { run, passOver, place } = fill;
  if (place.left.length > 0) {
    fill.place = onceMore(place);
    await keepPlace(fill);
  }
  if (place.answered === null) insistOnAny(passOver);
  const what = `the ${run.entry.resource} of some parents`;
  if (place.left.length > 0) throw new InDoubtError(what, { issues: messagesOf(passOver.troubles).slice(-MOST_NAMED) });
  insistOnNoDoubt(what, place);
}

/** The same at each look, so that a place among them stays what it is. */
async function parentsOfFill(fill: Fill): Promise<readonly string[]> {
  const { run, kept, passOver, place } = fill;
  const before = readParents(kept?.parents, place.rules);
  if (before !== null) {
    run.recallParents(new Map(before.places));
    return before.ids;
  }
  fill.place = firstPlace(place.rules, place.day, run.version);
  const areKnown = (await kept?.areParentsFilled()) === true;
  const ids = await allParents(run, { passOver, areKnown });
  fill.place = withDoubts(fill.place, messagesOf(passOver.troubles));
  await kept?.keepParents({ rules: place.rules, ids, places: [...run.learntParents()] });
  return ids;
}

function messagesOf(errors: readonly Error[]): string[] {
  return errors.map(({ message }) => message);
}
