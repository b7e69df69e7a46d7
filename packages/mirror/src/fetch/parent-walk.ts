// Children whose parent nobody knows are looked for under one parent after the other: those whose rows mention them first,
// then those with news (a new child mostly changes its parent), those we fetched last, and all that Procore lists. A walk may need more calls than
// a run has: it then stops, and a later run goes on where it stopped. Parents that do not answer are left for later runs.
import { type CataloguedResource, isListedByParent, parentsOf } from '@procore-mirror/catalogue';
import { findMentions, listIds, listPendingIds, takeVersion } from '@procore-mirror/database';
import { insistOnAll, type Listing, readListing } from '../ask/listing.ts';
import { createPassOver, insistOnAny, type PassOver } from '../ask/pass-over.ts';
import { hasPlace } from '../ask/record-paths.ts';
import { isNotFound } from '../plan/judge-failure.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { keepPlace, keyOf, type ParentWalk, restOf, soughtIn, type ToRead, takeUpWalk } from '../run/kept-walk.ts';
import { readItems } from '../run/read-answer.ts';
import { storeAnswer } from '../store/store-answer.ts';

/** A new child mostly changes its parent, so parents fetched in this time may show it. */
const MENTIONED_WITHIN_MS = 3_600_000;
/** A fill is to leave out none, and no project has so many of one kind. */
const MOST_PARENTS = 1_000_000;

/**
 * Visits parents until none of the ids is open any more. Returns the walk when it came to its end before that, so that
 * its records can be concluded on; null when nothing is proved: all were found, or the walk goes on in a later run. What
 * parents that were passed over may hold is in doubt then, and a later run visits only these.
 */
export async function lookThroughParents(
  run: BatchRun,
  ids: readonly string[],
  visit: (parentId: string, sought: readonly string[]) => Promise<void>,
): Promise<ParentWalk | null> {
  const walk = (await takeUpWalk(run, ids)) ?? (await openWalk(run, run.entry, ids));
  const visitFor = (parentId: string) => visit(parentId, soughtIn(run, walk));
  const { answered } = walk;
  const passOver = createPassOver(run.signal, answered === null ? null : () => visitFor(answered));
  let next: ParentWalk | null = walk;
  try {
    for (let step = 1; soughtIn(run, walk).length > 0; step += 1) {
      if (isToStop(run, step)) return null;
      const parentId = await nextParent(run, run.entry, walk, passOver);
      if (parentId === 'none') {
        next = null; // where no parent answered, a later run begins anew
        insistOnAny(passOver);
        if (walk.doubt !== null) next = restOf(run, walk);
        return walk;
      }
      if (parentId === 'a list was read') continue;
      await goPast(walk, passOver, () => visitFor(parentId));
    }
    next = null;
    return null;
  } finally {
    if (next !== null) await keepPlace(run, next);
  }
}

/** Each run goes one step further at least. */
function isToStop(run: BatchRun, step: number): boolean {
  return run.settings.keepsWalks === true && step > 1 && !run.hasCallsLeft();
}

/** Visits the first parent of the walk. Throws when too many did not answer. */
async function goPast(walk: ParentWalk, passOver: PassOver, visit: () => Promise<void>): Promise<void> {
  const { isPassedOver, end } = await passOver.attempt('parent', visit);
  const parentId = walk.parents.shift() ?? null; // also the last of too many, so that a later run goes on behind it
  if (!isPassedOver) walk.answered = parentId;
  else if (parentId !== null) walk.left.parents.push(parentId);
  walk.doubt ??= passOver.troubles[0]?.message ?? null;
  if (end !== null) throw end;
}

/**
 * The ids of all parents of the run's records that have a place, in an order of their own. `areKnown`: our rows tell them all, else the
 * lists of parents are read, too; `passOver` remembers those that tell too little.
 */
export async function allParents(
  run: BatchRun,
  { passOver, areKnown }: { passOver: PassOver; areKnown: boolean },
): Promise<string[]> {
  const { entry } = run;
  const ids: string[] = [];
  const walk = await openWalk(run, entry, [], { most: MOST_PARENTS, lists: areKnown ? [] : null });
  for (;;) {
    const parentId = await nextParent(run, entry, walk, passOver);
    if (parentId === 'none') return ids.toSorted();
    if (parentId === 'a list was read') continue;
    ids.push(parentId);
    walk.parents.shift();
  }
}

/** `most`: so many of each kind are known at most. `lists`: to read instead of all there are. */
async function openWalk(
  run: BatchRun,
  entry: CataloguedResource,
  ids: readonly string[],
  { most = 10_000, lists = null }: { most?: number; lists?: ToRead[] | null } = {},
): Promise<ParentWalk> {
  const version = await takeVersion(run.settings.database);
  const parents: string[] = [];
  const all = parentsOf(run.settings.catalogue, entry);
  for (const { table } of ids.length === 0 ? [] : all) {
    const place = { ...run.batch, table, withinMs: MENTIONED_WITHIN_MS };
    parents.push(...(await findMentions(run.settings.database.pool, place, ids)));
  }
  for (const parent of all) parents.push(...(await knownIds(run, parent, most)));
  const records = run.noted(ids);
  return {
    version,
    sought: new Map(
      records.map(({ id, generation, isSightedAbsent }) => [id, { generation, version, isMissed: isSightedAbsent }]),
    ),
    parents: [...new Set(parents)],
    lists: lists ?? (await listsOfParents(run, entry)),
    left: { parents: [], lists: [] },
    answered: null,
    seen: new Set(parents),
    places: new Map(),
    isRest: false,
    restSince: null,
    doubt: null,
  };
}

async function knownIds(
  { settings, batch }: BatchRun,
  { resource, table }: CataloguedResource,
  most = 10_000,
): Promise<string[]> {
  return [
    ...(await listPendingIds(settings.database.pool, { ...batch, resource }, Math.max(1000, most / 10))),
    ...(await listIds(settings.database.pool, { ...batch, table }, most)),
  ];
}

/** Where a list of parents is one of each of their own parents, these are to be listed, too. */
async function listsOfParents(run: BatchRun, entry: CataloguedResource): Promise<ToRead[]> {
  const lists: ToRead[] = [];
  for (const parent of parentsOf(run.settings.catalogue, entry)) {
    if (parent.list === null || parent.list.shared) continue;
    if (!isListedByParent(parent)) {
      lists.push({ entry: parent, parentId: null });
      continue;
    }
    for (const grandparent of parentsOf(run.settings.catalogue, parent)) {
      for (const parentId of await knownIds(run, grandparent)) lists.push({ entry: parent, parentId });
    }
    lists.push(...(await listsOfParents(run, parent)));
  }
  return lists;
}

/** The parent to look through now; it stays the first of the walk. Reads one list where none is left, or passes over it. */
async function nextParent(
  run: BatchRun,
  entry: CataloguedResource,
  walk: ParentWalk,
  passOver: PassOver,
): Promise<string | 'a list was read' | 'none'> {
  for (let [parentId] = walk.parents; parentId !== undefined; [parentId] = walk.parents) {
    if (await hasPlace(run, entry, parentId)) return parentId;
    // A list may tell later where it is.
    walk.seen.delete(parentId);
    walk.parents.shift();
  }
  const [list] = walk.lists;
  if (list === undefined) return 'none';
  const { isPassedOver, end } = await passOver.attempt('list', () => readList(run, entry, walk, list));
  walk.lists.shift();
  if (isPassedOver) walk.left.lists.push(list);
  walk.doubt ??= passOver.troubles[0]?.message ?? null;
  if (end !== null) throw end;
  return 'a list was read';
}

async function readList(run: BatchRun, entry: CataloguedResource, walk: ParentWalk, list: ToRead): Promise<void> {
  const { catalogue } = run.settings;
  const key = keyOf(list);
  if (walk.seen.has(key)) return;
  const isParent = parentsOf(catalogue, entry).includes(list.entry);
  const children = isParent ? [] : ancestorsListedBy(run, entry, list.entry);
  const { ids, ...listing } = await idsIn(run, list);
  for (const id of ids) {
    if (list.parentId !== null) run.learnParent(list.entry, id, list.parentId);
    for (const child of children) walk.lists.push({ entry: child, parentId: id });
    if (isParent && !walk.seen.has(id)) walk.parents.push(id);
    if (isParent) walk.seen.add(id);
  }
  walk.seen.add(key);
  insistOnAll(list.entry, listing);
}

/** The ancestors of the resource whose lists are of one record of `parent` each. */
function ancestorsListedBy(run: BatchRun, entry: CataloguedResource, parent: CataloguedResource): CataloguedResource[] {
  const parents = parentsOf(run.settings.catalogue, entry);
  const listed = parents.filter(
    (one) => isListedByParent(one) && parentsOf(run.settings.catalogue, one).includes(parent),
  );
  return [...listed, ...parents.flatMap((one) => ancestorsListedBy(run, one, parent))];
}

/** The ids in a list of parents. What it carries whole is stored, so that the next walk knows it. */
async function idsIn(run: BatchRun, list: ToRead): Promise<{ ids: Set<string>; doubt: string | null }> {
  const ids = new Set<string>();
  try {
    const { doubt, isCut } = await readIds(run, list, ids);
    // What a list that changed left out comes with the next reading, and a Total that is off twice is usual.
    return { ids, doubt: doubt === null || isCut ? doubt : (await readIds(run, list, ids)).doubt };
  } catch (error) {
    if (!isNotFound(error)) throw error; // a parent that is gone has no children
    return { ids, doubt: null };
  }
}

async function readIds(run: BatchRun, { entry, parentId }: ToRead, ids: Set<string>): Promise<Listing> {
  const version = await takeVersion(run.settings.database);
  const isWhole = entry.list?.carries === 'whole record';
  return readListing(run, entry, { parentId }, async ({ text, wrapper }) => {
    const answer = { entry, wrapper, version, text, parentId, only: null };
    const found = isWhole ? await storeAnswer(run, answer) : readItems(text, entry).map(({ id }) => id);
    for (const id of found) ids.add(id);
    return found;
  });
}
