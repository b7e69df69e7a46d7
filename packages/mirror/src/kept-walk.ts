// A walk over parents may need more calls than a run has. Its place then lies in `mirror.walks`, from where the next run takes it,
// in whatever worker.
import { createHash } from 'node:crypto';
import { keepWalk, takeWalk } from '@procore-mirror/database';
import { z } from 'zod';
import { type BatchRun, openRecords } from './batch-run.ts';
import { type CataloguedResource, parentsOf } from './catalogue/catalogue.ts';

/** A list that may name more parents: of a whole scope, or of one of the parents' own parents. */
export type ToRead = { resource: CataloguedResource; parentId: string | null };

export type ParentWalk = {
  /** The records that are looked for, each with its generation when the walk began: later news needs a walk of its own. */
  sought: ReadonlyMap<string, string>;
  /** Taken before the first request. */
  version: string;
  /** Parents to look through, next first, and the lists to read when there are none. */
  parents: string[];
  lists: ToRead[];
  seen: Set<string>;
  /** The parents of parents that lists named, as in a run. */
  places: Map<string, string>;
  /** Why a parent may not have been looked through: it or a list of parents did not answer, or told too little. Null: all were. */
  doubt: string | null;
};

const pairs = z.array(z.tuple([z.string(), z.string()])).transform((entries) => new Map(entries));

/**
 * A walk as it is kept. Its size is that of the parents: ids of the rows we have of each kind, 10,000 at most, and all that
 * Procore's lists name, so some hundred kilobytes for ten thousand.
 */
const keptPlace = z.object({
  rules: z.string(),
  sought: pairs,
  parents: z.array(z.string()),
  lists: z.array(z.object({ resource: z.string(), parentId: z.string().nullable() })),
  seen: z.array(z.string()).transform((seen) => new Set(seen)),
  places: pairs,
  doubt: z.string().nullable(),
});

const LONGEST_DOUBT = 1000;

/** Those looked for that are still open and had no news since. */
export function soughtIn(run: BatchRun, { sought }: ParentWalk): string[] {
  const open = openRecords(run);
  return [...sought].filter(([id, generation]) => open.get(id)?.generation === generation).map(([id]) => id);
}

/**
 * Takes out a kept walk that looks for open records of the run; null when there is none, or the settings keep none. One that
 * this program cannot read, or that went by other rules, is dropped: to begin anew costs calls and nothing else.
 */
export async function takeUpWalk(run: BatchRun): Promise<ParentWalk | null> {
  while (run.settings.keepsWalks) {
    const kept = await takeWalk(run.settings.database, run.batch, [...openRecords(run).values()]);
    if (kept === null) return null;
    const walk = readWalk(run, kept);
    if (walk !== null && soughtIn(run, walk).length > 0) return walk;
  }
  return null;
}

/** Keeps a walk for a later run, if the settings say so. */
export async function keepPlace(run: BatchRun, { version, ...walk }: ParentWalk): Promise<void> {
  if (!run.settings.keepsWalks) return;
  const place: z.input<typeof keptPlace> = {
    rules: rulesOf(run),
    sought: [...walk.sought],
    parents: walk.parents,
    lists: walk.lists.map(({ resource, parentId }) => ({ resource: resource.resource, parentId })),
    seen: [...walk.seen],
    places: [...walk.places],
    doubt: walk.doubt?.slice(0, LONGEST_DOUBT) ?? null,
  };
  await keepWalk(run.settings.database, run.batch, { version, generations: [...walk.sought.values()], place });
}

function readWalk(run: BatchRun, { version, place }: { version: string; place: unknown }): ParentWalk | null {
  const { success, data } = keptPlace.safeParse(place);
  if (!success || data.rules !== rulesOf(run)) return null;
  const { rules: _, ...walk } = data;
  const lists = walk.lists.flatMap(({ resource: name, parentId }) => {
    const resource = run.settings.catalogue.find(name);
    return resource === undefined ? [] : [{ resource, parentId }];
  });
  return lists.length === walk.lists.length ? { ...walk, lists, version } : null;
}

/** How the catalogue has the resource and those above it read. By other rules a walk may have passed over what these find. */
function rulesOf({ settings: { catalogue }, resource }: BatchRun): string {
  const withParents = (one: CataloguedResource): unknown => [one, parentsOf(catalogue, one).map(withParents)];
  return createHash('sha256')
    .update(JSON.stringify(withParents(resource)))
    .digest('hex');
}
