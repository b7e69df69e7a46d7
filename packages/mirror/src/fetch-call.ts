// Makes one call of a plan and stores what it brings. Whatever the call did not bring stays open in the run.
import { type NotedRecord, takeVersion } from '@procore-mirror/database';
import { expandPath, type ProcoreAnswer, ProcoreFormatError } from '@procore-mirror/procore';
import { type BatchRun, openRecords } from './batch-run.ts';
import { type CataloguedResource, parentsOf } from './catalogue/catalogue.ts';
import { datesBetween } from './date-windows.ts';
import {
  idFilter,
  insistOnAll,
  isNotFound,
  itemsOf,
  type Listing,
  pagesOf,
  pathValues,
  readListing,
  storeListing,
} from './listing.ts';
import { lookThroughParents, soughtIn } from './parent-walk.ts';
import type { FetchCall } from './plan-fetch.ts';
import { concludeAbsent, placeRecords, readOnceMore, storeAnswer, storePart } from './store-answer.ts';

const IDS_PER_CALL = 100;

/**
 * Makes the call (a walk makes several), stores the answers, and concludes what they prove. Ids of the call that are
 * still open afterwards were not brought and nothing is proved of them. Throws what the client throws.
 */
export async function makeCall(run: BatchRun, call: FetchCall): Promise<void> {
  switch (call.kind) {
    case 'show':
      return showRecord(run, run.resource, call);
    case 'list by ids':
    case 'refresh by ids':
      return listByIds(run, call);
    case 'list all':
      return listAll(run, call);
    case 'list by dates':
      return listByDates(run, call);
    case 'parent':
      return showParent(run, call);
    case 'all parents':
      return listParents(run, call);
    case 'find parents':
      return findParents(run, call.ids);
    case 'walk parents':
      return walkParents(run, call.ids);
  }
}

async function showRecord(
  run: BatchRun,
  resource: CataloguedResource,
  { id, parentId }: { id: string; parentId: string | null },
): Promise<void> {
  if (resource.show === null) throw new Error(`${resource.resource} has no show in the catalogue`);
  const version = await takeVersion(run.settings.database);
  const path = expandPath(resource.show, await pathValues(run, resource, parentId, id));
  try {
    const { text } = await run.settings.client.get(path, { companyId: run.batch.companyId, signal: run.signal });
    const seen = await storeAnswer(run, { resource, from: 'show', version, text, parentId, only: [id] });
    if (!seen.has(id)) {
      throw new ProcoreFormatError(`GET ${path}`, { issues: [`the answer is no record with id ${id}`] });
    }
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const news = run.open.get(resource.resource)?.get(id);
    if (news !== undefined) await concludeAbsent(run, resource, version, [news]);
  }
}

async function listByIds(
  run: BatchRun,
  call: Extract<FetchCall, { kind: 'list by ids' | 'refresh by ids' }>,
): Promise<void> {
  const { resource, settings } = run;
  const { list } = resource;
  if (list === null || list.filterByIds === null) throw new Error(`${resource.resource} cannot be listed by ids`);
  const version = await takeVersion(settings.database);
  const path = expandPath(list.path, await pathValues(run, resource, call.parentId));
  const { text } = await settings.client.get(path, {
    companyId: run.batch.companyId,
    signal: run.signal,
    searchParams: [
      ...Object.entries(list.showAll),
      ...idFilter(resource, call.ids),
      ['per_page', String(IDS_PER_CALL)],
    ],
  });
  const answer = { resource, from: 'list' as const, version, text, parentId: call.parentId, only: call.ids };
  if (call.kind === 'list by ids') await storeAnswer(run, answer);
  else await storePart(run, answer);
}

/** Stores all that the days hold. Concludes nothing, so it may end as soon as the missing are shown for fewer calls. */
async function listByDates(run: BatchRun, call: Extract<FetchCall, { kind: 'list by dates' }>): Promise<void> {
  const { resource } = run;
  const { parentId, ids } = call;
  const version = await takeVersion(run.settings.database);
  let pages = 0;
  for await (const page of pagesOf(run, resource, { parentId, searchParams: datesBetween(call) })) {
    await storeAnswer(run, { resource, from: 'list', version, text: page.text, parentId, only: null });
    pages += 1;
    if (noted(run, ids).length <= pagesLeft(page, pages, ids.length)) return;
  }
}

/** At least one; without a Total, one until there were as many pages as there were shows to save. */
function pagesLeft({ total, perPage }: ProcoreAnswer, pages: number, shows: number): number {
  if (total === null || perPage === null) return pages < shows ? 1 : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.ceil(total / Math.max(1, perPage)) - pages);
}

async function listAll(run: BatchRun, call: Extract<FetchCall, { kind: 'list all' }>): Promise<void> {
  const version = await takeVersion(run.settings.database);
  const only = run.resource.list?.shared === true ? { only: call.ids } : {};
  const listing = await storeListing(run, run.resource, version, { parentId: call.parentId, ...only });
  insistOnAll(run.resource, listing);
  await concludeFromListing(run, version, call, listing);
}

/**
 * A complete listing lacks these: gone if a delete event says so. Others may be outside what the list shows by default,
 * or may have moved to another parent: they are asked for alone, or looked for, where that is possible.
 */
async function concludeFromListing(
  run: BatchRun,
  version: string,
  call: Extract<FetchCall, { kind: 'list all' }>,
  { pages }: Listing,
): Promise<void> {
  const missing = noted(run, call.ids);
  const buried = missing.filter(({ isDelete }) => isDelete);
  await concludeAbsent(run, run.resource, version, buried);
  if (run.resource.show !== null) return;
  const others = missing.filter(({ isDelete }) => !isDelete);
  if (call.parentId === null) await concludeUnlisted(run, version, others, pages === 1);
  else if (others.length > 0)
    await walkParents(
      run,
      others.map(({ id }) => id),
    );
}

/** Pages can shift in ways that no count tells: what several of them lack is looked for once more before that counts. */
async function concludeUnlisted(
  run: BatchRun,
  version: string,
  records: readonly NotedRecord[],
  isSure: boolean,
): Promise<void> {
  const isCertain = ({ reread }: NotedRecord) => isSure || reread;
  await concludeAbsent(run, run.resource, version, records.filter(isCertain));
  const doubtful = records.filter((record) => !isCertain(record)).map(({ id }) => id);
  if (doubtful.length > 0) await readOnceMore(run.settings, run.settings.database.pool, run.batch, doubtful);
}

/** Those of the ids that are still open. */
function noted(run: BatchRun, ids: readonly string[]): NotedRecord[] {
  const open = openRecords(run);
  return ids.flatMap((id) => open.get(id) ?? []);
}

async function showParent(run: BatchRun, call: Extract<FetchCall, { kind: 'parent' }>): Promise<void> {
  const parent = parentOf(run);
  const version = await takeVersion(run.settings.database);
  if (parent.show === null) throw new Error(`${parent.resource} has no show in the catalogue`);
  const path = expandPath(parent.show, await pathValues(run, parent, null, call.parentId));
  try {
    const { text } = await run.settings.client.get(path, { companyId: run.batch.companyId, signal: run.signal });
    await storeAnswer(run, { resource: parent, from: 'show', version, text, parentId: null, only: [call.parentId] });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const news = run.open.get(parent.resource)?.get(call.parentId);
    await concludeAbsent(run, parent, version, news === undefined ? [] : [news]);
  }
  await concludeAbsent(run, run.resource, version, noted(run, call.ids));
}

async function listParents(run: BatchRun, call: Extract<FetchCall, { kind: 'all parents' }>): Promise<void> {
  const parent = parentOf(run);
  if (parent.list?.carries !== 'whole record') {
    return lookFor(run, call.ids, (id) => showRecord(run, parent, { id, parentId: null }));
  }
  const version = await takeVersion(run.settings.database);
  insistOnAll(parent, await storeListing(run, parent, version, { parentId: null }));
  await concludeAbsent(run, run.resource, version, noted(run, call.ids));
}

/** Items of a list of the whole scope name their parents, so that each record can be shown. */
async function findParents(run: BatchRun, ids: readonly string[]): Promise<void> {
  const { resource } = run;
  const version = await takeVersion(run.settings.database);
  const options = { parentId: null, searchParams: idFilter(resource, ids) };
  const listing = await readListing(run, resource, options, async (page) => {
    const items = itemsOf(page, resource);
    await placeRecords(run, items);
    return items.map(({ id }) => id);
  });
  insistOnAll(resource, listing);
  const notListed = noted(run, ids).filter(({ parentId }) => parentId === null);
  await concludeAbsent(run, resource, version, notListed);
}

async function walkParents(run: BatchRun, ids: readonly string[]): Promise<void> {
  const isFiltered = run.resource.list?.carries !== 'whole record' && run.resource.list?.filterByIds !== null;
  const sought = isFiltered ? ids.slice(0, IDS_PER_CALL) : ids;
  await lookFor(run, sought, (parentId, open) => storeChildrenOf(run, parentId, open));
}

async function lookFor(
  run: BatchRun,
  ids: readonly string[],
  visit: (parentId: string, sought: readonly string[]) => Promise<void>,
): Promise<void> {
  const walk = await lookThroughParents(run, ids, visit);
  if (walk === null) return;
  const records = noted(run, soughtIn(run, walk));
  await concludeUnlisted(run, walk.version, records, walk.doubt === null);
}

/** Stores the children of one parent: all, where their list carries them whole, else those of the ids. */
async function storeChildrenOf(run: BatchRun, parentId: string, ids: readonly string[]): Promise<void> {
  const { resource } = run;
  try {
    if (resource.list?.carries === 'whole record') {
      insistOnAll(resource, await storeListing(run, resource, await takeVersion(run.settings.database), { parentId }));
      return;
    }
    for await (const page of pagesOf(run, resource, { parentId, searchParams: idFilter(resource, ids) })) {
      for (const { id } of itemsOf(page, resource)) {
        if (ids.includes(id) && openRecords(run).has(id)) await showRecord(run, resource, { id, parentId });
      }
    }
  } catch (error) {
    if (!isNotFound(error)) throw error; // a parent that is gone has no children to find
  }
}

/** The one resource whose records carry those of the run. */
function parentOf({ resource, settings }: BatchRun): CataloguedResource {
  const [parent] = parentsOf(settings.catalogue, resource);
  if (parent === undefined) throw new Error(`${resource.resource} has no parent in the catalogue`);
  return parent;
}
