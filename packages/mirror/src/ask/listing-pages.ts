// The pages of a listing, in the size that its list is known to answer.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { type ListFacts, type ListKey, notePageSize, readListFacts } from '@procore-mirror/database';
import { type AnsweredSize, type Bookmark, expandPath, type ProcoreAnswer } from '@procore-mirror/procore';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { type CheckedPage, checkPage } from '../run/read-answer.ts';
import { isUnderParent, pathValues } from './record-paths.ts';

/** docs/procore.md: Pages and Totals. */
const LARGEST_V2_PAGE = 100;

export type ListingOptions = {
  parentId: string | null;
  searchParams?: readonly (readonly [string, string])[];
  /** Instead of the resource's own list one of its others (`also` in the catalogue), of which nothing is learnt. */
  also?: string | undefined;
  /** Store only these; all when left out. */
  only?: readonly string[];
};

/** A page of a listing that looks as one must. */
export type Page = ProcoreAnswer & CheckedPage;

/**
 * The pages of the resource's list, all of the scope or those of one parent, in the size that is known to be answered. Throws
 * ProcoreFormatError at a page that is no list of records.
 */
export async function* pagesOf(
  run: BatchRun,
  entry: CataloguedResource,
  options: ListingOptions & {
    perPage?: number;
    /** Where an earlier reading stopped. */
    from?: Bookmark | undefined;
    onNext?: (bookmark: Bookmark | null) => void;
    onDoubt?: (issue: string, isCut: boolean) => unknown;
  },
): AsyncGenerator<Page> {
  const { list } = entry;
  if (list === null) throw new Error(`${entry.resource} has no list in the catalogue`);
  const { settings, batch, signal } = run;
  const { parentId, searchParams = [], also, from, onNext, onDoubt } = options;
  const facts = await readListFacts(settings.database.pool, listKey(run, entry, parentId));
  const most = largestPage(run, entry);
  const known = knownSize(most, facts);
  let last: AnsweredSize | null = null;
  let mostRecords = 0;
  const pages = settings.client.pages(expandPath(also ?? list.path, await pathValues(run, entry, parentId)), {
    ...{ companyId: batch.companyId, signal, from, onNext, onDoubt },
    perPage: Math.min(options.perPage ?? most, known.most),
    firstPerPage: Math.min(options.perPage ?? most, known.first),
    answeredPerPage: facts.pageSize,
    usuallyMissing: searchParams.length === 0 && also === undefined ? facts.usuallyMissing : null,
    searchParams: [...(also === undefined ? Object.entries(list.showAll) : []), ...searchParams],
    read: (answer) => ({ ...answer, ...checkPage(answer.text, entry) }),
    onPageSize: (answered) => {
      last = answered;
    },
  });
  try {
    for await (const page of pages) {
      mostRecords = Math.max(mostRecords, page.records);
      yield page;
    }
  } finally {
    if (also === undefined) await keepPageSize(run, entry, { facts, most, last, mostRecords });
  }
}

/** Keeps the size that was answered where a larger one failed, and a larger one than was known where so many records came at once. */
async function keepPageSize(
  run: BatchRun,
  entry: CataloguedResource,
  options: { facts: ListFacts; most: number; last: AnsweredSize | null; mostRecords: number },
): Promise<void> {
  const { facts, most, last, mostRecords } = options;
  if (last === null) return;
  const { size, isSure, hasFailed } = last;
  const isRaised = facts.pageSize !== null && size > facts.pageSize && mostRecords > facts.pageSize;
  if (!hasFailed && !isRaised) return;
  const pageSize = size < most ? size : null;
  await notePageSize(run.settings.database.pool, listKey(run, entry, null), { pageSize, isSure });
}

/** How many records a page of the resource's list is known to hold at most. */
export async function knownPageSize(run: BatchRun, entry: CataloguedResource): Promise<number> {
  const facts = await readListFacts(run.settings.database.pool, listKey(run, entry, null));
  return knownSize(largestPage(run, entry), facts).first;
}

/** The size to begin with, and the largest to try. */
function knownSize(most: number, { pageSize, isLargerDue }: ListFacts): { first: number; most: number } {
  if (pageSize === null) return { first: most, most };
  return isLargerDue
    ? { first: Math.min(most, pageSize * 2), most }
    : { first: Math.min(most, pageSize), most: pageSize };
}

function largestPage({ settings }: BatchRun, entry: CataloguedResource): number {
  return largestPageOf(settings.pageSize, entry);
}

/** Of a list of which nothing else is known. */
export function largestPageOf(pageSize: number, { list }: Pick<CataloguedResource, 'list'>): number {
  return list?.path.startsWith('/rest/v2') === true ? Math.min(pageSize, LARGEST_V2_PAGE) : pageSize;
}

export function listKey(run: BatchRun, entry: CataloguedResource, parentId: string | null): ListKey {
  const isOfParent = isUnderParent(entry, entry.list?.path ?? null);
  return { ...scopeOf(run, entry), resource: entry.resource, parentId: isOfParent ? parentId : null };
}

/** One parameter for each id, or one with all ids in brackets (docs/procore.md: Filters). */
export function idFilter(
  { list }: Pick<CataloguedResource, 'list'>,
  ids: readonly string[],
): (readonly [string, string])[] {
  const spelling = list?.filterByIds ?? null;
  if (spelling === null) return [];
  return spelling.endsWith('[]') ? ids.map((id) => [spelling, id] as const) : [[spelling, `[${ids.join(',')}]`]];
}
