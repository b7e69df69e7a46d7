// An answer's records become rows, and the news they prove is settled, in one transaction.
import {
  type BatchKey,
  findPending,
  inTransaction,
  markAbsent,
  markAbsentChildren,
  markPending,
  type NotedRecord,
  noteListed,
  placePending,
  postponeRecords,
  type StoredRecord,
  settleRecords,
  storeRecords,
  type Transaction,
} from '@procore-mirror/database';
import { type BatchRun, embeddedIn, type FetchSettings, goneWith, openRecords } from './batch-run.ts';
import type { CataloguedResource } from './catalogue/catalogue.ts';

export type FetchedAnswer = {
  resource: CataloguedResource;
  /** Which of the resource's paths was asked. */
  from: 'show' | 'list';
  /** The number taken before the request went out. */
  version: string;
  text: string;
  parentId: string | null;
  /** Store only these; null stores all. */
  only: readonly string[] | null;
};

// Procore's times have whole seconds, and an event is written a moment after its change.
const CLEARLY_OLDER_MS = 3000;
const REREAD_PAUSE_MS = 1500;
/** That of a pending record without news since it was marked. */
const FIRST_GENERATION = '1';

/** Stores the records of an answer and settles their news. Returns the ids that the answer held, as far as asked for. */
export async function storeAnswer(run: BatchRun, answer: FetchedAnswer): Promise<Set<string>> {
  const { catalogue, database } = run.settings;
  const { resource } = answer;
  const scope = scopeOf(run, resource);
  const settled = await inTransaction(database, async (client) => {
    const { records } = await storeRecords(client, {
      ...scope,
      table: resource.table,
      version: answer.version,
      json: answer.text,
      envelope: envelopeOf(answer),
      parentId: answer.parentId,
      only: answer.only,
    });
    const all = [{ resource, records }];
    for (const child of embeddedIn(catalogue, resource)) {
      all.push({ resource: child, records: await storeChildren(client, run, answer, child, records) });
    }
    for (const { resource: kind, records: seen } of all) await settleSeen(client, run, kind, seen);
    return all;
  });
  for (const { resource: kind, records } of settled) {
    for (const { id } of records) run.open.get(kind.resource)?.delete(id);
    run.stored += records.length;
  }
  for (const { resource: kind, records } of settled) {
    const stored = records.filter((record) => record.stored).map(({ id }) => id);
    await run.settings.driftWatch?.see(kind.table, run.batch.companyId, stored);
  }
  return new Set(settled[0]?.records.map(({ id }) => id));
}

/**
 * Stores what a list carries of these records; what rows have beyond it stays. Nothing is proved: the records stay pending
 * until they are shown, those that the list lacks, too.
 */
export async function storePart(run: BatchRun, answer: FetchedAnswer & { only: readonly string[] }): Promise<void> {
  const open = run.open.get(answer.resource.resource);
  await inTransaction(run.settings.database, async (client) => {
    await storePartRows(client, run, answer);
    await noteListed(
      client,
      { ...run.batch, resource: answer.resource.resource },
      answer.only.flatMap((id) => open?.get(id) ?? []),
      { pauseMs: run.settings.delayMs, lane: 'detail' },
    );
  });
}

/** Parents that a listing names, by record id. */
type NamedParents = ReadonlyMap<string, string | null>;

/**
 * Stores what a page of a first fill carries of its records, and marks them pending: their shows are still to come.
 * Returns the ids on the page.
 */
export async function storeListedPage(run: BatchRun, answer: FetchedAnswer, parents: NamedParents): Promise<string[]> {
  return inTransaction(run.settings.database, async (client) => {
    const ids = (await storePartRows(client, run, answer)).map(({ id }) => id);
    const added = await markUnlessPending(client, run, ids, parents);
    const records = added.map((id) => ({ id, generation: FIRST_GENERATION, settles: false }));
    await noteListed(client, run.batch, records, { pauseMs: run.settings.delayMs, lane: run.batch.lane });
    return ids;
  });
}

/** Marks the records of a listing pending, where nothing that it carries can be stored. Returns their ids. */
export async function markListed(run: BatchRun, parents: NamedParents): Promise<string[]> {
  const ids = [...parents.keys()];
  await inTransaction(run.settings.database, (client) => markUnlessPending(client, run, ids, parents));
  return ids;
}

/** What has news already is to be shown anyway, and the list may be older than the news. Returns the others. */
async function markUnlessPending(
  client: Transaction,
  run: BatchRun,
  ids: readonly string[],
  parents: NamedParents,
): Promise<string[]> {
  const { delayMs, maxWaitMs } = run.settings;
  const pending = new Set(await findPending(client, run.batch, ids));
  const added = ids.filter((id) => !pending.has(id));
  const { companyId, projectId, resource } = run.batch;
  const news = added.map((recordId) => ({
    ...{ companyId, projectId, resource, recordId },
    parentId: parents.get(recordId) ?? null,
    isDelete: false,
    isRelative: false,
  }));
  await markPending(client, { news, lane: run.batch.lane, eventId: null, occurredAt: null, delayMs, maxWaitMs });
  return added;
}

async function storePartRows(client: Transaction, run: BatchRun, answer: FetchedAnswer): Promise<StoredRecord[]> {
  const { resource, version, text, parentId, only } = answer;
  const { records } = await storeRecords(client, {
    ...scopeOf(run, resource),
    table: resource.table,
    version,
    json: text,
    envelope: envelopeOf(answer),
    parentId,
    only,
    isPart: true,
  });
  run.stored += records.length;
  return records;
}

/** Stores the children inside the records; what a record no longer holds is gone. */
async function storeChildren(
  client: Transaction,
  run: BatchRun,
  answer: FetchedAnswer,
  child: CataloguedResource,
  parents: readonly StoredRecord[],
): Promise<StoredRecord[]> {
  const field = child.parent?.embeddedAs;
  if (field === undefined || field === null) return [];
  const parentIds = parents.map(({ id }) => id);
  const place = { ...scopeOf(run, child), table: child.table, version: answer.version };
  const { records } = await storeRecords(client, {
    ...place,
    json: answer.text,
    envelope: envelopeOf(answer),
    embedded: { field },
    parentId: null,
    only: null,
  });
  const known = records.filter(({ parentId }) => parentId !== null && parentIds.includes(parentId));
  await markAbsentChildren(client, { ...place, parentIds, except: known.map(({ id }) => id), bury: true });
  const seen = new Set(known.map(({ id }) => id));
  const orphans = [...(run.open.get(child.resource)?.values() ?? [])].filter(
    ({ id, parentId }) => !seen.has(id) && parentId !== null && parentIds.includes(parentId),
  );
  await markMissing(client, run, child, answer.version, orphans);
  return [
    ...known,
    ...orphans.map(({ id, parentId }) => ({ id, parentId, updatedAt: null, stored: true, isWhole: true })),
  ];
}

/** Concludes that Procore shows none of these: with a delete event a record is buried, else it is hidden. */
export async function concludeAbsent(
  run: BatchRun,
  resource: CataloguedResource,
  version: string,
  records: readonly NotedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await inTransaction(run.settings.database, async (client) => {
    await markMissing(client, run, resource, version, records);
    for (const child of goneWith(run.settings.catalogue, resource)) {
      // Children with an endpoint of their own would stay hidden when a hidden parent comes back.
      for (const bury of child.parent?.embeddedAs === null ? [true] : [true, false]) {
        const parentIds = records.filter(({ isDelete }) => isDelete === bury).map(({ id }) => id);
        const place = { ...scopeOf(run, child), table: child.table, version };
        await markAbsentChildren(client, { ...place, parentIds, except: [], bury });
      }
    }
    await settleRecords(client, { ...run.batch, resource: resource.resource }, records, run.settings.delayMs);
  });
  for (const { id } of records) run.open.get(resource.resource)?.delete(id);
  run.absent += records.length;
}

async function markMissing(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  version: string,
  records: readonly NotedRecord[],
): Promise<void> {
  if (records.length === 0) return;
  await markAbsent(client, {
    ...scopeOf(run, resource),
    table: resource.table,
    version,
    records: records.map(({ id, parentId, isDelete }) => ({ id, parentId, bury: isDelete })),
  });
}

async function settleSeen(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  seen: readonly StoredRecord[],
): Promise<void> {
  const noted = run.open.get(resource.resource);
  // An answer that a part from a later list kept out completes nothing: its record stays pending.
  const pairs = seen.flatMap((record) => {
    const note = record.isWhole ? noted?.get(record.id) : undefined;
    return note === undefined ? [] : [{ record, note }];
  });
  if (pairs.length === 0) return;
  const key = { ...run.batch, resource: resource.resource };
  const tooEarly = pairs.filter(({ record, note }) => wasReadTooEarly(note, record.updatedAt));
  const proved = pairs.filter((pair) => !tooEarly.includes(pair));
  const { delayMs, maxWaitMs } = run.settings;
  await settleRecords(
    client,
    key,
    proved.map(({ note }) => note),
    delayMs,
  );
  await readOnceMore(
    run.settings,
    client,
    key,
    tooEarly.map(({ note }) => note.id),
  );
  const news = newsOfParents(run, resource, untoldParents(run, resource, proved));
  await markPending(client, { news, lane: run.batch.lane, eventId: null, occurredAt: null, delayMs, maxWaitMs });
}

/** Lets records be read again after a pause, and notes that this was done. */
export async function readOnceMore(
  { delayMs }: Pick<FetchSettings, 'delayMs'>,
  client: Parameters<typeof postponeRecords>[0],
  key: BatchKey,
  ids: readonly string[],
): Promise<void> {
  const pauseMs = Math.max(REREAD_PAUSE_MS, delayMs);
  await postponeRecords(client, key, ids, { pauseMs, error: null, countsAttempt: false, reread: true });
}

/** Procore's answer is clearly older than the event that led to it: a copy that lags. Worth one more look, not two. */
function wasReadTooEarly(note: NotedRecord, updatedAt: string | null): boolean {
  if (note.reread || !note.settles || note.occurredAt === null || updatedAt === null) return false;
  return Date.parse(updatedAt) + CLEARLY_OLDER_MS < Date.parse(note.occurredAt);
}

/** Notes the parents that a list named of open records, so that no later run has to look again, and tells them. */
export async function placeRecords(
  run: BatchRun,
  items: readonly { id: string; parentId: string | null }[],
): Promise<void> {
  const { delayMs, maxWaitMs, database } = run.settings;
  const { resource, batch } = run;
  const open = openRecords(run);
  const parents = new Map<string, string>();
  for (const { id, parentId } of items) {
    const record = open.get(id);
    if (record === undefined || parentId === null) continue;
    open.set(id, { ...record, parentId });
    parents.set(id, parentId);
  }
  const told = [...parents].filter(([id]) => run.unplaced.has(`${resource.resource}/${id}`));
  const news = newsOfParents(run, resource, new Set(told.map(([, parentId]) => parentId)));
  await inTransaction(database, async (client) => {
    await placePending(client, batch, parents);
    await markPending(client, { news, lane: batch.lane, eventId: null, occurredAt: null, delayMs, maxWaitMs });
  });
  for (const id of parents.keys()) run.unplaced.delete(`${resource.resource}/${id}`);
}

/** Parents that were not known when the children's events came. */
function untoldParents(
  run: BatchRun,
  { resource }: CataloguedResource,
  pairs: readonly { record: StoredRecord; note: NotedRecord }[],
): Set<string> {
  const found = pairs.flatMap(({ record, note }) =>
    run.unplaced.has(`${resource}/${note.id}`) && record.parentId !== null ? [record.parentId] : [],
  );
  return new Set(found);
}

/** What parents that repeat these children have to hear of them. */
function newsOfParents(
  run: BatchRun,
  { parent }: CataloguedResource,
  parentIds: ReadonlySet<string>,
): Parameters<typeof markPending>[1]['news'] {
  if (parent === null || !parent.repeatsChild || parent.embeddedAs !== null) return [];
  const { companyId, projectId } = run.batch;
  return [...parentIds].map((recordId) => ({
    companyId,
    projectId,
    resource: parent.resource,
    recordId,
    parentId: null,
    isDelete: false,
    isRelative: true,
  }));
}

function scopeOf({ batch }: BatchRun, resource: CataloguedResource): { companyId: string; projectId: string | null } {
  return { companyId: batch.companyId, projectId: resource.scope === 'project' ? batch.projectId : null };
}

/** v2 answers sit in `{"data": …}`, v1 answers are bare (facts: Calling the API). */
function envelopeOf({ resource: { show, list }, from }: FetchedAnswer): 'none' | 'data' {
  const path = (from === 'show' ? show : list?.path) ?? '';
  return path.startsWith('/rest/v2') ? 'data' : 'none';
}
