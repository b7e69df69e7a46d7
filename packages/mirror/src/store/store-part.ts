// What a list carries of its records becomes rows as far as it goes, and proves nothing: the records are pending until they are shown.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import {
  findPending,
  inTransaction,
  markPending,
  type NotedRecord,
  noteListed,
  readStanding,
  type Transaction,
} from '@procore-mirror/database';
import { worthOf } from '../plan/worth-of.ts';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { type FetchedAnswer, storeRows } from './store-rows.ts';

/** Something to do in the transaction of a store, as its last step. May be done again, when the transaction is. */
export type Along = (client: Transaction) => Promise<unknown>;

/** Parents that a listing names, by record id. */
type NamedParents = ReadonlyMap<string, string | null>;

/**
 * Stores what a list carries of these records; what rows have beyond it stays. Nothing is proved: the records stay pending
 * until they are shown, those that the list lacks, too.
 */
export async function storePart(run: BatchRun, answer: FetchedAnswer & { only: readonly string[] }): Promise<void> {
  const parents = new Map(answer.only.map((id) => [id, answer.parentId]));
  const stored = await inTransaction(run.settings.database, async (client) => {
    const records = await storeRows(client, run, answer, true);
    await noteListed(client, { ...run.batch, resource: answer.entry.resource }, run.noted(answer.only, answer.entry), {
      pauseMs: run.settings.delayMs,
      lane: 'detail',
    });
    // Another run may have settled them meanwhile, when this one lost its lease; their rows are parts now.
    const parts = records.filter((record) => record.stored).map(({ id }) => id);
    await markUnlessPending(client, run, answer.entry, parts, parents);
    return records.length;
  });
  run.stored(stored);
}

/** Stores what a page of a backfill carries of its records, and marks them pending: their shows are still to come. */
export async function storeListedPage(
  run: BatchRun,
  answer: FetchedAnswer,
  parents: NamedParents,
  along?: Along,
): Promise<void> {
  const count = await inTransaction(run.settings.database, async (client) => {
    const records = await storeRows(client, run, answer, true);
    const listed = records.map(({ id }) => id);
    const added = await markUnlessPending(client, run, answer.entry, listed, parents);
    await noteListed(client, run.batch, added, { pauseMs: run.settings.delayMs, lane: run.batch.lane });
    await along?.(client);
    return listed.length;
  });
  run.stored(count);
}

/** Marks the records of a listing pending, where nothing that it carries can be stored. */
export async function markListed(run: BatchRun, parents: NamedParents, along?: Along): Promise<void> {
  await inTransaction(run.settings.database, async (client) => {
    await markUnlessPending(client, run, run.entry, [...parents.keys()], parents);
    await along?.(client);
  });
}

/**
 * What has news already is to be shown anyway, and the list may be older than the news. Returns the others, with their
 * generations; in a backfill they go by worth, as far as their rows tell.
 */
export async function markUnlessPending(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  ids: readonly string[],
  parents: NamedParents,
): Promise<Pick<NotedRecord, 'id' | 'generation'>[]> {
  const { companyId, projectId, lane } = run.batch;
  const key = { companyId, projectId, resource: entry.resource };
  const pending = new Set(await findPending(client, key, ids));
  const added = ids.filter((id) => !pending.has(id));
  const standing =
    lane === 'backfill' ? await readStanding(client, { ...scopeOf(run, entry), table: entry.table }, added) : null;
  const news = added.map((recordId) => ({
    ...{ ...key, recordId },
    parentId: parents.get(recordId) ?? null,
    isDelete: false,
    isRelative: false,
    worth: standing === null ? undefined : worthOf(standing.get(recordId)),
  }));
  return markPending(client, { news, lane, pace: run.settings, happenedAt: run.happenedAt });
}
