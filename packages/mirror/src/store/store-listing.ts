import type { CataloguedResource } from '@procore-mirror/catalogue';
import { type Listing, readListing } from '../ask/listing.ts';
import type { ListingOptions } from '../ask/listing-pages.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { storeAnswer } from './store-answer.ts';

/** Stores every page, and tells what came. */
export async function storeListing(
  run: BatchRun,
  entry: CataloguedResource,
  version: string,
  options: ListingOptions,
): Promise<Listing> {
  const { parentId, only = null } = options;
  return readListing(run, entry, options, ({ text, wrapper }) =>
    storeAnswer(run, { entry, wrapper, version, text, parentId, only }),
  );
}
