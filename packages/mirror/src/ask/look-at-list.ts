// A listing read for nothing but what it shows, in one go, so that every id that came is known.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { takeVersion } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';
import { type Listing, readListing } from './listing.ts';
import type { ListingOptions, Page } from './listing-pages.ts';

export type Look = Listing & {
  /** Taken before the first request. */
  version: string;
  ids: ReadonlySet<string>;
};

/** Reads a listing to its end and stores nothing. `take` gets each page, and the number. */
export async function lookAtList(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions,
  take: (page: Page, version: string) => Promise<unknown> = async () => {},
): Promise<Look> {
  const version = await takeVersion(run.settings.database);
  const ids = new Set<string>();
  const listing = await readListing(run, entry, options, async (page) => {
    for (const id of page.ids) ids.add(id);
    await take(page, version);
  });
  return { ...listing, version, ids };
}
