import type { CataloguedResource } from '@procore-mirror/catalogue';
import { type Listing, readListing } from '../ask/listing.ts';
import type { ListingOptions } from '../ask/listing-pages.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { storeAnswer } from './store-answer.ts';

/** Stores every page, and tells what came. */
export async function storeListing(
  run: BatchRun,
  resource: CataloguedResource,
  version: string,
  options: ListingOptions,
): Promise<Listing> {
  const { parentId, only = null } = options;
  return readListing(run, resource, options, ({ text, wrapper }) =>
    storeAnswer(run, { resource, wrapper, version, text, parentId, only }),
  );
}
