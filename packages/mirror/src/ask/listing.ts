// Listings of a scope or of one parent, page by page.
import { type CataloguedResource, parentsOf } from '@procore-mirror/catalogue';
import {
  findParentIds,
  type ListFacts,
  type ListKey,
  notePageSize,
  noteTotal,
  readListFacts,
} from '@procore-mirror/database';
import { type AnsweredSize, expandPath, type ProcoreAnswer, ProcoreResponseError } from '@procore-mirror/procore';
import { InDoubtError } from '../errors.ts';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { type CheckedPage, checkPage } from '../run/read-answer.ts';

const LARGEST_V2_PAGE = 100;

export type ListingOptions = {
  parentId: string | null;
  searchParams?: readonly (readonly [string, string])[];
  /** Store only these; all when left out. */
  only?: readonly string[];
};

/** A page of a listing that looks as one must. */
export type Page = ProcoreAnswer & CheckedPage;

/** What a listing brought. */
export type Listing = {
  records: number;
  /** Why a record may be missing by accident; null when none can be. */
  doubt: string | null;
  /** Was it not read to its end, or not all of it, as far as is known? */
  isCut: boolean;
  /** By how much its Total is above what came; null when it does not say, or says different things. */
  missing: number | null;
};

/**
 * Reads a listing to its end. `take` gets each page and returns the ids that it took. Pages that shift while they are read
 * can leave a record out; as far as counts tell, `doubt` does. A Total that is above what comes by the same number twice in a
 * row counts what we may not see, and is no doubt.
 */
export async function readListing(
  run: BatchRun,
  resource: CataloguedResource,
  options: ListingOptions,
  take: (page: Page) => Promise<Iterable<string>>,
): Promise<Listing> {
  const taken = new Set<string>();
  const listed = new Set<string>();
  const totals = new Set<number>();
  let [pages, nameless] = [0, 0];
  let countsPages = true;
  const cuts: string[] = [];
  const changes: string[] = [];
  const onDoubt = (issue: string, isCut: boolean) => (isCut ? cuts : changes).push(issue);
  for await (const page of pagesOf(run, resource, { ...options, onDoubt })) {
    for (const id of await take(page)) taken.add(id);
    for (const id of page.ids) listed.add(id);
    if (page.total !== null) totals.add(page.total);
    countsPages &&= page.total === page.records;
    if (page.flaw !== null) cuts.push(page.flaw);
    nameless += page.records - page.ids.length;
    pages += Math.min(1, page.records); // one that only said that there is no more does not count
  }
  const [total = null] = totals;
  const hasChanged = totals.size > 1 && !countsPages;
  const missing = total === null || totals.size > 1 ? null : Math.max(0, total - listed.size - nameless);
  const end = { records: taken.size, isCut: cuts.length > 0, missing };
  const [doubt] = [...cuts, ...changes];
  if (doubt !== undefined) return { ...end, doubt };
  if (hasChanged) return { ...end, doubt: 'it changed while it was read' };
  const isUsual = await isUsualTotal(run, resource, options, { missing, pages });
  return { ...end, doubt: isUsual ? null : `its Total counts ${missing} records more than came` };
}

/** Is what a Total counts beyond what came no sign that a record was left out? */
async function isUsualTotal(
  run: BatchRun,
  resource: CataloguedResource,
  { parentId, searchParams = [] }: ListingOptions,
  { missing, pages }: { missing: number | null; pages: number },
): Promise<boolean> {
  if (missing === null) return true;
  // A filter makes another list of it each time, and one page does not shift while it is read.
  if (searchParams.length > 0) return missing === 0 || pages <= 1;
  return (await noteTotal(run.settings.database.pool, listKey(run, resource, parentId), missing)) || missing === 0;
}

/** For who concludes something from what a listing lacks. Throws InDoubtError when there is a doubt. */
export function insistOnAll({ resource }: CataloguedResource, { doubt }: Pick<Listing, 'doubt'>): void {
  if (doubt !== null) throw new InDoubtError(`the listing of ${resource}`, { issues: [doubt] });
}

/**
 * The pages of the resource's list, all of the scope or those of one parent, in the size that is known to be answered. Throws
 * ProcoreFormatError at a page that is no list of records.
 */
export async function* pagesOf(
  run: BatchRun,
  resource: CataloguedResource,
  options: ListingOptions & { perPage?: number; onDoubt?: (issue: string, isCut: boolean) => unknown },
): AsyncGenerator<Page> {
  const { list } = resource;
  if (list === null) throw new Error(`${resource.resource} has no list in the catalogue`);
  const { settings, batch, signal } = run;
  const { parentId, searchParams = [], onDoubt } = options;
  const facts = await readListFacts(settings.database.pool, listKey(run, resource, parentId));
  const most = largestPage(run, resource);
  const known = knownSize(most, facts);
  let last: AnsweredSize | null = null;
  let mostRecords = 0;
  const pages = settings.client.pages(expandPath(list.path, await pathValues(run, resource, parentId)), {
    ...{ companyId: batch.companyId, signal, onDoubt },
    perPage: Math.min(options.perPage ?? most, known.most),
    firstPerPage: Math.min(options.perPage ?? most, known.first),
    answeredPerPage: facts.pageSize,
    usuallyMissing: searchParams.length === 0 ? facts.usuallyMissing : null,
    searchParams: [...Object.entries(list.showAll), ...searchParams],
    read: (answer) => ({ ...answer, ...checkPage(answer.text, resource) }),
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
    await keepPageSize(run, resource, { facts, most, last, mostRecords });
  }
}

/** Keeps the size that was answered where a larger one failed, and a larger one than was known where so many records came at once. */
async function keepPageSize(
  run: BatchRun,
  resource: CataloguedResource,
  o: { facts: ListFacts; most: number; last: AnsweredSize | null; mostRecords: number },
): Promise<void> {
  if (o.last === null) return;
  const { size, isSure, hasFailed } = o.last;
  const isRaised = o.facts.pageSize !== null && size > o.facts.pageSize && o.mostRecords > o.facts.pageSize;
  if (!hasFailed && !isRaised) return;
  const pageSize = size < o.most ? size : null;
  await notePageSize(run.settings.database.pool, listKey(run, resource, null), { pageSize, isSure });
}

/** How many records a page of the resource's list is known to hold at most. */
export async function knownPageSize(run: BatchRun, resource: CataloguedResource): Promise<number> {
  const facts = await readListFacts(run.settings.database.pool, listKey(run, resource, null));
  return knownSize(largestPage(run, resource), facts).first;
}

/** The size to begin with, and the largest to try. */
function knownSize(most: number, { pageSize, isLargerDue }: ListFacts): { first: number; most: number } {
  if (pageSize === null) return { first: most, most };
  return isLargerDue
    ? { first: Math.min(most, pageSize * 2), most }
    : { first: Math.min(most, pageSize), most: pageSize };
}

function largestPage({ settings }: BatchRun, { list }: CataloguedResource): number {
  return list?.path.startsWith('/rest/v2') === true ? Math.min(settings.pageSize, LARGEST_V2_PAGE) : settings.pageSize;
}

function listKey(run: BatchRun, resource: CataloguedResource, parentId: string | null): ListKey {
  const isOfParent = isUnderParent(resource, resource.list?.path ?? null);
  return { ...scopeOf(run, resource), resource: resource.resource, parentId: isOfParent ? parentId : null };
}

/** Two spellings are documented: one parameter for each id, or one with all ids in brackets (SOURCES: REST behaviour). */
export function idFilter(
  { list }: Pick<CataloguedResource, 'list'>,
  ids: readonly string[],
): (readonly [string, string])[] {
  const spelling = list?.filterByIds ?? null;
  if (spelling === null) return [];
  return spelling.endsWith('[]') ? ids.map((id) => [spelling, id] as const) : [[spelling, `[${ids.join(',')}]`]];
}

/** Can the paths of the resource be filled in for this parent? Those of some need the parent's own parent, too. */
export async function hasPlace(run: BatchRun, resource: CataloguedResource, parentId: string): Promise<boolean> {
  const values = await pathValues(run, resource, parentId, '0');
  return placeholdersOf(resource).every((name) => name in values);
}

/** Does this path of a resource lead to records of one parent only? Then what it lacks may be under another. */
export function isUnderParent({ parent }: CataloguedResource, path: string | null): boolean {
  return parent !== null && path?.includes(`{${parent.key}}`) === true;
}

/** What the placeholders of the resource's paths stand for in this run. */
export async function pathValues(
  run: BatchRun,
  resource: CataloguedResource,
  parentId: string | null,
  id?: string,
): Promise<Record<string, string>> {
  const { companyId, projectId } = run.batch;
  return {
    company_id: companyId,
    ...(projectId === null ? {} : { project_id: projectId }),
    ...(parentId === null ? {} : await ancestorValues(run, resource, parentId, placeholdersOf(resource))),
    ...(id === undefined ? {} : { id }),
  };
}

async function ancestorValues(
  run: BatchRun,
  resource: CataloguedResource,
  parentId: string,
  wanted: readonly string[],
): Promise<Record<string, string>> {
  const key = resource.parent?.key ?? resource.list?.under?.key;
  if (key === undefined) return {};
  const values = { [key]: parentId };
  for (const parent of parentsOf(run.settings.catalogue, resource)) {
    if (parent.parent === null || !wanted.includes(parent.parent.key)) continue;
    const grandparentId = await findParent(run, parent, parentId);
    if (grandparentId !== null) Object.assign(values, await ancestorValues(run, parent, grandparentId, wanted));
  }
  return values;
}

async function findParent(run: BatchRun, resource: CataloguedResource, id: string): Promise<string | null> {
  const known = run.parentOf(resource, id);
  if (known !== null) return known;
  const { companyId, projectId } = run.batch;
  const found = await findParentIds(run.settings.database.pool, resource.table, companyId, projectId, [id]);
  const parentId = found.get(id) ?? null;
  if (parentId !== null) run.learnParent(resource, id, parentId);
  return parentId;
}

function placeholdersOf({ show, list }: CataloguedResource): string[] {
  return [...`${show ?? ''} ${list?.path ?? ''}`.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

/** Gone, or not visible to us. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ProcoreResponseError && error.meaning === 'absent';
}
