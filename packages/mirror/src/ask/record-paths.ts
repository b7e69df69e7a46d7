// What the placeholders of a resource's paths stand for: some need the record's parent, and that one's parent.
import { type CataloguedResource, parentsOf } from '@procore-mirror/catalogue';
import { findParentIds } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';

/** What the placeholders of the resource's paths stand for in this run. */
export async function pathValues(
  run: BatchRun,
  entry: CataloguedResource,
  parentId: string | null,
  id?: string,
): Promise<Record<string, string>> {
  const { companyId, projectId } = run.batch;
  return {
    company_id: companyId,
    ...(projectId === null ? {} : { project_id: projectId }),
    ...(parentId === null ? {} : await ancestorValues(run, entry, parentId, placeholdersOf(entry))),
    ...(id === undefined ? {} : { id }),
  };
}

async function ancestorValues(
  run: BatchRun,
  entry: CataloguedResource,
  parentId: string,
  wanted: readonly string[],
): Promise<Record<string, string>> {
  const key = entry.parent?.key ?? entry.list?.under?.key;
  if (key === undefined) return {};
  const values = { [key]: parentId };
  for (const parent of parentsOf(run.settings.catalogue, entry)) {
    if (parent.parent === null || !wanted.includes(parent.parent.key)) continue;
    const grandparentId = await findParent(run, parent, parentId);
    if (grandparentId !== null) Object.assign(values, await ancestorValues(run, parent, grandparentId, wanted));
  }
  return values;
}

async function findParent(run: BatchRun, entry: CataloguedResource, id: string): Promise<string | null> {
  const known = run.parentOf(entry, id);
  if (known !== null) return known;
  const found = await findParentIds(run.settings.database.pool, { ...run.batch, table: entry.table }, [id]);
  const parentId = found.get(id) ?? null;
  if (parentId !== null) run.learnParent(entry, id, parentId);
  return parentId;
}

function placeholdersOf({ show, list }: CataloguedResource): string[] {
  return [...`${show ?? ''} ${list?.path ?? ''}`.matchAll(/\{([^{}]*)\}/g)].map(([, name = '']) => name);
}

/** Can the paths of the resource be filled in for this parent? Those of some need the parent's own parent, too. */
export async function hasPlace(run: BatchRun, entry: CataloguedResource, parentId: string): Promise<boolean> {
  const values = await pathValues(run, entry, parentId, '0');
  return placeholdersOf(entry).every((name) => name in values);
}

/** Does this path of a resource lead to records of one parent only? Then what it lacks may be under another. */
export function isUnderParent({ parent }: CataloguedResource, path: string | null): boolean {
  return parent !== null && path?.includes(`{${parent.key}}`) === true;
}
