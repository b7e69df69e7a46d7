// What follows a page of a list, as far as what Procore says of it can be believed: headers may be missing or wrong, links may lead
// elsewhere or round in circles, and servers give fewer records to a page than they are asked for, or take no notice of its number
// (docs/procore.md: Pages and Totals).
import { following, linked, type Place, resized, sizeIn } from './page-place.ts';
import type { ProcoreAnswer } from './procore-answer.ts';

/** What a reader makes of an answer, at least. */
export type ReadPage = {
  /** Of the records on it, as far as they have ids. */
  ids: readonly string[];
  /** How many records it holds, and how many groups where it has them; else as many. */
  records: number;
  groups: number;
};

/** Why a list may have records that did not come. `isCut`: it was not read to its end; else it changed while it was read. */
export type Doubt = { issue: string; isCut: boolean };

/** What follows a page, and why the list may go on if nothing does. */
export type Step = { next: Place | null; doubt: Doubt | null };

/** What has come so far. */
export type Seen = {
  ids: Set<string>;
  /** Those that were asked for. */
  paths: Set<string>;
  pages: number;
  /** Are its pages linked? Then one without a link is the last. */
  hasLinks: boolean;
  records: number;
  badInARow: number;
  /** Of the last page. */
  bytes: number;
  firstIds: readonly string[];
  lastIds: readonly string[];
  /** The size that was asked for last, how many pages of it came, and how many records the first of them had. */
  asked: { size: number; pages: number; first: number };
  /** How many records a page had at most, and did any have fewer than it was asked for? */
  most: number;
  isShort: boolean;
  /** A size of page below the one that was asked for, which a header or a link names. */
  told: number;
  /** Did a page have more than it was asked for? Then it makes no difference what is asked for. */
  ignoresSize: boolean;
  /** Did one hold just as many as it was asked for, when that was less than before? */
  heedsSize: boolean;
  /** Was a place asked for in its first size again, because smaller pages led too far? */
  hasGoneBack: boolean;
};

/**
 * A page that came. `repeats`: it brings no new record. `realSize`: so many the server gives to a page, where that is not what we asked
 * for and the page began elsewhere than was meant. `isBehind`: there are records before it that did not come.
 */
export type Came<P extends ReadPage> = { page: P; repeats: boolean; realSize: number | null; isBehind: boolean };

/** What is known of the list from elsewhere. */
export type Known = {
  /** The largest size that is asked for. */
  perPage: number;
  /** By how much its Total is usually above what comes. */
  usuallyMissing: number | null;
};

export function nothingSeen(): Seen {
  return {
    ids: new Set(),
    paths: new Set(),
    pages: 0,
    hasLinks: false,
    records: 0,
    badInARow: 0,
    bytes: 0,
    firstIds: [],
    lastIds: [],
    asked: { size: 0, pages: 0, first: 0 },
    most: 0,
    isShort: false,
    told: 0,
    ignoresSize: false,
    heedsSize: false,
    hasGoneBack: false,
  };
}

/** More than so many do not come on a page, for all that is known: to ask for more leads to another place than is meant. */
export function capOf({ isShort, most, told }: Seen): number {
  return isShort ? Math.max(most, told) : Number.POSITIVE_INFINITY;
}

/** Takes note of a page that came. */
export function seePage<P extends ReadPage>(page: P, at: Place, answer: ProcoreAnswer, seen: Seen): Came<P> {
  const { ids } = page;
  seen.badInARow = 0;
  seeSize(page, at, answer, seen);
  // Where the server takes no notice of the size, the number of a smaller page led too far.
  const isBehind = seen.ignoresSize && at.change === 'shrunk' && (at.number ?? 1) > 1;
  if (isBehind) return { page, repeats: true, realSize: seen.most, isBehind };
  const repeats = ids.length > 0 && ids.every((id) => seen.ids.has(id));
  const realSize = realSizeOf(page, at, seen);
  if (!repeats) seeRecords(page, seen);
  return { page, repeats, realSize, isBehind };
}

function seeSize(page: ReadPage, { size, change }: Place, { links, perPage }: ProcoreAnswer, seen: Seen): void {
  const most = fullnessOf(page);
  if (seen.asked.size !== size) seen.asked = { size, pages: 0, first: most };
  seen.asked.pages += 1;
  seen.most = Math.max(seen.most, most);
  seen.isShort ||= most < size;
  seen.heedsSize ||= change === 'shrunk' && most === size;
  seen.ignoresSize ||= Math.min(page.records, page.groups) > size;
  for (const told of [perPage, links.next === undefined ? null : sizeIn(links.next)])
    if (told !== null && told < size) seen.told = Math.max(seen.told, told);
}

function seeRecords({ ids, records }: ReadPage, seen: Seen): void {
  if (seen.firstIds.length === 0) seen.firstIds = ids;
  if (ids.length > 0) seen.lastIds = ids;
  const before = seen.ids.size;
  for (const id of ids) seen.ids.add(id);
  // Of pages that overlap, as after a change of size, only what is new; those without an id cannot be told apart.
  seen.records += seen.ids.size - before + records - ids.length;
}

/** Servers count records to a page, or groups. */
function fullnessOf({ records, groups }: ReadPage): number {
  return Math.max(records, groups);
}

/** A server that gives less to a page than it is asked for counts its pages by what it gives: where they begin tells how much. */
function realSizeOf(page: ReadPage, { change, number, size }: Place, seen: Seen): number | null {
  const [first] = page.ids;
  if (change !== 'grown' || number === null || fullnessOf(page) >= size) return null;
  if (first === undefined || !seen.ids.has(first)) return null;
  return Math.max(fullnessOf(page), Math.floor([...seen.ids].indexOf(first) / Math.max(1, number - 1)));
}

/** What follows a page that came. */
export function stepAfter<P extends ReadPage>(
  came: Came<P>,
  at: Place,
  answer: ProcoreAnswer,
  seen: Seen,
  known: Known,
): Step {
  const { page, realSize } = came;
  const { next } = answer.links;
  if (page.records === 0 && page.groups === 0) return { next: null, doubt: null };
  if (next !== undefined && !came.isBehind && !(came.repeats && realSize === null)) {
    seen.hasLinks = true;
    return { next: linked(next, at, Math.min(page.records, page.groups)), doubt: null };
  }
  if (realSize !== null) return stepInRealSize(came, { ...at, size: realSize }, seen);
  if (came.repeats) return { next: null, doubt: doubtOfRepeat(page, at, answer, seen) };
  seen.hasLinks ||= answer.links.isGiven;
  return stepWithoutLink(page, at, answer, seen, known);
}

/** On from what came, unless the page is the last. */
function stepInRealSize({ page, isBehind }: Came<ReadPage>, at: Place, seen: Seen): Step {
  if (fullnessOf(page) < at.size && !isBehind) return { next: null, doubt: null };
  const next = following({ ...at, toldBy: 'fullness' as const, isAfterFull: true });
  return { next: resized(next, at.size, seen.records), doubt: null };
}

function stepWithoutLink(page: ReadPage, at: Place, answer: ProcoreAnswer, seen: Seen, known: Known): Step {
  const { links, total } = answer;
  const toldBy = whatTellsOfMore(page, at, answer, seen, known);
  if (toldBy === null || at.number === null) {
    return { next: null, doubt: links.isBroken ? { issue: 'its next link leads nowhere', isCut: true } : null };
  }
  const isAfterFull = isJustFull(page, at, answer) && total !== seen.records;
  return { next: following({ ...at, toldBy, isAfterFull }), doubt: null };
}

function whatTellsOfMore(
  page: ReadPage,
  at: Place,
  answer: ProcoreAnswer,
  seen: Seen,
  known: Known,
): Place['toldBy'] | null {
  const { links, total } = answer;
  if ((links.lastPage ?? 0) > (at.number ?? 0)) return 'link';
  const missing = total === null ? 0 : total - seen.records;
  if (missing > 0 && missing !== known.usuallyMissing) return 'total';
  // The one before the last may have lost its link, and only a full one is not the last.
  const hasLostLink = !links.isGiven && isJustFull(page, at, answer);
  return (!seen.hasLinks || hasLostLink) && mayBeFull(page, at, answer, seen, known) ? 'fullness' : null;
}

/** Has the page just as many records as were asked for, or as the server says pages have? */
function isJustFull(page: ReadPage, { size }: Place, { perPage }: ProcoreAnswer): boolean {
  return [size, perPage].includes(fullnessOf(page));
}

/**
 * May the list go on after this page, although nothing says so? It is as full as was asked for, or as the server says pages are. Or it
 * is the first of this size and has a round number of records, or has as many as that one: some servers give fewer than they are asked
 * for and do not say so.
 */
function mayBeFull(page: ReadPage, at: Place, answer: ProcoreAnswer, seen: Seen, known: Known): boolean {
  const most = fullnessOf(page);
  const { perPage } = answer;
  // A list that gives more than was ever asked for has no pages.
  if (most > known.perPage && most !== perPage) return false;
  if (most >= Math.min(at.size, perPage || at.size)) return true;
  const { pages, first } = seen.asked;
  const isRound = most % 10 === 0 || most % 25 === 0;
  return saysNothing(answer, seen, known) && (pages === 1 ? isRound : most === first);
}

/**
 * Does the Total say nothing of whether there is more? One below what came is wrong; one that is just that may count the page, unless
 * the server tells how large pages are; and a list whose Total is usually above what comes by as much may show more since.
 */
function saysNothing({ total, perPage }: ProcoreAnswer, { records }: Seen, { usuallyMissing }: Known): boolean {
  if (total === null || total < records) return true;
  return total === records ? perPage === null : total - records === usuallyMissing;
}

/**
 * A page that brings nothing new. Where no link led to it, the last page again is how a server says that there is no more, and
 * the only one again, how one says that it has no pages; unless that held just as many as it may, and there may be more to have.
 */
function doubtOfRepeat({ ids }: ReadPage, at: Place, answer: ProcoreAnswer, seen: Seen): Doubt | null {
  const repeated = { issue: 'a page holds only records of the pages before it', isCut: true };
  if (at.toldBy === 'link') return repeated;
  const isLast = isSame(ids, seen.lastIds);
  if (isLast && !isSame(seen.firstIds, seen.lastIds)) return null;
  if (isLast) return at.isAfterFull && answer.total !== seen.records ? repeated : null;
  // Of a smaller size than the pages before it: it began before their end.
  if (at.number !== null && (at.number - 1) * at.size + ids.length === seen.records) return null;
  return { issue: 'it changed while it was read', isCut: false };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((id, index) => id === others[index]);
}
