// A list, page by page, as far as what Procore says of it can be believed: headers may be missing or wrong, links may lead
// elsewhere or round in circles, and a page may be too large for Procore or for us.
import { ProcoreResponseError } from './errors.ts';
import { type AnsweredSize, createPageSizes, isAboutSize, type PageSizes } from './page-sizes.ts';
import type { CallPurpose, ProcoreAnswer } from './procore-client.ts';

/** What a reader makes of an answer, at least. */
export type ReadPage = {
  /** Of the records on it, as far as they have ids. */
  ids: readonly string[];
  /** How many records it holds, and how many groups where it has them; else as many. */
  records: number;
  groups: number;
};

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
  /** Told why the list may have records that did not come. */
  onDoubt?: ((issue: string) => unknown) | undefined;
  /** Told of the size of each page that was answered. */
  onPageSize?: ((answered: AnsweredSize) => void) | undefined;
};

/** `expectedBytes`: how large the answer is likely to be, so that there is room for it before it comes. */
export type GetPage = (path: string, o: { isOnlyTry: boolean; expectedBytes: number }) => Promise<ProcoreAnswer>;

/** Where a page stands. `number` is null where a link names none. `isGuess`: nothing but a full page speaks for it. */
type Place = { path: string; number: number | null; size: number; isGuess: boolean };

type Got =
  | { kind: 'answer'; at: Place; answer: ProcoreAnswer }
  /** A record that is larger than an answer may be, or that Procore cannot show. */
  | { kind: 'bad record'; at: Place; error: unknown }
  /** It is not there, or nothing but a full page spoke for it and it cannot be read. */
  | { kind: 'missing'; at: Place; doubt: string | null };

/** What has come so far. */
type Seen = {
  ids: Set<string>;
  /** Those that were asked for. */
  paths: Set<string>;
  pages: number;
  /** Are its pages linked? Then one without a link is the last. */
  hasLinks: boolean;
  /** How many records the first page had. */
  firstPage: number;
  records: number;
  badInARow: number;
  /** Of the last page. */
  bytes: number;
};

/** What follows a page, and why the list may go on if nothing does. */
type Step = { next: Place | null; doubt: string | null };

/** Bad records are passed over; after so many in a row it is not the records that are bad. */
const MOST_BAD_IN_A_ROW = 3;

/** The pages of a list from the path of its first one, one request each, as `ProcoreClient.pages` promises. */
export async function* pagesOf<P extends ReadPage>(
  get: GetPage,
  listPath: string,
  o: PagesOptions<P>,
): AsyncGenerator<P, void, undefined> {
  const { perPage, onDoubt = () => {}, onPageSize = () => {} } = o;
  const sizes = createPageSizes({ wanted: perPage, answered: o.answeredPerPage ?? null, onAnswer: onPageSize });
  const seen: Seen = {
    ids: new Set(),
    paths: new Set(),
    pages: 0,
    hasLinks: false,
    firstPage: 0,
    records: 0,
    badInARow: 0,
    bytes: 0,
  };
  const first = { path: listPath, number: 1, size: o.firstPerPage ?? perPage, isGuess: false };
  for (let place: Place | null = resized(first, first.size, 0); place !== null; ) {
    const got: Got = await getOrMiss(get, place, sizes, seen);
    using _ = got.kind === 'answer' ? got.answer : null;
    seen.pages += 1;
    const page = readPage(got, o.read, seen);
    const { next, doubt } = endless(stepAfter(got, page, seen, o.usuallyMissing ?? null), seen, o.maxPages ?? 10_000);
    if (doubt !== null) onDoubt(doubt);
    if (page !== null && page !== 'repeats') yield page;
    place = next === null ? null : grown(next, sizes, seen);
  }
}

function readPage<P extends ReadPage>(got: Got, read: PagesOptions<P>['read'], seen: Seen): P | 'repeats' | null {
  if (got.kind === 'missing') return null;
  if (got.kind === 'bad record') {
    seen.badInARow += 1;
    seen.records += 1;
    return null;
  }
  seen.badInARow = 0;
  seen.bytes = got.answer.text.bytes.length;
  const page = read(got.answer);
  if (page.ids.length > 0 && page.ids.every((id) => seen.ids.has(id))) return 'repeats';
  if (seen.pages === 1) seen.firstPage = page.records;
  const before = seen.ids.size;
  for (const id of page.ids) seen.ids.add(id);
  // Of pages that overlap, as after a change of size, only what is new; those without an id cannot be told apart.
  seen.records += seen.ids.size - before + page.records - page.ids.length;
  return page;
}

/** The page, unless it is not there. One that cannot be read although only a full page spoke for it may not be there either. */
async function getOrMiss(get: GetPage, place: Place, sizes: PageSizes, seen: Seen): Promise<Got> {
  try {
    const got = await getSized(get, place, sizes, seen);
    if (got.kind === 'bad record' && seen.badInARow >= MOST_BAD_IN_A_ROW) throw got.error;
    return got;
  } catch (error) {
    if (seen.pages > 0 && isMissing(error, place)) {
      return { kind: 'missing', at: place, doubt: place.isGuess ? null : `page ${seen.pages + 1} was not found` };
    }
    if (!place.isGuess || !isAboutSize(error)) throw error;
    return { kind: 'missing', at: place, doubt: 'the page after a full one cannot be read' };
  }
}

/** The page, in a smaller size if it is too large as it is. */
async function getSized(get: GetPage, place: Place, sizes: PageSizes, seen: Seen): Promise<Got> {
  seen.paths.add(place.path);
  let firstError: unknown = null;
  for (let at = place; ; seen.paths.add(at.path)) {
    try {
      const answer = await get(at.path, { isOnlyTry: sizes.isTrial(at.size), expectedBytes: seen.bytes });
      sizes.sawAnswer(at.size);
      return { kind: 'answer', answer, at };
    } catch (error) {
      firstError ??= error;
      const size = sizes.afterFailure(at.size, error);
      if (size === null) return badRecord(at, { firstError, error }, sizes);
      at = resized(at, size, seen.records);
    }
  }
}

/** A record that fails alone, where others were answered, is passed over. Throws what else went wrong. */
function badRecord(at: Place, { firstError, error }: { firstError: unknown; error: unknown }, sizes: PageSizes): Got {
  if (!isAboutSize(error)) throw error;
  if (at.number === null || !sizes.hasAnswered()) throw firstError;
  sizes.forgetFailure();
  return { kind: 'bad record', at, error: firstError };
}

function stepAfter(got: Got, page: ReadPage | 'repeats' | null, seen: Seen, usuallyMissing: number | null): Step {
  const { at } = got;
  if (got.kind === 'missing') return { next: null, doubt: got.doubt };
  if (page === 'repeats') return { next: null, doubt: 'a page holds only records of the pages before it' };
  if (got.kind === 'bad record' || page === null) {
    return { next: following(at, at.isGuess), doubt: 'one of its records cannot be read' };
  }
  return page.records === 0 && page.groups === 0
    ? { next: null, doubt: null }
    : stepAfterRecords(got, page, seen, usuallyMissing);
}

function stepAfterRecords(
  got: Extract<Got, { kind: 'answer' }>,
  page: ReadPage,
  seen: Seen,
  usuallyMissing: number | null,
): Step {
  const { at } = got;
  const { links, total } = got.answer;
  seen.hasLinks ||= links.isGiven;
  if (links.next !== undefined) return { next: linked(links.next, at), doubt: null };
  const missing = total === null ? 0 : total - seen.records;
  const isTold = (missing > 0 && missing !== usuallyMissing) || (links.lastPage ?? 0) > (at.number ?? 0);
  const isGuessed = !seen.hasLinks && mayBeFull(page, at, got.answer, seen);
  const next = isTold || isGuessed ? following(at, !isTold) : null;
  return { next, doubt: next === null && links.isBroken ? 'its next link leads nowhere' : null };
}

/**
 * May the list go on after this page, although nothing says so? It is as full as was asked for, or as the server says pages are; or it
 * is the first and has a round number of records, or has as many as the first: some servers give fewer than they are asked for and
 * do not say so.
 */
function mayBeFull(
  { records, groups }: ReadPage,
  { size }: Place,
  { total, perPage }: ProcoreAnswer,
  { pages, firstPage }: Seen,
): boolean {
  const most = Math.max(records, groups);
  if (most > size) return false; // a list that gives more than was asked for has no pages
  const isRound = most % 10 === 0 || most % 25 === 0;
  const isLikeFirst = pages === 1 ? isRound : records === firstPage;
  return most >= Math.min(size, perPage || size) || (total === null && isLikeFirst);
}

function endless(step: Step, { paths, pages }: Seen, maxPages: number): Step {
  if (step.next === null) return step;
  if (paths.has(step.next.path)) {
    return { next: null, doubt: `the next link of page ${pages} leads back to a page seen before` };
  }
  return pages < maxPages ? step : { next: null, doubt: `it goes on after ${maxPages} pages` };
}

/** Where a link leads; one that asks for larger pages than we do, as some always do, only says that there is another. */
function linked(path: string, at: Place): Place | null {
  const query = new URLSearchParams(splitPath(path)[1]);
  const size = readNumber(query.get('per_page')) ?? at.size;
  if (size > at.size && at.number !== null) return following(at);
  return { path, number: readNumber(query.get('page')), size, isGuess: false };
}

function following({ path, number, size }: Place, isGuess = false): Place | null {
  return number === null ? null : { path: withQuery(path, { page: number + 1 }), number: number + 1, size, isGuess };
}

/** The place in a larger size, where that may be answered. */
function grown(place: Place, sizes: PageSizes, { records }: Seen): Place {
  if (place.number === null || (place.number - 1) * place.size !== records) return place;
  const size = sizes.sizeAt(records, place.size);
  return size === place.size ? place : resized(place, size, records);
}

/** Begins no later than after the records that came: the server may give fewer to a page than it is asked for. */
function resized({ path, number, size, isGuess }: Place, to: number, records: number): Place {
  const newNumber = number === null ? null : Math.floor(Math.min((number - 1) * size, records) / to) + 1;
  const page = newNumber === null || newNumber === 1 ? {} : { page: newNumber };
  const resizedPath = withQuery(newNumber === 1 ? withoutPage(path) : path, { per_page: to, ...page });
  return { path: resizedPath, number: newNumber, size: to, isGuess };
}

function withoutPage(path: string): string {
  const [start, query] = splitPath(path);
  const searchParams = new URLSearchParams(query);
  searchParams.delete('page');
  return `${start}?${searchParams}`;
}

function withQuery(path: string, values: Record<string, number>): string {
  const [start, query] = splitPath(path);
  const searchParams = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) searchParams.set(name, String(value));
  return `${start}?${searchParams}`;
}

function splitPath(path: string): [string, string] {
  const at = path.indexOf('?');
  return at === -1 ? [path, ''] : [path.slice(0, at), path.slice(at + 1)];
}

function readNumber(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

/** A page that is not there; one that was only guessed may be refused in other ways, too. */
function isMissing(error: unknown, { isGuess }: Place): boolean {
  if (!(error instanceof ProcoreResponseError)) return false;
  return error.meaning === 'absent' || (isGuess && error.meaning === 'not understood');
}
