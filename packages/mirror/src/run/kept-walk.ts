// A walk over parents may need more calls than a run has, and parents may refuse us for hours. What is left of it then lies in
// `mirror.walks`, from where the next run takes it, in whatever worker:
//
//   under way ──a run is at its end──▶ under way ──all were asked──▶ none is left: the walk is over
//                                                               └──▶ some were passed over: the rest, one round for each run
//
// The rests of a batch are one, so that a parent that refuses us is asked once for all that may be under it.
import { createHash } from 'node:crypto';
import { type CataloguedResource, parentsOf } from '@procore-mirror/catalogue';
import { keepWalk, type TakenWalk, takeVersion, takeWalks, takeWalksLike } from '@procore-mirror/database';
import { z } from 'zod';
import type { BatchRun } from './batch-run.ts';

/** A list that may name more parents: of a whole scope, or of one of the parents' own parents. */
export type ToRead = { entry: CataloguedResource; parentId: string | null };

type Sought = {
  /** When the walk began: later news needs a walk of its own. */
  generation: string;
  /** Taken before the first request. */
  version: string;
  /** It had been missed before the walk began. If not, the walk is no second look at what was missed since. */
  isMissed: boolean;
};

export type ParentWalk = {
  /** The number under which it is kept. */
  version: string;
  /** The records that are looked for. */
  sought: Map<string, Sought>;
  /** Parents to look through, next first, and the lists to read when there are none. */
  parents: string[];
  lists: ToRead[];
  /** Those of them that did not answer, or told too little. */
  left: { parents: string[]; lists: ToRead[] };
  /** A parent that answered. */
  answered: string | null;
  seen: Set<string>;
  /** The parents of parents that lists named, as a run had learnt them when the walk was kept. */
  places: Map<string, string>;
  /** All others were looked through: each run asks those once that were left. */
  isRest: boolean;
  /** Since when it is a rest, in seconds since 1970; null where it is none, or became one just now. */
  restSince: number | null;
  /** Why a parent may not have been looked through. Null: all were. */
  doubt: string | null;
};

const keptList = z.object({ resource: z.string(), parentId: z.string().nullable() });
const pairs = z.array(z.tuple([z.string(), z.string()])).transform((entries) => new Map(entries));

/**
 * A walk as it is kept. Its size is that of the parents: ids of the rows we have of each kind, 10,000 at most, and all that
 * Procore's lists name, so some hundred kilobytes for ten thousand.
 */
const keptPlace = z.object({
  rules: z.string(),
  sought: z
    .array(z.tuple([z.string(), z.object({ generation: z.string(), version: z.string(), isMissed: z.boolean() })]))
    .transform((entries) => new Map(entries)),
  parents: z.array(z.string()),
  lists: z.array(keptList),
  left: z.object({ parents: z.array(z.string()), lists: z.array(keptList) }),
  answered: z.string().nullable(),
  seen: z.array(z.string()).transform((seen) => new Set(seen)),
  places: pairs,
  isRest: z.boolean(),
  doubt: z.string().nullable(),
});

const LONGEST_DOUBT = 1000;

/** Those looked for that are still open and had no news since. */
export function soughtIn(run: BatchRun, { sought }: ParentWalk): string[] {
  const open = run.noted([...sought.keys()]);
  return open.filter(({ id, generation }) => sought.get(id)?.generation === generation).map(({ id }) => id);
}

/**
 * Takes up a kept walk that looks for some of the ids; what it has to do for others stays kept. One that is under way goes first. A rest
 * is taken up only if it has all of the ids: else all are in need of a new walk, which looks through everything for each. Null when
 * there is none, or the settings keep none. A walk that this program cannot read, or that went by other rules, is dropped: to
 * begin anew costs calls and nothing else.
 */
export async function takeUpWalk(run: BatchRun, ids: readonly string[]): Promise<ParentWalk | null> {
  if (!run.settings.keepsWalks) return null;
  const generations = run.noted(ids).map(({ generation }) => generation);
  const taken = await takeWalks(run.settings.database, run.batch, generations);
  const walks = taken.flatMap((kept) => readWalk(run, kept) ?? []);
  const seeks = ({ sought }: ParentWalk) => ids.some((id) => sought.has(id));
  const underWay = walks.find((walk) => !walk.isRest && seeks(walk));
  const rests = walks.filter(({ isRest }) => isRest);
  const rest = rests.length === 0 ? null : rests.reduce(joinRests);
  const isAll = rest !== null && ids.every((id) => rest.sought.has(id));
  for (const walk of walks) if (!walk.isRest && walk !== underWay) await keepWalkOf(run, walk);
  if (underWay === undefined) return rest === null ? null : partFor(run, rest, ids, isAll);
  if (rest !== null) await keepWalkOf(run, rest);
  return partFor(run, underWay, ids, true);
}

/** The walk for these ids alone, if it `goesOn` for them. For all others it is kept as it is. */
async function partFor(
  run: BatchRun,
  walk: ParentWalk,
  ids: readonly string[],
  goesOn: boolean,
): Promise<ParentWalk | null> {
  const [mine, others] = [new Map<string, Sought>(), new Map<string, Sought>()];
  for (const [id, sought] of walk.sought) (ids.includes(id) ? mine : others).set(id, sought);
  await keepWalkOf(run, { ...walk, sought: others });
  if (!goesOn) return null;
  run.recallParents(walk.places);
  const version = others.size === 0 ? walk.version : await takeVersion(run.settings.database);
  return { ...walk, version, sought: mine };
}

/** Keeps a walk for a later run, if the settings say so. */
export async function keepPlace(run: BatchRun, walk: ParentWalk): Promise<void> {
  if (!run.settings.keepsWalks || walk.sought.size === 0) return;
  const own = { ...walk, places: run.learntParents() };
  if (!walk.isRest) return keepWalkOf(run, own);
  const { database } = run.settings;
  const alike = await takeWalksLike(database, run.batch, { isRest: true, rules: rulesOf(run) });
  const others = alike.flatMap((kept) => readWalk(run, kept) ?? []);
  await keepWalkOf(run, others.reduce(joinRests, own));
}

/**
 * What was left of all the parents, to be asked once more by the next run. Records that were deleted need no more than two looks
 * at all the others.
 */
export function restOf(run: BatchRun, walk: ParentWalk): ParentWalk {
  const open = run.noted(soughtIn(run, walk)).filter(({ isDeletedLast }) => !isDeletedLast);
  const ids = open.map(({ id }) => id);
  const { parents, lists } = walk.left;
  const seen = new Set(lists.length === 0 ? [] : walk.seen);
  for (const list of lists) seen.delete(keyOf(list));
  const sought = new Map([...walk.sought].filter(([id]) => ids.includes(id)));
  return { ...walk, sought, parents, lists, left: { parents: [], lists: [] }, seen, isRest: true, doubt: null };
}

/** What a walk remembers of a list that it read. */
export function keyOf({ entry, parentId }: ToRead): string {
  return `${entry.resource} of ${parentId}`;
}

/** Two rests as one. Of a record in both, what the first says goes. */
function joinRests(one: ParentWalk, other: ParentWalk): ParentWalk {
  const parents = [...new Set([...one.parents, ...other.parents])];
  const lists = joinLists(one.lists, other.lists);
  const left = {
    parents: [...new Set([...one.left.parents, ...other.left.parents])].filter((id) => !parents.includes(id)),
    lists: withoutLists(joinLists(one.left.lists, other.left.lists), lists),
  };
  const since = [one.restSince, other.restSince].filter((moment) => moment !== null);
  return {
    ...one,
    sought: new Map([...other.sought, ...one.sought]),
    parents,
    lists,
    left,
    answered: one.answered ?? other.answered,
    seen: joinSeen(one, other),
    places: new Map([...other.places, ...one.places]),
    restSince: since.length === 0 ? null : Math.min(...since),
    doubt: left.parents.length + left.lists.length === 0 ? null : (one.doubt ?? other.doubt),
  };
}

/** One that has no list to read anew does not mind what such a list names. */
function joinSeen(one: ParentWalk, other: ParentWalk): Set<string> {
  const reads = ({ lists, left }: ParentWalk) => lists.length + left.lists.length > 0;
  if (!reads(other)) return one.seen;
  return reads(one) ? one.seen.intersection(other.seen) : other.seen;
}

function joinLists(lists: readonly ToRead[], more: readonly ToRead[]): ToRead[] {
  return [...lists, ...withoutLists(more, lists)];
}

function withoutLists(lists: readonly ToRead[], others: readonly ToRead[]): ToRead[] {
  const keys = new Set(others.map(keyOf));
  return lists.filter((list) => !keys.has(keyOf(list)));
}

async function keepWalkOf(run: BatchRun, { version, restSince, ...walk }: ParentWalk): Promise<void> {
  if (walk.sought.size === 0) return;
  const named = (lists: readonly ToRead[]) =>
    lists.map(({ entry, parentId }) => ({ resource: entry.resource, parentId }));
  const place: z.input<typeof keptPlace> = {
    ...walk,
    rules: rulesOf(run),
    sought: [...walk.sought],
    lists: named(walk.lists),
    left: { parents: walk.left.parents, lists: named(walk.left.lists) },
    seen: [...walk.seen],
    places: [...walk.places],
    doubt: walk.doubt?.slice(0, LONGEST_DOUBT) ?? null,
  };
  const generations = [...walk.sought.values()].map(({ generation }) => generation);
  await keepWalk(run.settings.database, run.batch, { version, generations, place, keptAt: restSince });
}

/** Null when it cannot be read. What it can look for no more is left out. */
function readWalk(run: BatchRun, { version, place, keptAt, pending }: TakenWalk): ParentWalk | null {
  const { success, data } = keptPlace.safeParse(place);
  if (!success || data.rules !== rulesOf(run)) return null;
  const { rules: _, ...walk } = data;
  const listsOf = (lists: readonly z.output<typeof keptList>[]) =>
    lists.flatMap(({ resource: name, parentId }) => {
      const entry = run.settings.catalogue.find(name);
      return entry?.table == null ? [] : [{ entry, parentId }];
    });
  const [lists, left] = [listsOf(walk.lists), listsOf(walk.left.lists)];
  if (lists.length < walk.lists.length || left.length < walk.left.lists.length) return null;
  const isLookedFor = ([id, { generation, isMissed }]: [string, Sought]) =>
    pending.includes(generation) && (isMissed || run.noted([id]).every(({ isSightedAbsent }) => !isSightedAbsent));
  const sought = new Map([...walk.sought].filter(isLookedFor));
  const restSince = walk.isRest ? keptAt : null;
  return { ...walk, sought, lists, left: { ...walk.left, lists: left }, version, restSince };
}

/** How the catalogue has the resource and those above it read. By other rules a walk may have passed over what these find. */
export function rulesOf({ settings: { catalogue }, entry }: BatchRun): string {
  const withParents = (one: CataloguedResource): unknown => [one, parentsOf(catalogue, one).map(withParents)];
  return createHash('sha256')
    .update(JSON.stringify(withParents(entry)))
    .digest('hex');
}
