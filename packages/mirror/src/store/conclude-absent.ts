// What follows when Procore shows a record no more. One answer that lacks it may come from a copy that lags, from a filter
// or from the wrong place; so without a delete event it counts when two runs, some seconds apart, did not find it
// (docs/procore.md: Deletion).
import { type CataloguedResource, dependentsOf, parentsOf } from '@procore-mirror/catalogue';
import {
  findFormerPlaces,
  findMentions,
  inTransaction,
  type Marked,
  markAbsent,
  markAbsentChildren,
  markPending,
  type NotedRecord,
  noteFirstAbsence,
  settleRecords,
  type Transaction,
} from '@procore-mirror/database';
import { insistOnPlace } from '../ask/witness.ts';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { lookAtOrphansOf, lookAtStrayed, lookWhereParentsWent } from './children-in-doubt.ts';
import { tellParents } from './tell-parents.ts';

/** A look that did not find a record. */
export type Search = {
  /** The number taken before its first request. */
  version: string;
  /** The parent under which it looked; null: all of the company or project. */
  under: string | null;
};

/**
 * Concludes from a look that did not find these records. Where that is enough, each is buried (a delete event is among its
 * news) or hidden, and its news is settled; what may live elsewhere, or may not be there yet, is looked for once more.
 * Throws ProcoreUnreachableError when nothing of the place answers.
 */
export async function concludeAbsent(
  run: BatchRun,
  entry: CataloguedResource,
  search: Search,
  records: readonly NotedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const guessed = records.filter(({ isDeletedLast }) => !isDeletedLast);
  const isLast = guessed.some((record) => isSure(run, search, record));
  if (guessed.length > 0) await insistOnPlace(run, entry, guessed, { isLast });
  await inTransaction(run.settings.database, (client) => concludeAbsentIn(client, run, entry, search, records));
  run.settled(records, entry);
  run.absent(records.filter((record) => isSure(run, search, record)).length);
}

/** The same as part of a transaction; whoever calls it takes the records out of the open ones when that has ended. */
export async function concludeAbsentIn(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  search: Search,
  records: readonly NotedRecord[],
): Promise<void> {
  const { absencePauseMs, delayMs } = run.settings;
  const key = { ...run.batch, resource: entry.resource };
  const sure = records.filter((record) => isSure(run, search, record));
  await noteFirstAbsence(
    client,
    key,
    records.filter((record) => !sure.includes(record)),
    { pauseMs: absencePauseMs },
  );
  if (sure.length === 0) return;
  const { absentIds, goneIds, elsewhere } = await markAbsent(client, {
    ...scopeOf(run, entry),
    table: entry.table,
    version: search.version,
    records: sure.map(({ id, isDelete, eventId }) => ({
      id,
      parentId: search.under,
      bury: isDelete,
      hasNews: eventId !== null,
    })),
  });
  const absent = new Set(absentIds);
  for (const [bury, parents] of Map.groupBy(sure, ({ isDelete }) => isDelete)) {
    const parentIds = parents.map(({ id }) => id).filter((id) => goneIds.includes(id));
    await markDependentsGone(client, run, entry, { version: search.version, parentIds, bury });
  }
  await tellThoseThatMention(client, run, entry, sure);
  await lookElsewhere(client, run, entry, sure, elsewhere);
  // Only for news: what was a guess itself leads to no other, or two projects would send it to and fro.
  const guessed = sure.filter(({ isDelete, eventId }) => !isDelete && eventId !== null);
  if (search.under === null) await lookWhereParentsWent(client, run, entry, guessed);
  await lookWhereSeenBefore(
    client,
    run,
    entry,
    sure.filter(({ id, isDelete }) => !isDelete && absent.has(id)),
  );
  const news = await settleRecords(client, key, sure, delayMs);
  run.settings.onNewsSettled?.(key.companyId, news);
}

/**
 * Is this look enough? Not when it began before the newest event was old enough to show everywhere; and a second look has
 * to be at all parents, because the record may have another by now.
 */
function isSure(run: BatchRun, { under }: Search, record: NotedRecord): boolean {
  const isWide = under === null || run.isHiddenWithParent(record.id);
  return record.settles && (record.isDeletedLast || (record.isSightedAbsent && isWide));
}

/**
 * News of a record that is not here, where its row says that it is elsewhere, is news of it there; but a deletion speaks of
 * its own project.
 */
async function lookElsewhere(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly NotedRecord[],
  elsewhere: Marked['elsewhere'],
): Promise<void> {
  const { companyId, lane } = run.batch;
  for (const { id, projectId, parentId } of elsewhere) {
    const note = records.find((record) => record.id === id);
    if (note === undefined) continue;
    const isDelete = note.isDelete && projectId === run.batch.projectId;
    const news = [
      { companyId, projectId, resource: entry.resource, recordId: id, parentId, isDelete, isRelative: false },
    ];
    await markPending(client, { news, lane, pace: run.settings, event: note, happenedAt: note.happenedAt });
    await lookAtOrphansOf(client, run, entry, { id, projectId });
  }
  await lookAtStrayed(client, run, entry, elsewhere);
}

/** A record that is hidden here now may be where it was before: a copy that lagged made it seem to move here. */
async function lookWhereSeenBefore(
  client: Transaction,
  run: BatchRun,
  { resource }: CataloguedResource,
  records: readonly NotedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const { companyId, projectId: here, lane } = run.batch;
  const ids = records.map(({ id }) => id);
  const former = await findFormerPlaces(client, { companyId, projectId: here, resource }, ids);
  for (const { id, projectId, parentId } of former) {
    const news = [{ companyId, projectId, resource, recordId: id, parentId, isDelete: false, isRelative: true }];
    await markPending(client, { news, lane, pace: run.settings, happenedAt: run.happenedAt });
  }
}

/** What goes in silence with records that are gone or hidden is gone or hidden with them, and comes back with them (`lookAtChildren`). */
async function markDependentsGone(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  gone: { version: string; parentIds: readonly string[]; bury: boolean },
): Promise<void> {
  if (gone.parentIds.length === 0) return;
  for (const { entry: child, isSilent } of dependentsOf(run.settings.catalogue, entry)) {
    if (!isSilent) continue;
    const place = { ...scopeOf(run, child), table: child.table };
    const parentIds = await markAbsentChildren(client, { ...place, ...gone, except: [], noted: null });
    await markDependentsGone(client, run, child, { ...gone, parentIds });
  }
}

/** Nobody knew the parents of these, so nobody was told; one may still show what is gone. */
async function tellThoseThatMention(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly NotedRecord[],
): Promise<void> {
  if (entry.parent?.repeatsChild !== true || entry.parent.embeddedAs !== null) return;
  const untold = records.filter(({ id }) => (run.toldParentOf(entry, id) ?? null) === null);
  if (untold.length === 0) return;
  const ids = untold.map(({ id }) => id);
  for (const parent of parentsOf(run.settings.catalogue, entry)) {
    const place = { ...scopeOf(run, parent), table: parent.table, withinMs: null };
    await tellParents(client, run, parent.resource, new Set(await findMentions(client, place, ids)));
  }
}
