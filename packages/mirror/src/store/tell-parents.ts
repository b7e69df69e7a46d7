// Parents that repeat their children change with them and send no event of their own: they are told of the children's news.
// Most were when the event was recorded; here are those that only a fetch could name.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import {
  findParentIds,
  findProjects,
  findReturned,
  inTransaction,
  type MarkOptions,
  markPending,
  type News,
  type NotedRecord,
  placePending,
  type StoredRecord,
  type Transaction,
} from '@procore-mirror/database';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';

/** Notes the parents that a list named of open records, so that no later run has to look again, and tells them. */
export async function placeRecords(
  run: BatchRun,
  items: readonly { id: string; parentId: string | null }[],
): Promise<void> {
  const { entry, batch } = run;
  const open = new Set(run.noted(items.map(({ id }) => id)).map(({ id }) => id));
  const parents = new Map<string, string>();
  for (const { id, parentId } of items) {
    if (!open.has(id) || parentId === null) continue;
    run.placed(id, parentId);
    parents.set(id, parentId);
  }
  const untold = untoldParents(
    run,
    entry,
    [...parents].map(([id, parentId]) => ({ id, parentId })),
  );
  await inTransaction(run.settings.database, async (client) => {
    await placePending(client, batch, parents);
    await tellParentOf(client, run, entry, untold);
  });
  for (const [id, parentId] of parents) run.parentTold(entry, id, parentId);
}

/**
 * Tells the parents of records that were found under another one than was known when their events came, or that were
 * missing when their parents were told.
 */
export async function tellParentsOfSeen(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  pairs: readonly { record: StoredRecord; note: NotedRecord }[],
): Promise<void> {
  const records = pairs.map(({ record }) => record);
  const late = pairs.filter(({ record, note }) => record.absentSince !== null || note.isSightedAbsent);
  const parentIds = late.flatMap(({ record }) => record.parentId ?? []);
  await tellParentOf(client, run, entry, untoldParents(run, entry, records).union(new Set(parentIds)));
}

/**
 * Tells the parents that records were moved away from: they may show them still. Without news of the record itself not of one
 * that comes back: it may be that both show it, and they would be read in turn for ever.
 */
export async function tellOldParents(
  client: Transaction,
  run: BatchRun,
  child: CataloguedResource,
  records: readonly StoredRecord[],
): Promise<void> {
  const { resource, parent } = child;
  if (parent?.repeatsChild !== true) return;
  const moved = records.filter(({ movedFrom, parentId }) => (movedFrom?.parentId ?? parentId) !== parentId);
  if (moved.length === 0) return;
  const returned = new Set(await findReturned(client, { ...scopeOf(run, child), resource }, moved));
  for (const { id, movedFrom } of moved) {
    if (movedFrom === null || movedFrom.parentId === null) continue;
    const hasNews = run.noted([id], child).some(({ eventId }) => eventId !== null);
    if (returned.has(id) && !hasNews) continue;
    const wasTold = parent.embeddedAs === null && run.toldParentOf(child, id) === movedFrom.parentId;
    if (wasTold && movedFrom.projectId === run.batch.projectId) continue;
    await tellParents(client, run, parent.resource, new Set([movedFrom.parentId]), movedFrom.projectId);
  }
}

/** Marks these records of a resource pending because what they repeat has changed. */
export async function tellParents(
  client: Transaction,
  run: BatchRun,
  resource: string,
  ids: ReadonlySet<string>,
  projectId = run.batch.projectId,
): Promise<void> {
  const { companyId, lane } = run.batch;
  const news = [...ids].map((recordId) => ({
    ...{ companyId, projectId, resource, recordId },
    parentId: null,
    isDelete: false,
    isRelative: true,
  }));
  await markPending(client, { news, lane, pace: run.settings, happenedAt: run.happenedAt });
}

/**
 * Tells what repeats these records, and sends no event of its own, of what nobody was told of them: their parents, and the rows of the same record
 * elsewhere. An event of theirs would have told them (`record-delivery.ts`).
 */
export async function tellRelatives(
  client: Transaction,
  run: BatchRun,
  { parent, alsoChanges, table }: CataloguedResource,
  records: readonly { id: string; parentId: string | null }[],
  how: Pick<MarkOptions, 'lane' | 'happenedAt'>,
): Promise<void> {
  const { companyId, projectId } = run.batch;
  const relatives: Pick<News, 'projectId' | 'resource' | 'recordId'>[] = [];
  if (parent?.repeatsChild === true && parent.embeddedAs === null) {
    const orphans = records.flatMap(({ id, parentId }) => (parentId === null ? id : []));
    const known = await findParentIds(client, { table, companyId, projectId }, orphans);
    const ids = new Set(records.flatMap(({ id, parentId }) => parentId ?? known.get(id) ?? []));
    for (const recordId of ids) relatives.push({ projectId, resource: parent.resource, recordId });
  }
  for (const name of alsoChanges) {
    const other = run.settings.catalogue.get(name);
    for (const { id } of records) {
      const projectIds = await findProjects(client, { table: other.table, companyId, id });
      for (const one of projectIds) relatives.push({ projectId: one, resource: name, recordId: id });
    }
  }
  const news = relatives.map((one) => ({ companyId, ...one, parentId: null, isDelete: false, isRelative: true }));
  await markPending(client, { news, ...how, pace: run.settings });
}

async function tellParentOf(
  client: Transaction,
  run: BatchRun,
  { parent }: CataloguedResource,
  ids: ReadonlySet<string>,
): Promise<void> {
  if (parent === null || !parent.repeatsChild || parent.embeddedAs !== null) return;
  await tellParents(client, run, parent.resource, ids);
}

function untoldParents(
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly { id: string; parentId: string | null }[],
): Set<string> {
  const found = records.flatMap(({ id, parentId }) => {
    const told = run.toldParentOf(entry, id);
    return told === undefined || parentId === null || parentId === told ? [] : [parentId];
  });
  return new Set(found);
}
