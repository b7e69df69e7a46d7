// The lists that a resource is compared by.
import { isListedByParent, parentsOf } from '@procore-mirror/catalogue';
import { listDifferences, listIds } from '@procore-mirror/database';
import { hasPlace } from '../ask/record-paths.ts';
import type { BatchRun } from '../run/batch-run.ts';
import type { Part } from './comparison.ts';

const MOST_PARENTS = 1_000_000;

type Search = readonly (readonly [string, string])[];

/** The lists, in the order of their names: of all, each asked with one of `searches`, and further ones; or of each parent. */
export async function listParts(run: BatchRun, searches: readonly Search[]): Promise<Part[]> {
  const { entry } = run;
  const { list } = entry;
  if (list === null || list.shared) return [];
  if (isListedByParent(entry)) {
    const [searchParams = []] = searches;
    return (await parentsOfRun(run)).map((parentId) => ({ name: parentId, parentId, searchParams }));
  }
  const own: Partial<Part>[] = searches.map((searchParams) => ({ searchParams }));
  const parts = [...own, ...list.also.map((also) => ({ also }))];
  return parts.map((part, index) => ({ ...part, name: String(index).padStart(3, '0'), parentId: null }));
}

/** Those of our rows, and those that their own comparison found to be missing, but for those that it found to be gone. */
async function parentsOfRun(run: BatchRun): Promise<string[]> {
  const { batch, entry, settings } = run;
  const { pool } = settings.database;
  const ids = new Set<string>();
  for (const { table, resource } of parentsOf(settings.catalogue, entry)) {
    for (const id of await listIds(pool, { ...batch, table }, MOST_PARENTS)) ids.add(id);
    const differences = await listDifferences(pool, { ...batch, resource });
    for (const { id, kind } of differences) {
      if (kind === 'extra') ids.delete(id);
      else ids.add(id);
    }
  }
  const placed: string[] = [];
  for (const id of ids) if (await hasPlace(run, entry, id)) placed.push(id);
  return placed.toSorted();
}
