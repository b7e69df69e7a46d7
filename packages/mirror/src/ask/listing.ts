// A listing of a scope or of one parent, read to its end: what came, and may anything be missing?
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { noteTotal, readListFacts } from '@procore-mirror/database';
import { type Bookmark, bookmark } from '@procore-mirror/procore';
import { z } from 'zod';
import { InDoubtError } from '../errors.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { type ListingOptions, listKey, type Page, pagesOf } from './listing-pages.ts';

/** What a listing brought. */
export type Listing = {
  records: number;
  /** Why a record may be missing by accident; null when none can be. */
  doubt: string | null;
  /** Was it not read to its end, or not all of it, as far as is known? */
  isCut: boolean;
  /** Why it proves nothing of what it lacks: the doubt, or less than that. Null: what it lacks is not there. */
  flaw: string | null;
  /** Is the flaw nothing but a Total above what came, of which nobody knows that it counts no row of ours? */
  isSurplus: boolean;
  /** Does it say how many records there are? Where it does not, only a second reading that shows the same proves what it lacks. */
  isCounted: boolean;
  /** By how much its Total is above what came; null when it does not say, or says different things. */
  missing: number | null;
};

const count = z.number().int().min(0);

/** How far a listing was read, as JSON: enough to go on with it, and to tell in the end whether anything may be missing. */
export const listingProgress = z.object({
  /** Null: it was read to its end. */
  next: bookmark.nullable(),
  /** Different records that came, and those without an id. */
  listed: count,
  nameless: count,
  /** Records that came again, as far as is known by now. */
  repeated: count.default(0),
  pages: count,
  /** What its pages said is their Total; two that differ tell as much as more. */
  totals: z.array(count),
  countsPages: z.boolean(),
  cut: z.string().nullable(),
  change: z.string().nullable(),
});

export type ListingProgress = z.infer<typeof listingProgress>;

const UNREAD: ListingProgress = {
  ...{
    next: null,
    listed: 0,
    nameless: 0,
    repeated: 0,
    pages: 0,
    totals: [],
    countsPages: true,
    cut: null,
    change: null,
  },
};

/**
 * Reads a listing to its end, or goes on with one `from` where it stopped. `take` gets each page, and how far the listing was read with
 * it. Pages that shift while they are read can leave a record out; as far as counts tell, `doubt` does. A Total that is above what comes
 * by the same number twice in a row counts what we may not see, and is no doubt.
 */
export async function readListing(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions & { from?: ListingProgress | null | undefined },
  take: (page: Page, progress: ListingProgress) => Promise<unknown>,
): Promise<Listing> {
  const { from, ...own } = options;
  let progress = from ?? UNREAD;
  if (from == null || from.next !== null) progress = await readPages(run, entry, { ...own, from: progress }, take);
  const { listed, nameless, pages, cut, change } = progress;
  const [total = null] = progress.totals;
  const areTotalsAlike = progress.totals.length <= 1;
  const missing = total === null || !areTotalsAlike ? null : Math.max(0, total - listed - nameless);
  const end = { records: listed, isCut: cut !== null, missing, isCounted: total !== null };
  const told = cut ?? change ?? (areTotalsAlike || progress.countsPages ? null : 'it changed while it was read');
  if (told !== null) return { ...end, doubt: told, flaw: told, isSurplus: false };
  const isUsual = await isUsualTotal(run, entry, own, { missing, pages });
  const surplus = `its Total counts ${missing} records more than came`;
  // Where nothing but the list shows a record, one that it hides cannot be told from one that is gone.
  const isInnocent = entry.show !== null && missing === (await innocentDifference(run, entry, own));
  const isTold = isUsual && (!missing || isInnocent);
  const flaw = flawOf(progress);
  return {
    ...end,
    doubt: isUsual ? null : surplus,
    flaw: isTold ? flaw : surplus,
    isSurplus: !isTold && flaw === null,
  };
}

async function innocentDifference(
  run: BatchRun,
  entry: CataloguedResource,
  { parentId }: ListingOptions,
): Promise<number | null> {
  return (await readListFacts(run.settings.database.pool, listKey(run, entry, parentId))).innocentDifference;
}

/** What is no reason to read it again, but leaves open whether it lacks a record by accident. */
function flawOf({ totals: [total, other], listed, repeated }: ListingProgress): string | null {
  if (other !== undefined || (total !== undefined && total < listed)) return 'its Total counts fewer records than came';
  return repeated > 0 ? 'it showed a record twice' : null;
}

async function readPages(
  run: BatchRun,
  entry: CataloguedResource,
  { from, ...options }: ListingOptions & { from: ListingProgress },
  take: (page: Page, progress: ListingProgress) => Promise<unknown>,
): Promise<ListingProgress> {
  const ids = new Set(from.next === null ? [] : [...from.next.seen.firstIds, ...from.next.seen.lastIds]);
  const before = from.listed - ids.size;
  let next: Bookmark | null = null;
  let progress = from;
  const onDoubt = (issue: string, isCut: boolean) => {
    const { cut, change } = progress;
    progress = { ...progress, ...(isCut ? { cut: cut ?? issue } : { change: change ?? issue }) };
  };
  const onNext = (bookmark: Bookmark | null) => {
    next = bookmark;
  };
  const reading = { ...options, from: from.next ?? undefined, onDoubt, onNext };
  for await (const page of pagesOf(run, entry, reading)) {
    const known = ids.size;
    for (const id of page.ids) ids.add(id);
    const { total, flaw } = page;
    const { totals } = progress;
    const isNewTotal = total !== null && totals.length < 2 && !totals.includes(total);
    progress = {
      ...progress,
      next,
      listed: before + ids.size,
      nameless: progress.nameless + page.records - page.ids.length,
      repeated: progress.repeated + page.ids.length - (ids.size - known),
      pages: progress.pages + Math.min(1, page.records), // one that only said that there is no more does not count
      totals: isNewTotal ? [...totals, total] : totals,
      countsPages: progress.countsPages && total === page.records,
      cut: progress.cut ?? flaw,
    };
    await take(page, progress);
  }
  return progress;
}

/** Is what a Total counts beyond what came no sign that a record was left out? */
async function isUsualTotal(
  run: BatchRun,
  entry: CataloguedResource,
  { parentId, searchParams = [], also }: ListingOptions,
  { missing, pages }: { missing: number | null; pages: number },
): Promise<boolean> {
  if (missing === null) return true;
  // A filter makes another list of it each time, and one page does not shift while it is read.
  if (searchParams.length > 0 || also !== undefined) return missing === 0 || pages <= 1;
  return (await noteTotal(run.settings.database.pool, listKey(run, entry, parentId), missing)) || missing === 0;
}

/** For who concludes something from what a listing lacks. Throws InDoubtError when there is a doubt. */
export function insistOnAll({ resource }: CataloguedResource, { doubt }: Pick<Listing, 'doubt'>): void {
  if (doubt !== null) throw new InDoubtError(`the listing of ${resource}`, { issues: [doubt] });
}
