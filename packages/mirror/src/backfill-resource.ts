// The backfill of one resource in one scope. A list that carries the whole record is stored page by page; so is what
// others carry, and these records are marked pending: the worker's planner shows them.
import { isListedByParent } from '@procore-mirror/catalogue';
import { type BatchKey, takeVersion, VersionBehindError } from '@procore-mirror/database';
import { ProcoreFormatError } from '@procore-mirror/procore';
import { insistOnAll, type Listing, type ListingProgress } from './ask/listing.ts';
import type { ListingOptions } from './ask/listing-pages.ts';
import { createPassOver, insistOnAny, type PassOver } from './ask/pass-over.ts';
import { InDoubtError } from './errors.ts';
import {
  afterParent,
  afterPart,
  type FillNews,
  type FillPlace,
  firstPlace,
  insistOnNoDoubt,
  type KeptFill,
  nextReading,
  onceMore,
  parentAt,
  readParents,
  readPlace,
  withDoubts,
} from './fetch/fill-place.ts';
import { allParents } from './fetch/parent-walk.ts';
import { settleFailedFill } from './fetch/park-scopes.ts';
import { datesBetween, windowsBack } from './plan/date-windows.ts';
import { judgeFailure } from './plan/judge-failure.ts';
import { mayPass } from './plan/judge-fill.ts';
import { type BatchRun, openRun } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { rulesOf } from './run/kept-walk.ts';
import { storeListedParts, storeListing } from './store/store-listing.ts';
import type { Along } from './store/store-part.ts';

export type BackfillOptions = {
  signal: AbortSignal;
  now: Date;
  /** Where it goes on, and where its place is kept; it begins at the beginning when left out. */
  kept?: KeptFill;
  /** Told of the calls it took until now, when it ends in whatever way. */
  onCalls?: (calls: number) => void;
};

/** How many records were stored whole, and how many wait for the worker to fetch what their list does not carry. */
export type Backfilled = { stored: number; pending: number };

type Part = Required<Pick<ListingOptions, 'searchParams'>>;

type Fill = {
  run: BatchRun;
  place: FillPlace;
  parts: readonly Part[];
  passOver: PassOver;
  kept: KeptFill | null;
};

/** A listing that changes while it is read is read again, so often at most. */
const READINGS = 3;
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
  const { signal, now, kept = null, onCalls = () => {} } = options;
  const run = await openRun(settings, { ...scope, lane: 'backfill' }, signal);
  const { list } = run.entry;
  if (list === null || list.shared) return { stored: 0, pending: 0 };
  const rules = rulesOf(run);
  const place = readPlace(kept?.place, rules) ?? firstPlace(rules, now.toISOString());
  const parts = list.todayOnly
    ? windowsBack(new Date(place.day)).map((window) => ({ searchParams: datesBetween(window) }))
    : [{ searchParams: [] }];
  const fill: Fill = {
    run,
    place,
    parts,
    kept,
    passOver: createPassOver(signal, askAgain(run, place.answered, parts)),
  };
  try {
    await (isListedByParent(run.entry) ? fillFromParents(fill) : fillParts(fill, null));
  } catch (error) {
    const failure = signal.aborted ? null : judgeFailure(error);
    if (failure?.kind === 'trouble') await settleFailedFill(run, failure.trouble);
    throw error;
  } finally {
    onCalls(run.counts().calls);
  }
  const { records } = fill.place;
  return list.carries === 'whole record' ? { stored: records, pending: 0 } : { stored: 0, pending: records };
}

/**
 * Fills from all parents that answer. Throws InDoubtError when others did not, and what they answered when none did. Where it goes on
 * after that, only those are asked that may answer another time.
 */
async function fillFromParents(fill: Fill): Promise<void> {
  const parents = await parentsOfFill(fill);
  for (let at = parentAt(fill.place, parents.length); at !== null; at = parentAt(fill.place, parents.length)) {
    const parentId = parents[at];
    if (parentId === undefined) break;
    await fillFromParent(fill, parentId);
  }
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
  if (isPassedOver) await keep(fill);
}

async function insistOnParents(fill: Fill): Promise<void> {
  const { run, passOver, place } = fill;
  if (place.left.length > 0) {
    fill.place = onceMore(place);
    await keep(fill);
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
  fill.place = firstPlace(place.rules, place.day);
  const areKnown = (await kept?.areParentsFilled()) === true;
  const ids = await allParents(run, { passOver, areKnown });
  fill.place = withDoubts(fill.place, messagesOf(passOver.troubles));
  await kept?.keepParents({ rules: place.rules, ids, places: [...run.learntParents()] });
  return ids;
}

function messagesOf(errors: readonly Error[]): string[] {
  return errors.map(({ message }) => message);
}

/** Throws ProcoreFormatError when all parts were read and one of them could not be to its end. */
async function fillParts(fill: Fill, parentId: string | null): Promise<void> {
  let trouble: ProcoreFormatError | null = null;
  for (let part = fill.parts[fill.place.part]; part !== undefined; part = fill.parts[fill.place.part]) {
    const error = await fillPart(fill, { parentId, ...part }).then(() => null, asFormatError);
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

/** Goes on behind a part that could not be read. Throws where it is better to go on with it another time. */
async function passPartOver(fill: Fill, parentId: string | null, error: ProcoreFormatError): Promise<void> {
  if (parentId === null && fill.kept?.isLastTry === false) throw error;
  const place = afterPart(fill.place, { records: 0, total: 0 });
  fill.place = parentId === null ? withDoubts(place, [error.message]) : place;
  await keep(fill);
}

/**
 * What a shifted listing left out may come with the next reading; what came once need not come again. A Total that never fits
 * proves nothing in the end.
 */
async function fillPart(fill: Fill, options: ListingOptions): Promise<void> {
  const { run } = fill;
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
    const { doubt, isCut, missing, records } = listing;
    if (isCut) insistOnAll(run.entry, listing);
    const isUsual = missing !== null && missing > 0 && missing === missedBefore;
    if (doubt === null || isUsual || reading === READINGS) {
      const total = Math.max(records, totalOf(fill.place.listing));
      fill.place = afterPart(fill.place, { records, total });
      return;
    }
    fill.place = nextReading(fill.place, missing);
    await keep(fill);
  }
}

async function readPart(fill: Fill, options: ListingOptions): Promise<Listing> {
  const { run, kept } = fill;
  const along = (listing: ListingProgress): Along => {
    const place = { ...fill.place, listing };
    return async (client) => {
      await kept?.keep(client, { ...newsOf(fill, place), hasCome: true });
      fill.place = place;
    };
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
function askAgain(run: BatchRun, parentId: string | null, parts: readonly Part[]): (() => Promise<unknown>) | null {
  const [part] = parts;
  return parentId === null || part === undefined ? null : () => store(run, { parentId, ...part });
}

async function keep({ run, kept, ...fill }: Fill): Promise<void> {
  await kept?.keep(run.settings.database.pool, { ...newsOf({ run }, fill.place), hasCome: false });
}

function newsOf({ run }: Pick<Fill, 'run'>, place: FillPlace): Omit<FillNews, 'hasCome'> {
  const { records, total, listing } = place;
  const told = total + totalOf(listing);
  return { place, rows: records + (listing?.listed ?? 0), total: told === 0 ? null : told, calls: run.counts().calls };
}

function totalOf(listing: ListingProgress | null): number {
  return listing?.totals.at(-1) ?? listing?.listed ?? 0;
}
