// A list, page by page: each is asked for in a size that is answered, and what follows it is told in `page-ends.ts`.
import { ProcoreResponseError } from './errors.ts';
import { SLOW_TIMEOUT_MS } from './exchange.ts';
import { type Bookmark, bookmarkAt, reopen } from './page-bookmark.ts';
import {
  type Came,
  capOf,
  type Doubt,
  type Known,
  nothingSeen,
  type ReadPage,
  type Seen,
  type Step,
  seePage,
  stepAfter,
} from './page-ends.ts';
import { firstPlace, following, type Place, resized } from './page-place.ts';
import { type AnsweredSize, createPageSizes, isAboutSize, type PageSizes } from './page-sizes.ts';
import type { CallPurpose, ProcoreAnswer } from './procore-answer.ts';

export type PagesOptions<P extends ReadPage> = {
  companyId: string;
  signal?: AbortSignal | undefined;
  purpose?: CallPurpose | undefined;
  timeoutMs?: number | undefined;
  /** How many records a page is to have at most. */
  perPage: number;
  /** How many the first page is to have; `perPage` when left out. */
  firstPerPage?: number | undefined;
  /** A size that was answered before, to go back to when a larger one fails. */
  answeredPerPage?: number | null | undefined;
  /** By how much the list's Total is usually above what comes. */
  usuallyMissing?: number | null | undefined;
  /** The names of the fields to read; see `get`. */
  fields?: ReadonlySet<string> | undefined;
  /** 10,000 when not given. */
  maxPages?: number | undefined;
  read: (answer: ProcoreAnswer) => P;
  /** Told why the list may have records that did not come. `isCut`: it was not read to its end; else it changed while it was read. */
  onDoubt?: ((issue: string, isCut: boolean) => unknown) | undefined;
  /** Where an earlier reading stopped; `firstPerPage` and `answeredPerPage` are its own then. */
  from?: Bookmark | undefined;
  /** Told before each page where the list goes on after it; null: it was the last. */
  onNext?: ((bookmark: Bookmark | null) => void) | undefined;
  /** Told of the size of each page that was answered. */
  onPageSize?: ((answered: AnsweredSize) => void) | undefined;
};

/** `expectedBytes`: how large the answer is likely to be, so that there is room for it before it comes. */
export type GetPage = (
  path: string,
  options: { isOnlyTry: boolean; expectedBytes: number; timeoutMs: number | undefined },
) => Promise<ProcoreAnswer>;

type GetSize = (
  path: string,
  options: { isOnlyTry: boolean; isHurried: boolean; expectedBytes: number },
) => Promise<ProcoreAnswer>;

/** What came at a place, and which was asked for at first: `at` may be in a smaller size. */
type Got = { at: Place; asked: Place } & (
  | { kind: 'answer'; answer: ProcoreAnswer }
  /** A record that is larger than an answer may be, or that Procore cannot show. */
  | { kind: 'bad record' }
  /** There is no such page, as far as can be told. */
  | { kind: 'end'; doubt: Doubt | null }
);

/** Bad records are passed over, as long as there are not more of them in a row: each costs a request, and may not be there. */
const MOST_BAD_IN_A_ROW = { link: 10, total: 10, fullness: 3 };

const cut = (issue: string): Doubt => ({ issue, isCut: true });

/** The pages of a list from the path of its first one, one request each, as `ProcoreClient.pages` promises. */
export async function* pagesOf<P extends ReadPage>(
  get: GetPage,
  listPath: string,
  options: PagesOptions<P>,
): AsyncGenerator<P, void, undefined> {
  const { perPage, from, onDoubt = () => {}, onNext = () => {}, onPageSize = () => {} } = options;
  const getPage: GetSize = (path, { isHurried, ...own }) =>
    get(path, {
      ...own,
      timeoutMs: isHurried ? Math.min(options.timeoutMs ?? SLOW_TIMEOUT_MS, SLOW_TIMEOUT_MS) : options.timeoutMs,
    });
  // What came before a bookmark is not known by id, which a larger page needs (`realSizeOf`), so pages grow no more after it.
  const wanted = from?.place.size ?? perPage;
  const answered = from?.place.size ?? options.answeredPerPage ?? null;
  const sizes = createPageSizes({ wanted, answered, onAnswer: onPageSize });
  const known = { perPage, usuallyMissing: options.usuallyMissing ?? null };
  const begin = { place: firstPlace(listPath, options.firstPerPage ?? perPage), seen: nothingSeen() };
  const { place: first, seen } = from === undefined ? begin : reopen(from);
  for (let place: Place | null = first; place !== null; ) {
    const got: Got = await getOrMiss(getPage, place, sizes, seen);
    using _ = got.kind === 'answer' ? got.answer : null;
    const came = readPage(got, options.read, seen);
    const { next, doubt } = endless(stepFrom(got, came, seen, known), seen, options.maxPages ?? 10_000);
    if (doubt !== null) onDoubt(doubt.issue, doubt.isCut);
    if (came?.repeats === false) {
      onNext(next && bookmarkAt(next, seen));
      yield came.page;
    }
    place = next && grown(next, sizes, seen);
  }
}

function readPage<P extends ReadPage>(got: Got, read: PagesOptions<P>['read'], seen: Seen): Came<P> | null {
  seen.pages += 1;
  if (got.kind !== 'answer') return null;
  seen.bytes = got.answer.text.bytes.length;
  const page = read(got.answer);
  return isLost(got, page, seen) && !seen.hasGoneBack ? null : seePage(page, got.at, got.answer, seen);
}

function stepFrom(got: Got, came: Came<ReadPage> | null, seen: Seen, known: Known): Step {
  if (got.kind === 'bad record') return pass(got, seen);
  if (isLost(got, came?.page ?? null, seen)) return goBack(got.asked, seen);
  if (got.kind === 'end') return { next: null, doubt: got.doubt };
  return came === null ? { next: null, doubt: null } : stepAfter(came, got.at, got.answer, seen, known);
}

/**
 * May the number of a smaller page have led too far? Where no such page held just as many records as it was asked for, the server may
 * give others than that.
 */
function isLost({ at, asked }: Got, page: ReadPage | null, seen: Seen): boolean {
  if (at.size >= asked.size || (at.number ?? 1) === 1 || seen.heedsSize) return false;
  return page === null || Math.max(page.records, page.groups) < at.size;
}

/** Asks once more for what was asked for at first. */
function goBack(asked: Place, seen: Seen): Step {
  if (seen.hasGoneBack) return { next: null, doubt: cut('the rest of it cannot be read') };
  seen.hasGoneBack = true;
  seen.paths.delete(asked.path);
  return { next: asked, doubt: null };
}

/** Passes over a record. */
function pass(got: Got, seen: Seen): Step {
  seen.badInARow += 1;
  seen.records += 1;
  if (seen.badInARow > MOST_BAD_IN_A_ROW[got.at.toldBy])
    return { next: null, doubt: cut('too many of its records in a row cannot be read') };
  return { next: following(got.at), doubt: cut('one of its records cannot be read') };
}

/** The page, unless there is none. One that cannot be read although only a full page spoke for it may not be there either. */
async function getOrMiss(get: GetSize, place: Place, sizes: PageSizes, seen: Seen): Promise<Got> {
  try {
    return await getSized(get, place, sizes, seen);
  } catch (error) {
    if (place.toldBy !== 'fullness' || !isAboutSize(error)) throw error;
    return { kind: 'end', at: place, asked: place, doubt: cut('the page after a full one cannot be read') };
  }
}

/** The page, in a smaller size if it is too large as it is. */
async function getSized(get: GetSize, place: Place, sizes: PageSizes, seen: Seen): Promise<Got> {
  seen.paths.add(place.path);
  let firstError: unknown = null;
  for (let at = place; ; seen.paths.add(at.path)) {
    try {
      const isOnlyTry = sizes.isTrial(at.size) || seen.badInARow > 0;
      const isHurried = sizes.isHurried(at.size);
      const answer = await get(at.path, { isOnlyTry, isHurried, expectedBytes: seen.bytes });
      sizes.sawAnswer(at.size);
      return { kind: 'answer', answer, at, asked: place };
    } catch (error) {
      if (seen.pages > 0 && isMissing(error, at)) return missing(at, place, seen);
      firstError ??= error;
      const size = seen.ignoresSize ? null : sizes.afterFailure(Math.min(at.size, capOf(seen)), error);
      if (size === null) return badRecord({ at, asked: place }, { firstError, error }, sizes, seen);
      at = resized(at, size, seen.records);
    }
  }
}

/** A page that is not there. In doubt where a link told of it, or a full page and a Total did. */
function missing(at: Place, asked: Place, { pages }: Seen): Got {
  const isCut = at.toldBy === 'link' || (at.toldBy === 'total' && at.isAfterFull);
  return { kind: 'end', at, asked, doubt: isCut ? cut(`page ${pages + 1} was not found`) : null };
}

/**
 * A record that fails alone, where others are answered, is passed over; whether they are is not known of the first of all until the
 * second is. Throws what else went wrong.
 */
function badRecord(
  places: Pick<Got, 'at' | 'asked'>,
  { firstError, error }: { firstError: unknown; error: unknown },
  sizes: PageSizes,
  { ignoresSize, pages }: Seen,
): Got {
  if (!isAboutSize(error)) throw error;
  const { at } = places;
  const mayBeFirst = pages === 0 && at.change === 'shrunk';
  if (at.number === null || ignoresSize || !(sizes.hasAnswered() || mayBeFirst)) throw firstError;
  if (sizes.hasAnswered()) sizes.forgetFailure();
  return { kind: 'bad record', ...places };
}

function endless(step: Step, { paths, pages }: Seen, maxPages: number): Step {
  if (step.next === null) return step;
  if (paths.has(step.next.path)) {
    return { next: null, doubt: cut(`the next link of page ${pages} leads back to a page seen before`) };
  }
  return pages < maxPages ? step : { next: null, doubt: cut(`it goes on after ${maxPages} pages`) };
}

/** The place in a larger size, where that may be answered. */
function grown(place: Place, sizes: PageSizes, seen: Seen): Place {
  const { number, size } = place;
  if (number === null || (number - 1) * size !== seen.records) return place;
  const larger = sizes.sizeAt(seen.records, size);
  return larger === size || larger > capOf(seen) ? place : resized(place, larger, seen.records);
}

/** A page that is not there; one that no link told of may be refused in other ways, too. */
function isMissing(error: unknown, { toldBy }: Place): boolean {
  if (!(error instanceof ProcoreResponseError)) return false;
  return error.meaning === 'absent' || (toldBy !== 'link' && error.meaning === 'not understood');
}
