// Records that are reached by way of their parents: inside of them, in the lists of them, or in a list that names them.
import { type CataloguedResource, parentsOf } from '@procore-mirror/catalogue';
import { type NotedRecord, postponeRecords, takeVersion } from '@procore-mirror/database';
import { insistOnAll, readListing } from '../ask/listing.ts';
import { idFilter } from '../ask/listing-pages.ts';
import { InDoubtError } from '../errors.ts';
import { isNotFound, pauseOf } from '../plan/judge-failure.ts';
import { type FetchCall, IDS_PER_CALL } from '../plan/plan-fetch.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { soughtIn } from '../run/kept-walk.ts';
import { readHolders, readItems } from '../run/read-answer.ts';
import { storeAnswer } from '../store/store-answer.ts';
import { storeListing } from '../store/store-listing.ts';
import { placeRecords } from '../store/tell-parents.ts';
import { concludeFrom, concludeSure, inDoubt } from './conclude-from.ts';
import { lookThroughParents } from './parent-walk.ts';
import { readParent, showRecord } from './show-record.ts';

export async function showParent(
  run: BatchRun,
  { parentId, ids }: Extract<FetchCall, { kind: 'parent' }>,
): Promise<void> {
  const version = await takeVersion(run.settings.database);
  const holds = await readParent(run, parentOf(run), parentId, version);
  const doubt = holds ? null : `${parentId} has no list in ${run.entry.parent?.embeddedAs}`;
  await concludeFrom(run, { version, under: parentId, doubt, isCut: !holds }, run.noted(ids));
}

export async function listParents(run: BatchRun, call: Extract<FetchCall, { kind: 'all parents' }>): Promise<void> {
  const parent = parentOf(run);
  const field = run.entry.parent?.embeddedAs ?? '';
  if (parent.list?.carries !== 'whole record') {
    return lookFor(run, withAllOpen(run, call.ids), async (id) => {
      const holds = await readParent(run, parent, id, await takeVersion(run.settings.database));
      if (!holds) throw new InDoubtError(`${parent.resource} ${id}`, { issues: [`it has no list in ${field}`] });
    });
  }
  const version = await takeVersion(run.settings.database);
  let lacking = 0;
  const listing = await readListing(run, parent, { parentId: null }, async ({ text, wrapper }) => {
    const answer = { entry: parent, wrapper, version, text, parentId: null, only: null };
    const ids = await storeAnswer(run, answer);
    lacking += ids.difference(readHolders(text, parent, wrapper, field)).size;
    return ids;
  });
  const doubt = listing.doubt ?? (lacking === 0 ? null : `${lacking} have no list in ${field}`);
  const isCut = listing.isCut || lacking > 0;
  await concludeFrom(run, { version, under: null, doubt, isCut }, run.noted(call.ids));
}

/** Items of a list of the whole scope name their parents, so that each record can be shown. */
export async function findParents(run: BatchRun, ids: readonly string[]): Promise<void> {
  const { entry } = run;
  const version = await takeVersion(run.settings.database);
  const options = { parentId: null, searchParams: idFilter(entry, ids) };
  const listing = await readListing(run, entry, options, async (page) => {
    const items = readItems(page.text, entry);
    await placeRecords(run, items);
    return items.map(({ id }) => id);
  });
  const notListed = run.noted(ids).filter(({ parentId }) => parentId === null);
  const { doubt, isCut } = listing;
  await concludeFrom(run, { version, under: null, doubt, isCut }, notListed);
}

export async function walkParents(run: BatchRun, ids: readonly string[]): Promise<void> {
  const isFiltered = run.entry.list?.carries !== 'whole record' && run.entry.list?.filterByIds !== null;
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
  const { entry } = run;
  try {
    if (entry.list?.carries === 'whole record') {
      insistOnAll(entry, await storeListing(run, entry, await takeVersion(run.settings.database), { parentId }));
      return;
    }
    const found: string[] = [];
    const options = { parentId, searchParams: idFilter(entry, ids) };
    const listing = await readListing(run, entry, options, async (page) => {
      found.push(...page.ids);
      return page.ids;
    });
    // Not while a page is held: each show needs room of its own.
    for (const id of ids)
      if (found.includes(id) && run.noted([id]).length > 0) await showRecord(run, entry, { id, parentId });
    insistOnAll(entry, listing);
  } catch (error) {
    if (!isNotFound(error)) throw error; // a parent that is gone has no children to find
  }
}

/** The one resource whose records carry those of the run. */
function parentOf({ entry, settings }: BatchRun): CataloguedResource {
  const [parent] = parentsOf(settings.catalogue, entry);
  if (parent === undefined) throw new Error(`${entry.resource} has no parent in the catalogue`);
  return parent;
}
