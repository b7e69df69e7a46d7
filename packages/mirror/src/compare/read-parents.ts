// The parents by which children are listed. Our rows tell them only as far as these are proved to be all: else the lists of the parents are
// read in the same comparison, those of their own parents first, so that what is under a parent that we lack is not passed over.
import { type CataloguedResource, isListedByParent, isProvable, parentsOf } from '@procore-mirror/catalogue';
import { findLacking, findParentIds, isComparedNow, listDifferences, listIds } from '@procore-mirror/database';
import { type Look, lookAtList } from '../ask/look-at-list.ts';
import { hasPlace } from '../ask/record-paths.ts';
import { isNotFound } from '../plan/judge-failure.ts';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { type Comparison, keepPlace, readingOf } from './comparison.ts';
import { flawOfWhole } from './flaw-of-whole.ts';
import { failureOf } from './look-through.ts';

const MOST_PARENTS = 1_000_000;

/** The parents whose lists are looked at, in the order of their ids. Notes why these may not be all. */
export async function parentsToLookUnder(comparison: Comparison): Promise<string[]> {
  await readParents(comparison);
  const { entry } = comparison.run;
  const { placed, unplaced } = await parentsOfRows(comparison, entry);
  if (isProvable(entry) && unplaced > 0) noteFlaw(comparison, `of ${unplaced} of its parents nobody knows the place`);
  return placed;
}

/** Reads the lists of all that it is listed by, unless they were compared as late as this was asked for. */
async function readParents(comparison: Comparison): Promise<void> {
  const { run, place } = comparison;
  const { settings, entry } = run;
  for (const { resource, id, parentId } of place.parents.found)
    if (parentId !== null) run.learnParent(settings.catalogue.get(resource), id, parentId);
  if (place.parents.isDone || !isProvable(entry)) return;
  const names = entry.table.provedBy?.parents.toReversed() ?? [];
  for (const [index, name] of names.entries()) {
    if (await isComparedNow(settings.database.pool, run.batch, name)) continue;
    await readListsOf(comparison, settings.catalogue.get(name), String(index).padStart(3, '0'));
  }
  await keepPlace(comparison, { parents: { ...comparison.place.parents, isDone: true } });
}

async function readListsOf(comparison: Comparison, above: CataloguedResource, name: string): Promise<void> {
  const lists = isListedByParent(above) ? (await parentsOfRows(comparison, above)).placed : [null];
  for (const under of lists) {
    const part = `${name}/${under ?? ''}`;
    const { after } = comparison.place.parents;
    if (after === null || part > after) await readList(comparison, above, { under, part });
  }
}

async function readList(
  comparison: Comparison,
  above: CataloguedResource,
  { under, part }: { under: string | null; part: string },
): Promise<void> {
  const run = { ...comparison.run.elsewhere({ ...comparison.run.batch, resource: above.resource }), entry: above };
  const ofParents = { ...comparison, run };
  const list = { parentId: under };
  const looked = await lookAtList(run, above, list).catch((error: unknown) => failureOf(comparison, error));
  const flaw =
    looked instanceof Error ? await whyUnread(ofParents, under, looked) : await flawOfWhole(ofParents, list, looked);
  if (flaw !== null) noteFlaw(comparison, `the list of its parents (${above.resource}) proves nothing: ${flaw}`);
  const found = looked instanceof Error ? [] : await foundBy(ofParents, under, looked);
  const { parents } = comparison.place;
  await keepPlace(comparison, { parents: { ...parents, after: part, found: [...parents.found, ...found] } });
}

/** Under a parent without such a list there is nothing, unless we hold something. */
async function whyUnread(ofParents: Comparison, under: string | null, error: Error): Promise<string | null> {
  if (!isNotFound(error) || under === null) return error.message;
  const { pool } = ofParents.run.settings.database;
  const held = await findLacking(pool, readingOf(ofParents), { under, isLive: true });
  return held.length === 0 ? null : error.message;
}

/** Those that no row of ours tells of, or not where they are. */
async function foundBy(
  { run }: Comparison,
  under: string | null,
  { ids }: Look,
): Promise<Comparison['place']['parents']['found']> {
  const { entry, settings } = run;
  const { pool } = settings.database;
  const scope = { ...scopeOf(run, entry), table: entry.table };
  const ours = new Set(await listIds(pool, scope, MOST_PARENTS));
  const places = under === null ? new Map<string, string>() : await findParentIds(pool, scope, [...ids]);
  const found = [...ids].filter((id) => !ours.has(id) || (under !== null && places.get(id) !== under));
  for (const id of found) if (under !== null) run.learnParent(entry, id, under);
  return found.map((id) => ({ resource: entry.resource, id, parentId: under }));
}

/** Those of our rows, those that their own comparison found to be missing, but for those that it found to be gone, and those that were found. */
async function parentsOfRows(
  { run, place }: Comparison,
  entry: CataloguedResource,
): Promise<{ placed: string[]; unplaced: number }> {
  const ids = new Set<string>();
  for (const parent of parentsOf(run.settings.catalogue, entry)) {
    for (const id of await knownIds(run, parent)) ids.add(id);
    for (const { resource, id } of place.parents.found) if (resource === parent.resource) ids.add(id);
  }
  const placed: string[] = [];
  for (const id of ids) if (await hasPlace(run, entry, id)) placed.push(id);
  return { placed: placed.toSorted(), unplaced: ids.size - placed.length };
}

async function knownIds({ batch, settings, learnParent }: BatchRun, parent: CataloguedResource): Promise<Set<string>> {
  const { pool } = settings.database;
  const ids = new Set(await listIds(pool, { ...batch, table: parent.table }, MOST_PARENTS));
  const differences = await listDifferences(pool, { ...batch, resource: parent.resource });
  for (const { id } of differences.filter(({ kind }) => kind === 'extra')) ids.delete(id);
  for (const { id, parentId } of differences.filter(({ kind }) => kind !== 'extra')) {
    ids.add(id);
    if (parentId !== null && isListedByParent(parent)) learnParent(parent, id, parentId);
  }
  return ids;
}

/** It is kept with the next step. */
function noteFlaw(comparison: Comparison, flaw: string): void {
  comparison.place = { ...comparison.place, flaw: comparison.place.flaw ?? flaw };
}
