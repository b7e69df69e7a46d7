// Children whose parents came back, moved or are gone tell nothing themselves, so they are read again with them.
import {
  findGone,
  findLeftBehind,
  findMovedAway,
  findOrphans,
  markPending,
  type NotedRecord,
  type StoredRecord,
  type Transaction,
} from '@procore-mirror/database';
import { type BatchRun, childrenOf, goesWithParent, scopeOf } from './batch-run.ts';
import { type CataloguedResource, parentsOf } from './catalogue/catalogue.ts';

/** Children that were buried or hidden with these parents, or are still where they came from, tell nothing themselves. */
export async function lookAtChildren(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  parents: readonly StoredRecord[],
): Promise<void> {
  if (parents.length === 0) return;
  const { delayMs, maxWaitMs } = run.settings;
  const parentIds = parents.map(({ id }) => id);
  for (const child of childrenOf(run.settings.catalogue, resource)) {
    const scope = scopeOf(run, child);
    const place = { ...scope, table: child.table };
    const left = await findLeftBehind(client, place, parentIds);
    for (const { id, movedFrom } of parents) {
      if (movedFrom === null || movedFrom.projectId === null || movedFrom.projectId === scope.projectId) continue;
      const orphans = await findOrphans(client, place, movedFrom.projectId);
      left.push(...orphans.map((orphan) => ({ id: orphan, parentId: id })));
    }
    const news = left.map(({ id, parentId }) => ({
      ...{ ...scope, resource: child.resource, recordId: id, parentId },
      isDelete: false,
      isRelative: true,
    }));
    await markPending(client, { news, lane: run.batch.lane, eventId: null, occurredAt: null, delayMs, maxWaitMs });
  }
}

/**
 * The same records; those that were stored under a parent which a later fetch found gone are to be read again. Children
 * that tell of their own deletion need not be.
 */
export async function doubtOrphans(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  version: string,
  records: readonly StoredRecord[],
): Promise<readonly StoredRecord[]> {
  const parentIds = records.flatMap(({ stored, parentId }) => (stored && parentId !== null ? [parentId] : []));
  if (parentIds.length === 0 || !goesWithParent(resource)) return records;
  const gone = new Set<string>();
  for (const parent of parentsOf(run.settings.catalogue, resource)) {
    const place = { ...scopeOf(run, parent), table: parent.table, version };
    for (const id of await findGone(client, place, [...new Set(parentIds)])) gone.add(id);
  }
  return doubtChildrenOf(records, gone);
}

/** The same records; those that were stored under one of these parents are to be read again. */
export function doubtChildrenOf(
  records: readonly StoredRecord[],
  parentIds: ReadonlySet<string>,
): readonly StoredRecord[] {
  return records.map((record) => {
    const isInDoubt = record.stored && record.parentId !== null && parentIds.has(record.parentId);
    return isInDoubt ? { ...record, isWhole: false, toReadAgain: true } : record;
  });
}

/**
 * Looks for records that are nowhere in the project of the run, and whose parent nobody knows, in the projects where
 * parents went that were here: they may have gone along before anybody read them.
 */
export async function lookWhereParentsWent(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  records: readonly NotedRecord[],
): Promise<void> {
  const { resource: name } = resource;
  const orphans = records.filter(({ id }) => (run.toldParents.get(`${name}/${id}`) ?? null) === null);
  if (orphans.length === 0) return;
  const { companyId, lane } = run.batch;
  const { delayMs, maxWaitMs } = run.settings;
  for (const parent of parentsOf(run.settings.catalogue, resource)) {
    const moved = await findMovedAway(client, { ...scopeOf(run, parent), table: parent.table });
    for (const [projectId, parents] of Map.groupBy(moved, (one) => one.projectId)) {
      const [first, ...others] = parents;
      const parentId = others.length === 0 ? (first?.id ?? null) : null;
      const news = orphans.map(({ id }) => ({
        ...{ companyId, projectId, resource: name, recordId: id, parentId },
        isDelete: false,
        isRelative: true,
      }));
      await markPending(client, { news, lane, eventId: null, occurredAt: null, delayMs, maxWaitMs });
    }
  }
}
