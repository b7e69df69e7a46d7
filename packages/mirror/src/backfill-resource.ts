// The backfill of one resource in one scope. A list that carries the whole record is stored page by page; so is what
// others carry, and these records are marked pending: the worker's planner shows them.
import { isListedByParent } from '@procore-mirror/catalogue';
import { type BatchKey, takeVersion, VersionBehindError } from '@procore-mirror/database';
import { ProcoreFormatError } from '@procore-mirror/procore';
import { insistOnAll, type Listing, readListing } from './ask/listing.ts';
import type { ListingOptions } from './ask/listing-pages.ts';
import { createPassOver, insistOnEach } from './ask/pass-over.ts';
import { parentsToWalk } from './fetch/parent-walk.ts';
import { settleFailedFill } from './fetch/park-scopes.ts';
import { datesBetween, windowsBack } from './plan/date-windows.ts';
import { judgeFailure } from './plan/judge-failure.ts';
import { type BatchRun, openRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { readItems } from './run/read-answer.ts';
import { storeListing } from './store/store-listing.ts';
import { markListed, storeListedPage } from './store/store-part.ts';

export type BackfillOptions = {
  signal: AbortSignal;
  now: Date;
};

/** How many records were stored whole, and how many wait for the worker to fetch what their list does not carry. */
export type Backfilled = { stored: number; pending: number };

/** A listing that changes while it is read is read again, so often at most. */
const READINGS = 3;

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
  const run = await openRun(settings, { ...scope, lane: 'backfill' }, options.signal);
  const { entry } = run;
  if (entry.list === null || entry.list.shared) return { stored: 0, pending: 0 };
  const isWhole = entry.list.carries === 'whole record';
  const windows = entry.list.todayOnly ? windowsBack(options.now).map(datesBetween) : [[]];
  const fillFrom = (parentId: string | null) => fillWindows(run, isWhole ? storePages : storeParts, windows, parentId);
  const records = await (isListedByParent(entry) ? fillFromParents(run, fillFrom) : fillFrom(null)).catch(
    async (error: unknown) => {
      const failure = options.signal.aborted ? null : judgeFailure(error);
      if (failure?.kind === 'trouble') await settleFailedFill(run, failure.trouble);
      throw error;
    },
  );
  return isWhole ? { stored: records, pending: 0 } : { stored: 0, pending: records };
}

/** Throws ProcoreFormatError when all windows were read and one of them could not be to its end. */
async function fillWindows(
  run: BatchRun,
  read: Read,
  windows: readonly ListingOptions['searchParams'][],
  parentId: string | null,
): Promise<number> {
  let sum = 0;
  let trouble: ProcoreFormatError | null = null;
  for (const searchParams of windows) {
    try {
      sum += await fill(run, read, { parentId, ...(searchParams === undefined ? {} : { searchParams }) });
    } catch (error) {
      if (!(error instanceof ProcoreFormatError)) throw error;
      trouble ??= error;
    }
  }
  if (trouble !== null) throw trouble;
  return sum;
}

/** Fills from all parents that answer. Throws InDoubtError when others did not, and what they answered when none did. */
async function fillFromParents(run: BatchRun, fillFrom: (parentId: string) => Promise<number>): Promise<number> {
  const passOver = createPassOver(run.signal);
  let sum = 0;
  for await (const parentId of parentsToWalk(run, run.entry, passOver)) {
    const { end } = await passOver.attempt('parent', async () => {
      sum += await fillFrom(parentId);
    });
    if (end !== null) throw end;
  }
  insistOnEach(run.entry, passOver);
  return sum;
}

type Read = (run: BatchRun, version: string, options: ListingOptions) => Promise<Listing>;

/**
 * What a shifted listing left out may come with the next reading; what came once need not come again. A Total that never fits
 * proves nothing in the end.
 */
async function fill(run: BatchRun, read: Read, options: ListingOptions): Promise<number> {
  let missedBefore: number | null = null;
  for (let reading = 1; ; reading += 1) {
    const listing = await read(run, await takeVersion(run.settings.database), options).catch((error: unknown) => {
      if (reading === READINGS || !(error instanceof VersionBehindError)) throw error;
      return null; // the numbers were lifted
    });
    if (listing === null) continue;
    const { doubt, isCut, missing, records } = listing;
    if (isCut) insistOnAll(run.entry, listing);
    const isUsual = missing !== null && missing > 0 && missing === missedBefore;
    if (doubt === null || isUsual || reading === READINGS) return records;
    missedBefore = missing;
  }
}

const storePages: Read = (run, version, options) => storeListing(run, run.entry, version, options);

const storeParts: Read = (run, version, options) => {
  const { entry } = run;
  return readListing(run, entry, options, async (page) => {
    const parentId = entry.parent === null ? null : options.parentId;
    const parents = new Map(readItems(page.text, entry).map((item) => [item.id, parentId ?? item.parentId]));
    // Records in groups cannot be stored as they stand.
    if (entry.list?.within !== null) return markListed(run, parents);
    const { text, wrapper } = page;
    const answer = { entry, wrapper, version, text, parentId, only: null };
    return storeListedPage(run, answer, parents);
  });
};
