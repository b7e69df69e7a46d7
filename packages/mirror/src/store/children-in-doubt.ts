// Children whose parents came back, moved or are gone tell nothing themselves, so they are read again with them.
import {
  type CataloguedResource,
  type Dependent,
  dependentsOf,
  goesWithParent,
  parentsOf,
} from '@procore-mirror/catalogue';
import {
  findGone,
  findLatelyHidden,
  findLeftBehind,
  findMovedAway,
  findNotHere,
  findOrphansDeletedWith,
  findStrayed,
  markPending,
  type NotedRecord,
  noteListsUnder,
  type StoredRecord,
  type Transaction,
} from '@procore-mirror/database';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';

/**
 * Marks children of these parents pending that were buried or hidden with them, or are still where they came from. Those
 * that nobody had read before name no parent: they are guessed. Where no row names its parent, the lists under these are to be read.
 */
export async function lookAtChildren(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  parents: readonly StoredRecord[],
): Promise<void> {
  if (parents.length === 0) return;
  const { projectId } = scopeOf(run, entry);
  await listUnder(
    client,
    run,
    entry,
    parents.map(({ id }) => ({ id, projectId })),
  );
  for (const { entry: child, isSilent } of childrenOf(run, entry)) {
    const place = { ...scopeOf(run, child), table: child.table };
    const found = await findLeftBehind(client, place, parents);
    const silent = isSilent ? await findLatelyHidden(client, place) : [];
    for (const { id, movedFrom } of parents) {
      const deleted = await findOrphansDeletedWith(client, place, { resource: entry.resource, id });
      const orphans = [...silent, ...deleted];
      found.push(...orphans.map((orphan) => ({ id: orphan, parentId: id })));
      if (movedFrom !== null)
        await lookForOrphans(client, run, { child, entry }, { id, ...place }, movedFrom.projectId);
    }
    await lookAt(client, run, child, place.projectId, found);
  }
}

/**
 * Marks children of these parents pending whose rows are still in another project: a parent that nobody had read there does
 * not show that it moved.
 */
export async function lookAtStrayed(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  parents: readonly { id: string; projectId: string | null }[],
): Promise<void> {
  for (const { entry: child } of childrenOf(run, entry)) {
    for (const [projectId, there] of Map.groupBy(parents, (parent) => parent.projectId)) {
      const place = { table: child.table, companyId: run.batch.companyId, projectId };
      const ids = there.map(({ id }) => id);
      await lookAt(client, run, child, projectId, await findStrayed(client, place, ids));
    }
  }
}

/**
 * Marks what was hidden lately in a project that a parent left, or deleted together with it, pending where the parent is: it
 * may have gone along. So may what is listed under it.
 */
export async function lookAtOrphansOf(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  parent: { id: string; projectId: string | null },
): Promise<void> {
  await listUnder(client, run, entry, [parent]);
  for (const { entry: child } of childrenOf(run, entry)) {
    await lookForOrphans(client, run, { child, entry }, parent, run.batch.projectId);
  }
}

async function lookForOrphans(
  client: Transaction,
  run: BatchRun,
  { child, entry }: { child: CataloguedResource; entry: CataloguedResource },
  parent: { id: string; projectId: string | null },
  leftProjectId: string | null,
): Promise<void> {
  if (child.scope === 'company' || leftProjectId === null || leftProjectId === parent.projectId) return;
  const left = { table: child.table, companyId: run.batch.companyId, projectId: leftProjectId };
  const hidden = await findLatelyHidden(client, left);
  const deleted = await findOrphansDeletedWith(client, left, { resource: entry.resource, id: parent.id });
  const found = [...hidden, ...deleted].map((id) => ({ id, parentId: parent.id }));
  await lookAt(client, run, child, parent.projectId, found);
}

/** Those with endpoints of their own, whose rows name their parent. */
function childrenOf({ settings }: BatchRun, entry: CataloguedResource): Dependent[] {
  return dependentsOf(settings.catalogue, entry).filter(({ tie }) => tie === 'row');
}

/** Where no row says what belongs to these records, the lists under them do: they are to be read before the news of them is settled. */
async function listUnder(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  parents: readonly { id: string; projectId: string | null }[],
): Promise<void> {
  if (!dependentsOf(run.settings.catalogue, entry).some(({ tie }) => tie === 'list')) return;
  const { companyId, lane } = run.batch;
  const { resource } = entry;
  for (const [projectId, there] of Map.groupBy(parents, (parent) => parent.projectId)) {
    const key = { companyId, projectId, resource };
    const one = { ...key, parentId: null, isDelete: false, isRelative: true };
    const news = there.map(({ id }) => ({ ...one, recordId: id }));
    const marked = await markPending(client, { news, lane, pace: run.settings, happenedAt: run.happenedAt });
    await noteListsUnder(client, key, marked, { areToBeRead: true });
  }
}

/** Marks those pending that a list under a parent of the run names, and that have no live row here. */
export async function lookAtListed(
  client: Transaction,
  run: BatchRun,
  child: CataloguedResource,
  { parentId, ids }: { parentId: string; ids: readonly string[] },
): Promise<void> {
  const place = { ...scopeOf(run, child), table: child.table };
  const found = await findNotHere(client, place, ids);
  await lookAt(
    client,
    run,
    child,
    place.projectId,
    found.map((id) => ({ id, parentId })),
  );
}

async function lookAt(
  client: Transaction,
  run: BatchRun,
  { resource }: CataloguedResource,
  projectId: string | null,
  records: readonly { id: string; parentId: string | null }[],
): Promise<void> {
  const { companyId, lane } = run.batch;
  const parents = new Map(records.map(({ id, parentId }) => [id, parentId])); // a record is marked once
  const news = [...parents].map(([recordId, parentId]) => ({
    ...{ companyId, projectId, resource, recordId, parentId },
    isDelete: false,
    isRelative: true,
  }));
  await markPending(client, { news, lane, pace: run.settings, happenedAt: run.happenedAt });
}

/**
 * The same records; those that were stored under a parent which a later fetch found gone are to be read again. Children
 * that tell of their own deletion need not be.
 */
export async function doubtOrphans(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  version: string,
  records: readonly StoredRecord[],
): Promise<readonly StoredRecord[]> {
  const parentIds = records.flatMap(({ stored, parentId }) => (stored && parentId !== null ? [parentId] : []));
  if (parentIds.length === 0 || !goesWithParent(entry)) return records;
  const gone = new Set<string>();
  for (const parent of parentsOf(run.settings.catalogue, entry)) {
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
 * Looks for records that are nowhere in the project of the run in the projects where parents went that were here: they
 * may have gone along before anybody read them.
 */
export async function lookWhereParentsWent(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly NotedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  for (const parent of parentsOf(run.settings.catalogue, entry)) {
    const moved = await findMovedAway(client, { ...scopeOf(run, parent), table: parent.table });
    for (const [projectId, parents] of Map.groupBy(moved, (one) => one.projectId)) {
      const parentIds = parents.map(({ id }) => id);
      const only = parentIds.length === 1 ? (parentIds[0] ?? null) : null;
      const found = records.map(({ id }) => {
        const told = run.toldParentOf(entry, id) ?? null;
        return { id, parentId: told !== null && parentIds.includes(told) ? told : only };
      });
      await lookAt(client, run, entry, projectId, found);
    }
  }
}
