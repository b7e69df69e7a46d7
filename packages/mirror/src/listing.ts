// Listings of a scope or of one parent, page by page.
import { listIds, listPendingIds } from '@procore-mirror/database';
import { expandPath, type ProcoreAnswer, ProcoreFormatError, ProcoreResponseError } from '@procore-mirror/procore';
import type { BatchRun } from './batch-run.ts';
import type { CataloguedResource } from './catalogue/catalogue.ts';
import { readIds } from './read-ids.ts';
import { storeAnswer } from './store-answer.ts';

const LARGEST_V2_PAGE = 100;

export type ListingOptions = {
  parentId: string | null;
  searchParams?: readonly (readonly [string, string])[];
};

/**
 * Stores every page and returns how many records came. Throws ProcoreFormatError when pages shifted while they were
 * read, so that an id may be missing by accident.
 */
export async function storeListing(
  run: BatchRun,
  resource: CataloguedResource,
  version: string,
  options: ListingOptions,
): Promise<number> {
  const { parentId } = options;
  const seen = new Set<string>();
  let expected: number | null = null;
  for await (const page of pagesOf(run, resource, options)) {
    for (const id of await storeAnswer(run, { resource, version, text: page.text, parentId, only: null })) seen.add(id);
    expected = page.total ?? expected;
  }
  if (expected !== null && seen.size < expected) {
    throw new ProcoreFormatError(`the listing of ${resource.resource}`, {
      issues: [`${seen.size} of ${expected} records came; it changed while it was read`],
    });
  }
  return seen.size;
}

/** The pages of the resource's list, all of the scope or those of one parent. */
export function pagesOf(
  run: BatchRun,
  resource: CataloguedResource,
  { parentId, searchParams = [] }: ListingOptions,
): AsyncIterable<ProcoreAnswer> {
  const { list } = resource;
  if (list === null) throw new Error(`${resource.resource} has no list in the catalogue`);
  const { client, pageSize } = run.settings;
  return client.pages(expandPath(list.path, pathValues(run, resource, parentId)), {
    companyId: run.batch.companyId,
    perPage: list.path.startsWith('/rest/v2') ? Math.min(pageSize, LARGEST_V2_PAGE) : pageSize,
    searchParams: [...Object.entries(list.showAll), ...searchParams],
    signal: run.signal,
  });
}

/** Parents with news first (a new child mostly changes its parent), then those we fetched last, then all Procore lists. */
export async function* parentsToWalk(run: BatchRun, parent: CataloguedResource): AsyncGenerator<string> {
  const { database } = run.settings;
  const { companyId, projectId } = run.batch;
  const tried = new Set<string>();
  const known = [
    ...(await listPendingIds(database, { ...run.batch, resource: parent.resource }, 1000)),
    ...(await listIds(database.pool, parent.table, companyId, projectId, 10_000)),
  ];
  for (const id of known) {
    if (tried.has(id)) continue;
    tried.add(id);
    yield id;
  }
  if (parent.list === null) return;
  for await (const page of pagesOf(run, parent, { parentId: null })) {
    for (const id of readIds(page.text)) {
      if (tried.has(id)) continue;
      tried.add(id);
      yield id;
    }
  }
}

/** The resource whose records are the parents of the run's. */
export function parentOf({ resource, settings }: BatchRun): CataloguedResource {
  if (resource.parent === null) throw new Error(`${resource.resource} has no parent in the catalogue`);
  return settings.catalogue.get(resource.parent.resource);
}

/** What the placeholders of the resource's paths stand for in this run. */
export function pathValues(
  { batch }: BatchRun,
  { parent }: CataloguedResource,
  parentId: string | null,
  id?: string,
): Record<string, string> {
  return {
    company_id: batch.companyId,
    ...(batch.projectId === null ? {} : { project_id: batch.projectId }),
    ...(parent === null || parentId === null ? {} : { [parent.key]: parentId }),
    ...(id === undefined ? {} : { id }),
  };
}

/** 404 or 410: gone, or not visible to us. */
export function isNotFound(error: unknown): boolean {
  return error instanceof ProcoreResponseError && (error.status === 404 || error.status === 410);
}
