// An answer's records become rows, and the news they prove is settled, in one transaction.
import { type CataloguedResource, embeddedIn } from '@procore-mirror/catalogue';
import {
  inTransaction,
  type NotedRecord,
  postponeRecords,
  type StoredRecord,
  settleRecords,
  type Transaction,
} from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';
import { lookAtChildren } from './children-in-doubt.ts';
import { type SettledChildren, storeChildren } from './store-children.ts';
import { type Along, markUnlessPending } from './store-part.ts';
import { type FetchedAnswer, readOnceMoreIf, storeRows } from './store-rows.ts';
import { tellParentsOfSeen } from './tell-parents.ts';

// Procore's times have whole seconds, and an event is written a moment after its change.
const CLEARLY_OLDER_MS = 3000;
const REREAD_PAUSE_MS = 1500;

/**
 * Stores the records of an answer and settles their news, `along` with what else is to happen in the same transaction. Returns the ids
 * that the answer held, as far as asked for.
 */
export async function storeAnswer(run: BatchRun, answer: FetchedAnswer, along?: Along): Promise<Set<string>> {
  const { catalogue, database } = run.settings;
  const { entry } = answer;
  const settled = await inTransaction(database, async (client) => {
    const records = await storeRows(client, run, answer, false);
    const children: SettledChildren[] = [];
    for (const child of embeddedIn(catalogue, entry)) {
      children.push(await storeChildren(client, run, answer, child, records));
    }
    const childless = new Set(children.flatMap((kind) => kind.childless.map(({ id }) => id)));
    const checked = readOnceMoreIf(run, entry, records, ({ id }) => childless.has(id));
    const all = [{ entry, records: checked, missing: [] }, ...children];
    for (const { entry: kind, records: seen } of all) {
      await settleSeen(client, run, kind, seen);
      await readAgain(client, run, kind, seen);
    }
    await along?.(client);
    return all;
  });
  for (const { entry: kind, records, missing } of settled) {
    run.settled([...records, ...missing], kind);
    run.stored(records.length);
  }
  for (const { entry: kind, records } of settled) {
    const stored = records.filter((record) => record.stored).map(({ id }) => id);
    await run.settings.driftWatch?.see(kind.table, run.batch.companyId, stored);
  }
  return new Set(settled[0]?.records.map(({ id }) => id));
}

async function settleSeen(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  seen: readonly StoredRecord[],
): Promise<void> {
  const known = seen
    .filter(({ stored, isWhole }) => stored || isWhole)
    .flatMap((record) => run.noted([record.id], entry).map((note) => ({ record, note })));
  if (known.length === 0) return;
  // Those to be read again, too: a later run takes the parent in their row for one that was told.
  await tellParentsOfSeen(client, run, entry, known);
  // An answer that a part from a later list kept out completes nothing: its record stays pending.
  const pairs = known.filter(({ record }) => record.isWhole);
  const key = { ...run.batch, resource: entry.resource };
  const tooEarly = pairs.filter(({ record, note }) => isUnlisted(note) || wasReadTooEarly(note, record.updatedAt));
  const proved = pairs.filter((pair) => !tooEarly.includes(pair));
  const { delayMs } = run.settings;
  const notes = proved.map(({ note }) => note);
  const news = await settleRecords(client, key, notes, delayMs);
  run.settings.onNewsSettled?.(key.companyId, news);
  await readOnceMore(
    client,
    run,
    entry,
    tooEarly.map(({ note }) => note),
    Math.max(REREAD_PAUSE_MS, delayMs),
  );
  // Deleted, it would seem, and there: restored before anybody looked, and its children with it.
  const restored = proved.filter(({ note }) => note.isDelete).map(({ record }) => record);
  await lookAtChildren(client, run, entry, restored);
}

/**
 * Procore's answer is clearly older than the event that led to it: a copy that lags (docs/procore.md: Reading after an event).
 * Worth one more look, not two.
 */
function wasReadTooEarly(note: NotedRecord, updatedAt: string | null): boolean {
  if (note.reread || !note.settles || note.occurredAt === null || updatedAt === null) return false;
  return Date.parse(updatedAt) + CLEARLY_OLDER_MS < Date.parse(note.occurredAt);
}

/** The record is here, and the lists under it were not a moment ago. Worth one more look, too. */
function isUnlisted({ reread, listsChildren }: NotedRecord): boolean {
  return listsChildren && !reread;
}

/**
 * What needs another fetch: records that a later fetch of another place or of the parent contradicts, and those that came
 * without what they should carry. Those that are pending already are read again after a pause.
 */
async function readAgain(
  client: Transaction,
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly StoredRecord[],
): Promise<void> {
  const again = records.filter(({ toReadAgain }) => toReadAgain);
  if (again.length === 0) return;
  const parents = new Map(again.map(({ id, parentId }) => [id, parentId]));
  const ids = [...parents.keys()];
  const noted = run.noted(ids, entry);
  await readOnceMore(client, run, entry, noted, Math.max(REREAD_PAUSE_MS, run.settings.absencePauseMs));
  await markUnlessPending(client, run, entry, ids, parents);
}

async function readOnceMore(
  client: Transaction,
  { batch }: BatchRun,
  { resource }: CataloguedResource,
  records: readonly NotedRecord[],
  pauseMs: number,
): Promise<void> {
  const postponement = { pauseMs, error: null, counts: 'nothing', reread: true } as const;
  await postponeRecords(client, { ...batch, resource }, records, postponement);
}
