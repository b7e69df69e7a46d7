// The lists of a fill, one after the other: of the whole scope, or of one parent.
import { type Queryable, takeVersion, VersionBehindError } from '@procore-mirror/database';
import { ProcoreFormatError } from '@procore-mirror/procore';
import { insistOnAll, type Listing, type ListingProgress } from '../ask/listing.ts';
import type { ListingOptions } from '../ask/listing-pages.ts';
import type { PassOver } from '../ask/pass-over.ts';
import { InDoubtError } from '../errors.ts';
import { mayPass } from '../plan/judge-fill.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { storeListedParts, storeListing } from '../store/store-listing.ts';
import type { Along } from '../store/store-part.ts';
import {
  afterPart,
  type FillNews,
  type FillPlace,
  hasGotOn,
  insistOnNoDoubt,
  type KeptFill,
  nextReading,
  withDoubts,
  withProof,
} from './fill-place.ts';

/** A window of days, or another list of the resource. */
export type Part = Pick<ListingOptions, 'searchParams' | 'also'>;

/** A fill that is under way. */
export type Fill = {
  run: BatchRun;
  place: FillPlace;
  parts: readonly Part[];
  passOver: PassOver;
  /** Whose lists are read; null: there is one of all. */
  parentIds: ReadonlySet<string> | null;
  kept: KeptFill | null;
};

/** A listing that changes while it is read is read again, so often at most. */
const READINGS = 3;

/** Reads all parts. Throws ProcoreFormatError when one of them could not be read to its end. */
export async function fillParts(fill: Fill, parentId: string | null): Promise<void> {
  let trouble: ProcoreFormatError | null = null;
  for (let part = fill.parts[fill.place.part]; part !== undefined; part = fill.parts[fill.place.part]) {
    const reading = fillPart(fill, { parentId, ...part });
    if (part.also !== undefined) {
      await reading.catch((error: unknown) => doWithout(fill, error));
      continue;
    }
    const error = await reading.then(() => null, asFormatError);
    if (error !== null) await passPartOver(fill, parentId, error);
    trouble ??= error;
  }
  if (trouble !== null && (parentId !== null || fill.kept === null)) throw trouble;
  if (parentId === null) insistOnNoDoubt(`the ${fill.run.entry.resource}`, fill.place);
}

function asFormatError(error: unknown): ProcoreFormatError {
  if (error instanceof ProcoreFormatError) return error;
  throw error;
}

/** A further list may not be there, or not be ours to read. Throws what may pass. */
async function doWithout(fill: Fill, error: unknown): Promise<void> {
  const goesOn = error instanceof InDoubtError && fill.kept?.isLastTry === false;
  if (!(error instanceof Error) || goesOn) throw error;
  if (mayPass(error) && !(error instanceof ProcoreFormatError)) throw error;
  const place = afterPart(fill.place, { records: 0, total: 0 });
  fill.place = { ...place, notes: [...place.notes, error.message] };
  await keepPlace(fill);
}

/** Goes on behind a part that could not be read. Throws where it is better to go on with it another time. */
async function passPartOver(fill: Fill, parentId: string | null, error: ProcoreFormatError): Promise<void> {
  if (parentId === null && fill.kept?.isLastTry === false) throw error;
  const place = afterPart(fill.place, { records: 0, total: 0 });
  fill.place = parentId === null ? withDoubts(place, [error.message]) : place;
  await keepPlace(fill);
}

/**
 * What a shifted listing left out may come with the next reading; what came once need not come again. A Total that never fits
 * proves nothing in the end.
 */
async function fillPart(fill: Fill, options: ListingOptions): Promise<void> {
  const { run } = fill;
  fill.place = withProof(fill.place, options.parentId, 'unread');
  for (;;) {
    const { reading, missedBefore } = fill.place;
    const listing = await readPart(fill, options).catch((error: unknown) => {
      if (reading === READINGS || !(error instanceof VersionBehindError)) throw error;
      return null; // the numbers were lifted
    });
    if (listing === null) {
      fill.place = nextReading(fill.place, missedBefore);
      continue;
    }
    const { doubt, isCut, missing, records, flaw } = listing;
    if (isCut) insistOnAll(run.entry, listing);
    const isUsual = missing !== null && missing > 0 && missing === missedBefore;
    if (doubt === null || isUsual || reading === READINGS) {
      const total = Math.max(records, totalOf(fill.place.listing));
      fill.place = withProof(afterPart(fill.place, { records, total }), options.parentId, flaw);
      return;
    }
    fill.place = nextReading(fill.place, missing);
    await keepPlace(fill);
  }
}

async function readPart(fill: Fill, options: ListingOptions): Promise<Listing> {
  const { run } = fill;
  const along = (listing: ListingProgress): Along => {
    const place = { ...fill.place, listing };
    return (client) => keepNews(fill, place, client);
  };
  return store(run, { ...options, from: fill.place.listing, along });
}

async function store(run: BatchRun, options: Parameters<typeof storeListedParts>[2]): Promise<Listing> {
  const version = await takeVersion(run.settings.database);
  return run.entry.list?.carries === 'whole record'
    ? storeListing(run, run.entry, version, options)
    : storeListedParts(run, version, options);
}

/** Asks a parent once more that answered before: does it still? */
export function askAgain(
  run: BatchRun,
  parentId: string | null,
  parts: readonly Part[],
): (() => Promise<unknown>) | null {
  const [part] = parts;
  return parentId === null || part === undefined ? null : () => store(run, { parentId, ...part });
}

/** Keeps where it is, where nothing came. */
export async function keepPlace(fill: Fill): Promise<void> {
  await keepNews(fill, fill.place, fill.run.settings.database.pool);
}

/** Keeps `place`, with what else happens in a transaction. */
export async function keepNews(fill: Fill, place: FillPlace, client: Queryable): Promise<void> {
  const news = newsOf(fill, place);
  await fill.kept?.keep(client, news);
  fill.place = news.place;
}

function newsOf({ run }: Fill, place: FillPlace): FillNews {
  const { records, total, listing, settled } = place;
  const told = total + totalOf(listing);
  return {
    place: { ...place, settledBefore: settled },
    hasGotOn: hasGotOn(place),
    ...{ rows: records + (listing?.listed ?? 0), total: told === 0 ? null : told, calls: run.counts().calls },
  };
}

function totalOf(listing: ListingProgress | null): number {
  return listing?.totals.at(-1) ?? listing?.listed ?? 0;
}
