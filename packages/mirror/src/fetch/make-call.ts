// Makes one call of a plan and stores what it brings. Whatever the call did not bring stays open in the run.
import { type CataloguedResource, parentsOf } from '@procore-mirror/catalogue';
import { type NotedRecord, noteFirstAbsence, postponeRecords, takeVersion } from '@procore-mirror/database';
import { expandPath, type ProcoreAnswer, ProcoreFormatError } from '@procore-mirror/procore';
import { insistOnAll, type Listing, readListing } from '../ask/listing.ts';
import { idFilter, pagesOf } from '../ask/listing-pages.ts';
import { isUnderParent, pathValues } from '../ask/record-paths.ts';
import { InDoubtError } from '../errors.ts';
import { datesBetween } from '../plan/date-windows.ts';
import { isNotFound, pauseOf } from '../plan/judge-failure.ts';
import type { FetchCall } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { soughtIn } from '../run/kept-walk.ts';
import { checkShow, readHolders, readItems } from '../run/read-answer.ts';
import { concludeAbsent, type Search } from '../store/conclude-absent.ts';
import { storeAnswer } from '../store/store-answer.ts';
import { storeListing } from '../store/store-listing.ts';
import { storePart } from '../store/store-part.ts';
import { placeRecords } from '../store/tell-parents.ts';
import { lookThroughParents } from './parent-walk.ts';

const IDS_PER_CALL = 100;
/** It would be asked for again at once, without end. */
const NOT_STORED = 'the record cannot be stored under this id';

/** `doubt`, `isCut`: of the listings that it read. */
type Look = Search & Pick<Listing, 'doubt' | 'isCut'>;

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
    using shown = await run.settings.client.get(path, { companyId: run.batch.companyId, signal: run.signal });
    const { text } = shown;
    const envelope = checkShow(text, resource, id);
    run.seeAnswer();
    const stored = await storeAnswer(run, { resource, envelope, version, text, parentId, only: [id] });
    if (!stored.has(id))
      throw new ProcoreFormatError(`the show of ${resource.resource} ${id}`, { issues: [NOT_STORED] });
  } catch (error) {
    if (!isNotFound(error)) throw error;
    const under = isUnderParent(resource, resource.show) ? parentId : null;
    await concludeAbsent(run, resource, { version, under }, run.noted([id], resource));
  }
}

async function listByIds(
  run: BatchRun,
  call: Extract<FetchCall, { kind: 'list by ids' | 'refresh by ids' }>,
): Promise<void> {
  const { resource, settings } = run;
  const { parentId, ids } = call;
  if ((resource.list?.filterByIds ?? null) === null) throw new Error(`${resource.resource} cannot be listed by ids`);
  const version = await takeVersion(settings.database);
  const options = { parentId, searchParams: idFilter(resource, ids), perPage: IDS_PER_CALL };
  let listed = 0;
  for await (const { text, envelope, records } of pagesOf(run, resource, options)) {
    const answer = { resource, envelope, version, text, parentId, only: ids };
    if (call.kind === 'list by ids') await storeAnswer(run, answer);
    else await storePart(run, answer);
    listed += records;
    // There are no more, unless the filter was ignored: what came of it says nothing then.
    if (listed >= ids.length) return;
  }
}

/** Stores all that the days hold. Concludes nothing, so it may end as soon as the missing are shown for fewer calls. */
async function listByDates(run: BatchRun, call: Extract<FetchCall, { kind: 'list by dates' }>): Promise<void> {
  const { resource } = run;
  const { parentId, ids } = call;
  const version = await takeVersion(run.settings.database);
  let pages = 0;
  for await (const page of pagesOf(run, resource, { parentId, searchParams: datesBetween(call) })) {
    const { text, envelope } = page;
    await storeAnswer(run, { resource, envelope, version, text, parentId, only: null });
    pages += 1;
    if (run.noted(ids).length <= pagesLeft(page, pages, ids.length)) return;
  }
}

/** At least one; without a Total, one until there were as many pages as there were shows to save. */
function pagesLeft({ total, perPage }: ProcoreAnswer, pages: number, shows: number): number {
  if (total === null || perPage === null) return pages < shows ? 1 : Number.POSITIVE_INFINITY;
  return Math.max(0, Math.ceil(total / Math.max(1, perPage)) - pages);
}

/**
 * A listing lacks these: gone if a delete event says so. Others may be outside what the list shows by default: they are
 * asked for alone where that is possible.
 */
async function listAll(run: BatchRun, call: Extract<FetchCall, { kind: 'list all' }>): Promise<void> {
  const { resource } = run;
  const version = await takeVersion(run.settings.database);
  const only = resource.list?.shared === true ? { only: call.ids } : {};
  const { doubt, isCut } = await storeListing(run, resource, version, { parentId: call.parentId, ...only });
  const under = isUnderParent(resource, resource.list?.path ?? null) ? call.parentId : null;
  const missing = run.noted(call.ids);
  const toConclude = resource.show === null ? missing : missing.filter(({ isDeletedLast }) => isDeletedLast);
  await concludeFrom(run, { version, under, doubt, isCut }, toConclude);
}

/**
 * Concludes from a look that did not find these. One in doubt concludes only what a delete event named, one that did not come
 * to its end only what another look before it did not find either. Throws InDoubtError if others are left.
 */
async function concludeFrom(run: BatchRun, look: Look, records: readonly NotedRecord[]): Promise<void> {
  if ((await concludeSure(run, look, records)).length > 0) throw inDoubt(run, look.doubt);
}

/** The same; returns those that are left. */
async function concludeSure(
  run: BatchRun,
  { doubt, isCut, ...search }: Look,
  records: readonly NotedRecord[],
): Promise<NotedRecord[]> {
  const named = doubt === null ? records : records.filter(({ isDeletedLast }) => isDeletedLast);
  const sure = isCut ? named.filter(({ isSightedAbsent }) => isSightedAbsent) : named;
  await concludeAbsent(run, run.resource, search, sure);
  const { database, absencePauseMs } = run.settings;
  const toSeeAgain = named.filter((record) => !sure.includes(record));
  await noteFirstAbsence(database.pool, run.batch, toSeeAgain, { pauseMs: absencePauseMs });
  return records.filter((record) => !sure.includes(record));
}

function inDoubt({ resource }: BatchRun, doubt: string | null): InDoubtError {
  return new InDoubtError(`the listing of ${resource.resource}`, { issues: [doubt ?? 'it was not read to its end'] });
}

async function showParent(run: BatchRun, { parentId, ids }: Extract<FetchCall, { kind: 'parent' }>): Promise<void> {
  const version = await takeVersion(run.settings.database);
  const holds = await readParent(run, parentOf(run), parentId, version);
  const doubt = holds ? null : `${parentId} has no list in ${run.resource.parent?.embeddedAs}`;
  await concludeFrom(run, { version, under: parentId, doubt, isCut: !holds }, run.noted(ids));
}

/** Shows and stores the parent with the children that it carries. Returns whether it came with its list of them, or is gone. */
async function readParent(run: BatchRun, parent: CataloguedResource, id: string, version: string): Promise<boolean> {
  if (parent.show === null) throw new Error(`${parent.resource} has no show in the catalogue`);
  const path = expandPath(parent.show, await pathValues(run, parent, null, id));
  try {
    using shown = await run.settings.client.get(path, { companyId: run.batch.companyId, signal: run.signal });
    const { text } = shown;
    const envelope = checkShow(text, parent, id);
    run.seeAnswer();
    await storeAnswer(run, { resource: parent, envelope, version, text, parentId: null, only: [id] });
    return readHolders(text, parent, envelope, run.resource.parent?.embeddedAs ?? '').has(id);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await concludeAbsent(run, parent, { version, under: null }, run.noted([id], parent));
    return true;
  }
}

async function listParents(run: BatchRun, call: Extract<FetchCall, { kind: 'all parents' }>): Promise<void> {
  const parent = parentOf(run);
  const field = run.resource.parent?.embeddedAs ?? '';
  if (parent.list?.carries !== 'whole record') {
    return lookFor(run, withAllOpen(run, call.ids), async (id) => {
      const holds = await readParent(run, parent, id, await takeVersion(run.settings.database));
      if (!holds) throw new InDoubtError(`${parent.resource} ${id}`, { issues: [`it has no list in ${field}`] });
    });
  }
  const version = await takeVersion(run.settings.database);
  let lacking = 0;
  const listing = await readListing(run, parent, { parentId: null }, async ({ text, envelope }) => {
    const answer = { resource: parent, envelope, version, text, parentId: null, only: null };
    const ids = await storeAnswer(run, answer);
    lacking += ids.difference(readHolders(text, parent, envelope, field)).size;
    return ids;
  });
  const doubt = listing.doubt ?? (lacking === 0 ? null : `${lacking} have no list in ${field}`);
  const isCut = listing.isCut || lacking > 0;
  await concludeFrom(run, { version, under: null, doubt, isCut }, run.noted(call.ids));
}

/** Items of a list of the whole scope name their parents, so that each record can be shown. */
async function findParents(run: BatchRun, ids: readonly string[]): Promise<void> {
  const { resource } = run;
  const version = await takeVersion(run.settings.database);
  const options = { parentId: null, searchParams: idFilter(resource, ids) };
  const listing = await readListing(run, resource, options, async (page) => {
    const items = readItems(page.text, resource);
    await placeRecords(run, items);
    return items.map(({ id }) => id);
  });
  const notListed = run.noted(ids).filter(({ parentId }) => parentId === null);
  const { doubt, isCut } = listing;
  await concludeFrom(run, { version, under: null, doubt, isCut }, notListed);
}

async function walkParents(run: BatchRun, ids: readonly string[]): Promise<void> {
  const isFiltered = run.resource.list?.carries !== 'whole record' && run.resource.list?.filterByIds !== null;
  const sought = isFiltered ? ids.slice(0, IDS_PER_CALL) : withAllOpen(run, ids);
  await lookFor(run, sought, (parentId, open) => storeChildrenOf(run, parentId, open));
}

async function lookFor(
  run: BatchRun,
  ids: readonly string[],
  visit: (parentId: string, sought: readonly string[]) => Promise<void>,
): Promise<void> {
  const open = run.noted(ids).map(({ id }) => id);
  const walk = open.length === 0 ? null : await lookThroughParents(run, open, visit);
  if (walk === null) return;
  const { doubt } = walk;
  const looks = Map.groupBy(run.noted(soughtIn(run, walk)), ({ id }) => walk.sought.get(id)?.version ?? '0');
  const doubtful: NotedRecord[] = [];
  for (const [version, records] of looks) {
    doubtful.push(...(await concludeSure(run, { version, under: null, doubt, isCut: doubt !== null }, records)));
  }
  if (doubtful.length === 0) return;
  const error = inDoubt(run, doubt);
  await postponeEach(run, doubtful, error.message);
  // Others of the call have another walk: they do not wait as long as these.
  if (run.noted(ids).length === 0) throw error;
}

/** All ids whose parents nobody knows; those that failed often, and so have a call of their own, too. They have their parents in common. */
function withAllOpen(run: BatchRun, ids: readonly string[]): string[] {
  const others = run.wanted().filter(({ parentId }) => parentId === null);
  return [...new Set([...ids, ...others.map(({ id }) => id)])];
}

/** Each with its own pause. Which one it is that a parent does not show, nobody knows. */
async function postponeEach(run: BatchRun, records: readonly NotedRecord[], error: string): Promise<void> {
  const { database, random } = run.settings;
  for (const [attempts, same] of Map.groupBy(records, (record) => record.attempts)) {
    const pauseMs = pauseOf({ reason: 'failing', detail: error, atLeastMs: 0 }, attempts, random);
    await postponeRecords(database.pool, run.batch, same, { pauseMs, error, counts: 'attempt', reread: false });
    run.settled(same);
  }
}

/** Stores the children of one parent: all, where their list carries them whole, else those of the ids. */
async function storeChildrenOf(run: BatchRun, parentId: string, ids: readonly string[]): Promise<void> {
  const { resource } = run;
  try {
    if (resource.list?.carries === 'whole record') {
      insistOnAll(resource, await storeListing(run, resource, await takeVersion(run.settings.database), { parentId }));
      return;
    }
    const found: string[] = [];
    const options = { parentId, searchParams: idFilter(resource, ids) };
    const listing = await readListing(run, resource, options, async (page) => {
      found.push(...page.ids);
      return page.ids;
    });
    // Not while a page is held: each show needs room of its own.
    for (const id of ids)
      if (found.includes(id) && run.noted([id]).length > 0) await showRecord(run, resource, { id, parentId });
    insistOnAll(resource, listing);
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
