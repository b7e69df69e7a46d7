import type { CataloguedResource } from '@procore-mirror/catalogue';
import { type Listing, type ListingProgress, readListing } from '../ask/listing.ts';
import type { ListingOptions } from '../ask/listing-pages.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { readItems } from '../run/read-answer.ts';
import { storeAnswer } from './store-answer.ts';
import { type Along, markListed, storeListedPage } from './store-part.ts';

/** `from`: where an earlier reading stopped. `along`: told of how far it is with each page, in the transaction that stores that. */
type StoreOptions = ListingOptions & {
  from?: ListingProgress | null;
  along?: (progress: ListingProgress) => Along;
};

/** Stores every page, and tells what came. */
export async function storeListing(
  run: BatchRun,
  entry: CataloguedResource,
  version: string,
  { along, ...options }: StoreOptions,
): Promise<Listing> {
  const { parentId, only = null } = options;
  return readListing(run, entry, options, ({ text, wrapper }, progress) =>
    storeAnswer(run, { entry, wrapper, version, text, parentId, only }, along?.(progress)),
  );
}

/** Stores what every page of the run's resource carries, and marks its records pending. */
export async function storeListedParts(
  run: BatchRun,
  version: string,
  { along, ...options }: StoreOptions,
): Promise<Listing> {
  const { entry } = run;
  return readListing(run, entry, options, async (page, progress) => {
    const parentId = entry.parent === null ? null : options.parentId;
    const parents = new Map(readItems(page.text, entry).map((item) => [item.id, parentId ?? item.parentId]));
    // Records in groups cannot be stored as they stand.
    if (entry.list?.within !== null) return markListed(run, parents, along?.(progress));
    const { text, wrapper } = page;
    const answer = { entry, wrapper, version, text, parentId, only: null };
    return storeListedPage(run, answer, parents, along?.(progress));
  });
}
