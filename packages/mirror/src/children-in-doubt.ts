// Children whose parents came back, moved or are gone tell nothing themselves, so they are read again with them.
import { findGone, findLeftBehind, markPending, type StoredRecord, type Transaction } from '@procore-mirror/database';
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
    const left = await findLeftBehind(client, { ...scope, table: child.table }, parentIds);
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
