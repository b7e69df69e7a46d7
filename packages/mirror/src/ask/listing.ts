// A listing of a scope or of one parent, read to its end: what came, and may anything be missing?
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { noteTotal } from '@procore-mirror/database';
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
  /** By how much its Total is above what came; null when it does not say, or says different things. */
  missing: number | null;
};

/**
 * Reads a listing to its end. `take` gets each page and returns the ids that it took. Pages that shift while they are read
 * can leave a record out; as far as counts tell, `doubt` does. A Total that is above what comes by the same number twice in a
 * row counts what we may not see, and is no doubt.
 */
export async function readListing(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions,
  take: (page: Page) => Promise<Iterable<string>>,
): Promise<Listing> {
  const taken = new Set<string>();
  const listed = new Set<string>();
  const totals = new Set<number>();
  let [pages, nameless] = [0, 0];
  let countsPages = true;
  const cuts: string[] = [];
  const changes: string[] = [];
  const onDoubt = (issue: string, isCut: boolean) => (isCut ? cuts : changes).push(issue);
  for await (const page of pagesOf(run, entry, { ...options, onDoubt })) {
    for (const id of await take(page)) taken.add(id);
    for (const id of page.ids) listed.add(id);
    if (page.total !== null) totals.add(page.total);
    countsPages &&= page.total === page.records;
    if (page.flaw !== null) cuts.push(page.flaw);
    nameless += page.records - page.ids.length;
    pages += Math.min(1, page.records); // one that only said that there is no more does not count
  }
  const [total = null] = totals;
  const hasChanged = totals.size > 1 && !countsPages;
  const missing = total === null || totals.size > 1 ? null : Math.max(0, total - listed.size - nameless);
  const end = { records: taken.size, isCut: cuts.length > 0, missing };
  const [doubt] = [...cuts, ...changes];
  if (doubt !== undefined) return { ...end, doubt };
  if (hasChanged) return { ...end, doubt: 'it changed while it was read' };
  const isUsual = await isUsualTotal(run, entry, options, { missing, pages });
  return { ...end, doubt: isUsual ? null : `its Total counts ${missing} records more than came` };
}

/** Is what a Total counts beyond what came no sign that a record was left out? */
async function isUsualTotal(
  run: BatchRun,
  entry: CataloguedResource,
  { parentId, searchParams = [] }: ListingOptions,
  { missing, pages }: { missing: number | null; pages: number },
): Promise<boolean> {
  if (missing === null) return true;
  // A filter makes another list of it each time, and one page does not shift while it is read.
  if (searchParams.length > 0) return missing === 0 || pages <= 1;
  return (await noteTotal(run.settings.database.pool, listKey(run, entry, parentId), missing)) || missing === 0;
}

/** For who concludes something from what a listing lacks. Throws InDoubtError when there is a doubt. */
export function insistOnAll({ resource }: CataloguedResource, { doubt }: Pick<Listing, 'doubt'>): void {
  if (doubt !== null) throw new InDoubtError(`the listing of ${resource}`, { issues: [doubt] });
}
