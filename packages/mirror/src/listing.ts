// Listings of a scope or of one parent, page by page.
import { findParentIds } from '@procore-mirror/database';
import { expandPath, type ProcoreAnswer, ProcoreFormatError, ProcoreResponseError } from '@procore-mirror/procore';
import type { BatchRun } from './batch-run.ts';
import { type CataloguedResource, parentsOf } from './catalogue/catalogue.ts';
import { type CheckedPage, checkPage, readItems } from './read-answer.ts';
import { storeAnswer } from './store-answer.ts';

const LARGEST_V2_PAGE = 100;

export type ListingOptions = {
  parentId: string | null;
  searchParams?: readonly (readonly [string, string])[];
  /** Store only these; all when left out. */
  only?: readonly string[];
};

/** A page of a listing that looks as one must. */
export type Page = ProcoreAnswer & CheckedPage;

/** What a listing brought. `doubt` says why a record may be missing by accident; null when none can be. */
export type Listing = { records: number; pages: number; doubt: string | null };

/**
 * Reads a listing to its end. `take` gets each page and returns the ids that it took. Pages that shift while they are read
 * can leave a record out; as far as counts tell, `doubt` does.
 */
export async function readListing(
  run: BatchRun,
  resource: CataloguedResource,
  options: ListingOptions,
  take: (page: Page) => Promise<Iterable<string>>,
): Promise<Listing> {
  const seen = new Set<string>();
  const totals = new Set<number>();
  let pages = 0;
  let flaw: string | null = null;
  for await (const page of pagesOf(run, resource, options)) {
    for (const id of await take(page)) seen.add(id);
    if (page.total !== null) totals.add(page.total);
    flaw ??= page.flaw;
    pages += 1;
  }
  const expected = options.only === undefined ? Math.max(0, ...totals) : 0;
  const isShifted = totals.size > 1 || seen.size < expected;
  const doubt = isShifted ? `${seen.size} of ${expected} records came; it changed while it was read` : flaw;
  return { records: seen.size, pages, doubt };
}

/** Stores every page, and tells what came. */
export async function storeListing(
  run: BatchRun,
  resource: CataloguedResource,
  version: string,
  options: ListingOptions,
): Promise<Listing> {
  const { parentId, only = null } = options;
  return readListing(run, resource, options, ({ text, envelope }) =>
    storeAnswer(run, { resource, envelope, version, text, parentId, only }),
  );
}

/** For who concludes something from what a listing lacks. Throws ProcoreFormatError when there is a doubt. */
export function insistOnAll({ resource }: CataloguedResource, { doubt }: Listing): void {
  if (doubt !== null) throw new ProcoreFormatError(`the listing of ${resource}`, { issues: [doubt] });
}

/**
 * The pages of the resource's list, all of the scope or those of one parent. Throws ProcoreFormatError at a page that
 * is no list of records, or holds nothing but records of the pages before: such a list may go on for ever.
 */
export async function* pagesOf(
  run: BatchRun,
  resource: CataloguedResource,
  { parentId, searchParams = [] }: ListingOptions,
): AsyncGenerator<Page> {
  const { list } = resource;
  if (list === null) throw new Error(`${resource.resource} has no list in the catalogue`);
  const { client, pageSize } = run.settings;
  const pages = client.pages(expandPath(list.path, await pathValues(run, resource, parentId)), {
    companyId: run.batch.companyId,
    perPage: list.path.startsWith('/rest/v2') ? Math.min(pageSize, LARGEST_V2_PAGE) : pageSize,
    searchParams: [...Object.entries(list.showAll), ...searchParams],
    signal: run.signal,
  });
  yield* withoutRepeats(pages, resource);
}

async function* withoutRepeats(
  pages: AsyncIterable<ProcoreAnswer>,
  resource: CataloguedResource,
): AsyncGenerator<Page> {
  const seen = new Set<string>();
  let before: ProcoreAnswer | null = null; // read only if another page follows: most lists have one
  for await (const page of pages) {
    const checked = { ...page, ...checkPage(page.text, resource) };
    if (before !== null) {
      for (const { id } of readItems(before.text, resource)) seen.add(id);
      const items = readItems(page.text, resource);
      if (items.length > 0 && items.every(({ id }) => seen.has(id))) {
        throw new ProcoreFormatError(`the listing of ${resource.resource}`, {
          issues: ['a page holds only records of the pages before it'],
        });
      }
    }
    yield checked;
    before = page;
  }
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
  const known = run.parents.get(`${resource.resource}/${id}`);
  if (known !== undefined) return known;
  const { companyId, projectId } = run.batch;
  const found = await findParentIds(run.settings.database.pool, resource.table, companyId, projectId, [id]);
  const parentId = found.get(id) ?? null;
  if (parentId !== null) run.parents.set(`${resource.resource}/${id}`, parentId);
  return parentId;
}

function placeholdersOf({ show, list }: CataloguedResource): string[] {
  return [...`${show ?? ''} ${list?.path ?? ''}`.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

/** 404 or 410: gone, or not visible to us. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ProcoreResponseError && (error.status === 404 || error.status === 410);
}
