// A list, page by page, as far as what Procore says of it can be believed: headers may be missing or wrong, links may lead
// elsewhere or round in circles, and a page may be too large for Procore or for us.
import { ProcoreResponseError, ProcoreTooLargeError } from './errors.ts';
import { createPageSizes, type PageSizes } from './page-sizes.ts';
import type { CallPurpose, ProcoreAnswer } from './procore-client.ts';

/** What a reader makes of an answer: at least how many records the page holds; null when it cannot tell. */
export type ReadPage = { count: number | null };

export type PagesOptions<P extends ReadPage> = {
  companyId: string;
  signal?: AbortSignal | undefined;
  purpose?: CallPurpose | undefined;
  /** How many records a page is to have at most. */
  perPage: number;
  /** The names of the fields to read; see `get`. */
  fields?: ReadonlySet<string> | undefined;
  /** A size that was answered before, to go back to when `perPage` is too large. */
  answeredPerPage?: number | undefined;
  /** 10,000 when not given. */
  maxPages?: number | undefined;
  read: (answer: ProcoreAnswer) => P;
  /** Told why the list may have records that did not come. */
  onDoubt?: ((issue: string) => void) | undefined;
  /** Told of the size of page that was answered right after a larger one failed. */
  onSmallerPages?: ((perPage: number) => void) | undefined;
};

/** `expectedBytes`: how large the answer is likely to be, so that there is room for it before it comes. */
export type GetPage = (path: string, o: { isOnlyTry: boolean; expectedBytes: number }) => Promise<ProcoreAnswer>;

/** Where a page stands. `number` is null where a link names none. */
type Place = { path: string; number: number | null; size: number };

type Got =
  | { kind: 'answer'; at: Place; answer: ProcoreAnswer }
  /** A record that is larger than an answer may be. */
  | { kind: 'too large'; at: Place; error: unknown }
  | { kind: 'missing' };

/** What follows a page, and why the list may go on if nothing does. */
type Step = { next: Place | null; doubt: string | null };

/** Records that are too large are passed over; after so many the list is given up. */
const MOST_PASSED_OVER = 10;

/** The pages of a list from the path of its first one, one request each, as `ProcoreClient.pages` promises. */
export async function* pagesOf<P extends ReadPage>(
  get: GetPage,
  listPath: string,
  o: PagesOptions<P>,
): AsyncGenerator<P, void, undefined> {
  const { perPage, answeredPerPage = null, maxPages = 10_000, onDoubt = () => {}, onSmallerPages = () => {} } = o;
  const sizes = createPageSizes({ wanted: perPage, answered: answeredPerPage, onSmaller: onSmallerPages });
  const asked = new Set<string>();
  const seen = { records: 0, passedOver: 0, bytes: 0 };
  let place: Place | null = resized({ path: listPath, number: 1, size: perPage }, perPage);
  for (let pages = 1; place !== null; pages += 1) {
    const got: Got = await getSized(get, place, { sizes, isFirst: pages === 1, expectedBytes: seen.bytes });
    if (got.kind === 'missing') return onDoubt(`page ${pages} was not found`);
    using _ = got.kind === 'answer' ? got.answer : null;
    asked.add(place.path).add(got.at.path);
    const page = readPage(got, o.read, seen);
    const step = endless(stepAfter(got, page?.count ?? null, seen.records), { asked, pages, maxPages });
    if (step.doubt !== null) onDoubt(step.doubt);
    if (page !== null) yield page;
    place = step.next === null ? null : grown(step.next, sizes);
  }
}

function readPage<P extends ReadPage>(
  got: Exclude<Got, { kind: 'missing' }>,
  read: PagesOptions<P>['read'],
  seen: { records: number; passedOver: number; bytes: number },
): P | null {
  if (got.kind === 'too large') {
    seen.passedOver += 1;
    if (seen.passedOver > MOST_PASSED_OVER) throw got.error;
    return null;
  }
  seen.bytes = got.answer.text.bytes.length;
  const page = read(got.answer);
  seen.records += page.count ?? 0;
  return page;
}

/** The page, in a smaller size if it is too large as it is. */
async function getSized(
  get: GetPage,
  place: Place,
  { sizes, isFirst, expectedBytes }: { sizes: PageSizes; isFirst: boolean; expectedBytes: number },
): Promise<Got> {
  let firstError: unknown = null;
  for (let at = place; ; ) {
    try {
      const answer = await get(at.path, { isOnlyTry: sizes.isTrial(at.size), expectedBytes });
      sizes.sawAnswer(at.size);
      return { kind: 'answer', answer, at };
    } catch (error) {
      if (!isFirst && isMissing(error)) return { kind: 'missing' };
      firstError ??= error;
      const size = sizes.afterFailure(at.size, error);
      if (size !== null) at = resized(at, size);
      else if (!(error instanceof ProcoreTooLargeError) || at.number === null) throw firstError;
      else {
        sizes.forgetFailure();
        return { kind: 'too large', at, error };
      }
    }
  }
}

/** `count` records were on the page, `records` on all so far. */
function stepAfter(got: Exclude<Got, { kind: 'missing' }>, count: number | null, records: number): Step {
  const { at } = got;
  if (got.kind === 'too large') return { next: following(at), doubt: 'one of its records is too large to be read' };
  const { links, total } = got.answer;
  const perPage = got.answer.perPage || null; // 0 says nothing
  if (count === 0) return { next: null, doubt: null };
  if (links.next !== undefined) return { next: linked(links.next, at), doubt: null };
  const isCounted =
    total !== null && (perPage === null || at.number === null ? records < total : at.number * perPage < total);
  const isFull = count !== null && count >= Math.min(at.size, perPage ?? at.size);
  // A list whose pages are linked says so on its last one, too; one that gives more than was asked for has no pages.
  const mayGoOn = isFull && !links.isGiven && count <= at.size;
  const next = isCounted || mayGoOn ? following(at) : null;
  const isLost = next === null && links.isBroken;
  return { next, doubt: isLost ? 'its next link leads nowhere' : null };
}

function endless(step: Step, o: { asked: ReadonlySet<string>; pages: number; maxPages: number }): Step {
  if (step.next === null) return step;
  if (o.asked.has(step.next.path)) {
    return { next: null, doubt: `the next link of page ${o.pages} leads back to a page seen before` };
  }
  return o.pages < o.maxPages ? step : { next: null, doubt: `it goes on after ${o.maxPages} pages` };
}

function linked(path: string, { size }: Place): Place {
  const query = new URLSearchParams(path.split('?')[1]);
  return { path, number: readNumber(query.get('page')), size: readNumber(query.get('per_page')) ?? size };
}

function following({ path, number, size }: Place): Place | null {
  return number === null ? null : { path: withQuery(path, { page: number + 1 }), number: number + 1, size };
}

/** The place in a larger size, where that may be answered. */
function grown(place: Place, sizes: PageSizes): Place {
  const size = place.number === null ? place.size : sizes.sizeAt((place.number - 1) * place.size, place.size);
  return size === place.size ? place : resized(place, size);
}

function resized({ path, number, size }: Place, to: number): Place {
  const newNumber = number === null ? null : Math.floor(((number - 1) * size) / to) + 1;
  const page = newNumber === null || newNumber === 1 ? {} : { page: newNumber };
  return { path: withQuery(path, { per_page: to, ...page }), number: newNumber, size: to };
}

function withQuery(path: string, values: Record<string, number>): string {
  const [start, query] = path.split('?');
  const searchParams = new URLSearchParams(query);
  for (const [name, value] of Object.entries(values)) searchParams.set(name, String(value));
  return `${start}?${searchParams}`;
}

function readNumber(text: string | null): number | null {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

function isMissing(error: unknown): boolean {
  return error instanceof ProcoreResponseError && (error.status === 404 || error.status === 410);
}
