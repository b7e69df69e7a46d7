// The comparison of one resource in one scope with Procore. Nothing is stored.
//
//   listing   each list, page by page: what differs, what is missing; at its end, if it proves anything, what is extra
//   climb     count ──▶ window of what changed ──▶ bin of what was deleted ──▶ listing, where the others leave anything open
//   else      the same, as high as it is to
//
//   what a rung finds is suspected ──▶ a pause ──▶ the lists with suspects once more ──▶ what is seen again is sure ──▶ proof, and
//   repair where it is wanted
//
// A row differs only if it is older than the first request and no news of it waits: what happens while we look is no difference.
import { type BatchKey, findCompared, forgetDifferences } from '@procore-mirror/database';
import { compareCounts } from './ask/compare-counts.ts';
import { binLooks } from './compare/bin-looks.ts';
import {
  type Compared,
  type CompareOptions,
  type ComparePlace,
  type Comparison,
  firstPlace,
  keepPlace,
  readComparePlace,
} from './compare/comparison.ts';
import { conclude, isOpen } from './compare/conclude.ts';
import { waitedForEvents, waitForEvents } from './compare/late-events.ts';
import { listingLooks } from './compare/listing-looks.ts';
import { failureOf, lookThrough } from './compare/look-through.ts';
import { windowLooks } from './compare/window-looks.ts';
import { settleFailedList } from './fetch/park-scopes.ts';
import { openRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { rulesOf } from './run/kept-walk.ts';

const NOTHING_BEFORE = 'nothing was compared before: verify --full';

/** Compares as much as the rung asks for, and tells what differs, each after a second look. Throws what the client throws, and may pass. */
export async function compareResource(
  settings: FetchSettings,
  scope: BatchKey,
  options: CompareOptions,
): Promise<Compared> {
  const run = await openRun(settings, { ...scope, lane: options.lane }, options.signal);
  const rules = rulesOf(run);
  const before = readComparePlace(options.kept.place, rules);
  let isToldOf = false;
  const isCompanyToBlame: Comparison['isCompanyToBlame'] = async (trouble) => {
    // Each further list of the same resource would ask the same.
    if (isToldOf) return false;
    isToldOf = true;
    return settleFailedList(run, trouble, { isSure: true });
  };
  const comparison = { run, place: before ?? firstPlace(rules, run.version, options), options, isCompanyToBlame };
  try {
    // Only who has it still: another may have found something by now.
    if (before === null)
      await keepPlace(comparison, {}, async (client) => {
        await forgetDifferences(client, scope);
        return undefined;
      });
    await climb(comparison);
    if (await isListingNext(comparison)) await onListing(comparison);
    return await conclude(comparison);
  } finally {
    options.onEnd?.(run.counts().calls);
  }
}

/** From the rung that it is on, below the listing. */
async function climb(comparison: Comparison): Promise<void> {
  const { rung } = comparison.options;
  if (comparison.place.rung === 'listing') return;
  if (rung === 'climb' && !(await isProvedByWindow(comparison))) return;
  if (comparison.place.rung === 'count') await onCount(comparison);
  if (rung === 'count' || !(await hasBase(comparison))) return;
  if (comparison.place.rung === 'window') await onRung(comparison, 'window');
  if (rung !== 'window' && comparison.place.rung === 'bin') await onRung(comparison, 'bin');
}

/** Can it be? Else a list that is to be read anyway is not counted before. */
async function isProvedByWindow({ run, place }: Comparison): Promise<boolean> {
  const base = place.base ?? (await findCompared(run.settings.database.pool, run.batch));
  return run.entry.list?.filterByUpdate === true && base !== null;
}

/** Is it on the listing, or do the rungs below leave open whether all is told? What one of them refused is told; it asks for nothing more. */
async function isListingNext(comparison: Comparison): Promise<boolean> {
  if (comparison.options.rung !== 'climb' || comparison.place.rung === 'listing')
    return comparison.place.rung === 'listing';
  return (await isProvedByWindow(comparison)) ? isOpen(comparison) : true;
}

/** Reads whole lists. */
async function onListing(comparison: Comparison): Promise<void> {
  if (comparison.place.rung !== 'listing')
    await keepPlace(comparison, { rung: 'listing', after: null, theirs: 0, flaw: null });
  await lookThrough(comparison, await listingLooks(comparison));
}

async function onCount(comparison: Comparison): Promise<void> {
  const hasWaited = await waitedForEvents(comparison);
  const counts = await compareCounts(comparison.run).catch((error: unknown) => failureOf(comparison, error));
  if (counts instanceof Error) return leave(comparison, 'count', { flaw: counts.message, isDone: false });
  const { detail, ...told } = counts;
  if (told.outcome === 'differs' && !hasWaited && comparison.run.settings.lateEventsMs > 0)
    await waitForEvents(comparison, { counts: told });
  // Another event may be late each time.
  if (hasWaited && !areSame(told, comparison.place.counts)) told.outcome = 'not proved';
  await leave(comparison, 'count', { flaw: detail, isDone: told.theirs !== null, counts: told });
}

function areSame(counts: NonNullable<ComparePlace['counts']>, before: ComparePlace['counts']): boolean {
  return counts.ours === before?.ours && counts.theirs === before.theirs && counts.newest === before.newest;
}

/** Looks up since when it is to be compared, where it can be. */
async function hasBase(comparison: Comparison): Promise<boolean> {
  const { run, place } = comparison;
  const { list, bin } = run.entry;
  if (place.base !== null) return true;
  if (list?.filterByUpdate !== true && bin === null) return false;
  const base = await findCompared(run.settings.database.pool, run.batch);
  comparison.place = { ...place, base, flaws: base === null ? [...place.flaws, NOTHING_BEFORE] : place.flaws };
  return base !== null;
}

async function onRung(comparison: Comparison, rung: 'window' | 'bin'): Promise<void> {
  const { run, place } = comparison;
  const { list, bin } = run.entry;
  const isThere = rung === 'window' ? list?.filterByUpdate === true : bin !== null;
  if (isThere && place.base !== null) {
    const looksOf = rung === 'window' ? windowLooks : binLooks;
    await lookThrough(comparison, await looksOf(comparison, place.base));
  }
  const flaw =
    comparison.place.flaw ?? (rung === 'window' && isThere && bin === null ? await flawOfNumbers(comparison) : null);
  await leave(comparison, rung, { flaw, isDone: isThere });
}

const NUMBERS_MOVED = 'the number of records changed while they were compared';

/** Where no bin tells what is gone: did the numbers stay until the window was read? One that came and went may have made up for one that is gone. */
async function flawOfNumbers(comparison: Comparison): Promise<string | null> {
  const { counts } = comparison.place;
  if (counts === null || counts.theirs === null || counts.theirs !== counts.ours) return null;
  const again = await compareCounts(comparison.run).catch((error: unknown) => failureOf(comparison, error));
  if (again instanceof Error) return again.message;
  return again.theirs === counts.theirs ? null : NUMBERS_MOVED;
}

/** The next rung is in turn. */
async function leave(
  comparison: Comparison,
  rung: 'count' | 'window' | 'bin',
  { flaw, isDone, ...told }: { flaw: string | null; isDone: boolean; counts?: ComparePlace['counts'] },
): Promise<void> {
  const { done, flaws } = comparison.place;
  await keepPlace(comparison, {
    ...told,
    ...{ rung: NEXT[rung], after: null, flaw: null, waits: null, flaws: flaw === null ? flaws : [...flaws, flaw] },
    done: isDone && flaw === null ? [...done, rung] : done,
  });
}

const NEXT = { count: 'window', window: 'bin', bin: null } as const;
