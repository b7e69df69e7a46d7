// An answer's records become rows, and the news they prove is settled, in one transaction.
import { type CataloguedResource, type Envelope, embeddedIn, parentsOf } from '@procore-mirror/catalogue';
import {
  findPending,
  findProject,
  inTransaction,
  markAbsentChildren,
  markPending,
  type NotedRecord,
  noteListed,
  postponeRecords,
  type StoredRecord,
  settleRecords,
  storeRecords,
  type Transaction,
} from '@procore-mirror/database';
import type { AnswerText } from '@procore-mirror/procore';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { readHolders } from '../run/read-answer.ts';
import { doubtChildrenOf, doubtOrphans, lookAtChildren, lookAtStrayed } from './children-in-doubt.ts';
import { concludeAbsentIn } from './conclude-absent.ts';
import { tellOldParents, tellParentsOfSeen } from './tell-parents.ts';

/** An answer that was checked (`read-answer.ts`). */
export type FetchedAnswer = {
  resource: CataloguedResource;
  envelope: Envelope;
  /** The number taken before the request went out. */
  version: string;
  text: AnswerText;
  parentId: string | null;
  /** Store only these; null stores all. */
  only: readonly string[] | null;
};

// Procore's times have whole seconds, and an event is written a moment after its change.
const CLEARLY_OLDER_MS = 3000;
const REREAD_PAUSE_MS = 1500;

/** What an answer brought of one resource, and which open records it should have held and lacked. */
type Settled = { resource: CataloguedResource; records: readonly StoredRecord[]; missing: readonly NotedRecord[] };

/** The same of children, and the records that came without their list of them. */
type SettledChildren = Settled & { childless: readonly StoredRecord[] };

/** Stores the records of an answer and settles their news. Returns the ids that the answer held, as far as asked for. */
export async function storeAnswer(run: BatchRun, answer: FetchedAnswer): Promise<Set<string>> {
  const { catalogue, database } = run.settings;
  const { resource } = answer;
  const settled = await inTransaction(database, async (client) => {
    const records = await storeRows(client, run, answer, false);
    const children: SettledChildren[] = [];
    for (const child of embeddedIn(catalogue, resource)) {
      children.push(await storeChildren(client, run, answer, child, records));
    }
    const childless = new Set(children.flatMap((kind) => kind.childless.map(({ id }) => id)));
    const checked = readOnceMoreIf(run, resource, records, ({ id }) => childless.has(id));
    const all = [{ resource, records: checked, missing: [] }, ...children];
    for (const { resource: kind, records: seen } of all) {
      await settleSeen(client, run, kind, seen);
      await readAgain(client, run, kind, seen);
    }
    return all;
  });
  for (const { resource: kind, records, missing } of settled) {
    run.settled([...records, ...missing], kind);
    run.stored(records.length);
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
  const parents = new Map(answer.only.map((id) => [id, answer.parentId]));
  const stored = await inTransaction(run.settings.database, async (client) => {
    const records = await storeRows(client, run, answer, true);
    await noteListed(
      client,
      { ...run.batch, resource: answer.resource.resource },
      run.noted(answer.only, answer.resource),
      { pauseMs: run.settings.delayMs, lane: 'detail' },
    );
    // Another run may have settled them meanwhile, when this one lost its lease; their rows are parts now.
    const parts = records.filter((record) => record.stored).map(({ id }) => id);
    await markUnlessPending(client, run, answer.resource, parts, parents);
    return records.length;
  });
  run.stored(stored);
}

/** Parents that a listing names, by record id. */
type NamedParents = ReadonlyMap<string, string | null>;

/**
 * Stores what a page of a first fill carries of its records, and marks them pending: their shows are still to come.
 * Returns the ids on the page.
 */
export async function storeListedPage(run: BatchRun, answer: FetchedAnswer, parents: NamedParents): Promise<string[]> {
  const ids = await inTransaction(run.settings.database, async (client) => {
    const records = await storeRows(client, run, answer, true);
    const listed = records.map(({ id }) => id);
    const added = await markUnlessPending(client, run, answer.resource, listed, parents);
    await noteListed(client, run.batch, added, { pauseMs: run.settings.delayMs, lane: run.batch.lane });
    return listed;
  });
  run.stored(ids.length);
  return ids;
}

/** Marks the records of a listing pending, where nothing that it carries can be stored. Returns their ids. */
export async function markListed(run: BatchRun, parents: NamedParents): Promise<string[]> {
  const ids = [...parents.keys()];
  await inTransaction(run.settings.database, (client) => markUnlessPending(client, run, run.resource, ids, parents));
  return ids;
}

/**
 * What has news already is to be shown anyway, and the list may be older than the news. Returns the others, with their
 * generations.
 */
async function markUnlessPending(
  client: Transaction,
  run: BatchRun,
  { resource }: CataloguedResource,
  ids: readonly string[],
  parents: NamedParents,
): Promise<Pick<NotedRecord, 'id' | 'generation'>[]> {
  const { delayMs, maxWaitMs } = run.settings;
  const { companyId, projectId, lane } = run.batch;
  const key = { companyId, projectId, resource };
  const pending = new Set(await findPending(client, key, ids));
  const added = ids.filter((id) => !pending.has(id));
  const news = added.map((recordId) => ({
    ...{ ...key, recordId },
    parentId: parents.get(recordId) ?? null,
    isDelete: false,
    isRelative: false,
  }));
  return markPending(client, { news, lane, eventId: null, occurredAt: null, delayMs, maxWaitMs });
}

/** The same records; those in doubt are read once more. What comes the second time is believed. */
function readOnceMoreIf(
  run: BatchRun,
  resource: CataloguedResource,
  records: readonly StoredRecord[],
  isInDoubt: (record: StoredRecord) => boolean,
): readonly StoredRecord[] {
  const wasReread = ({ id }: StoredRecord) => run.noted([id], resource).some(({ reread }) => reread);
  return records.map((record) =>
    isInDoubt(record) && !wasReread(record) ? { ...record, isWhole: false, toReadAgain: true } : record,
  );
}

/**
 * Was the record seen elsewhere before, and did not go along with its parent? Then it moved here, or from here while a
 * copy lags: the numbers of two places say nothing of each other.
 */
function seemsToHaveMoved({ parentId, movedFrom, absentSince }: StoredRecord): boolean {
  return movedFrom !== null && absentSince === null && (parentId === null || movedFrom.parentId !== parentId);
}

/**
 * What needs another fetch: records that a later fetch of another place or of the parent contradicts, and those that came
 * without what they should carry. Those that are pending already are read again after a pause.
 */
async function readAgain(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  records: readonly StoredRecord[],
): Promise<void> {
  const again = records.filter(({ toReadAgain }) => toReadAgain);
  if (again.length === 0) return;
  const ids = again.map(({ id }) => id);
  const noted = run.noted(ids, resource);
  await readOnceMore(client, run, resource, noted, Math.max(REREAD_PAUSE_MS, run.settings.absencePauseMs));
  const parents = new Map(again.map(({ id, parentId }) => [id, parentId]));
  await markUnlessPending(client, run, resource, [...parents.keys()], parents);
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

/** Stores the records themselves. What belongs to one that came back, or moved here, is to be looked at again. */
async function storeRows(
  client: Transaction,
  run: BatchRun,
  { resource, version, text, envelope, parentId, only }: FetchedAnswer,
  isPart: boolean,
): Promise<readonly StoredRecord[]> {
  const scope = { ...scopeOf(run, resource), ...(await projectOfParent(client, run, resource, parentId)) };
  const place = { ...scope, table: resource.table, version };
  const { records } = await storeRecords(client, { ...place, json: text.bytes, envelope, parentId, only, isPart });
  const cameBack = records.filter(({ absentSince, movedFrom }) => absentSince !== null || movedFrom !== null);
  await lookAtChildren(client, run, resource, cameBack);
  const isNew = records.filter((record) => record.isNew).map(({ id }) => ({ id, projectId: scope.projectId }));
  await lookAtStrayed(client, run, resource, isNew);
  await tellOldParents(client, run, resource, records);
  const placed = readOnceMoreIf(run, resource, records, seemsToHaveMoved);
  return doubtOrphans(client, run, resource, version, placed);
}

/** Paths that name no project answer wherever the parent is by now, so its row says which project the children are in. */
async function projectOfParent(
  client: Transaction,
  { settings, batch }: BatchRun,
  resource: CataloguedResource,
  parentId: string | null,
): Promise<{ projectId: string } | null> {
  const namesProject = [resource.show, resource.list?.path].some((path) => path?.includes('{project_id}') === true);
  if (resource.scope === 'company' || parentId === null || namesProject) return null;
  for (const { table } of parentsOf(settings.catalogue, resource)) {
    const projectId = await findProject(client, { table, companyId: batch.companyId }, parentId);
    if (projectId !== null) return { projectId };
  }
  return null;
}

/**
 * Stores the children inside the records. Those that a record no longer holds are gone from it: only a record that has
 * its list of children, be it empty, says so.
 */
async function storeChildren(
  client: Transaction,
  run: BatchRun,
  answer: FetchedAnswer,
  child: CataloguedResource,
  parents: readonly StoredRecord[],
): Promise<SettledChildren> {
  const field = child.parent?.embeddedAs;
  if (field === undefined || field === null) return { resource: child, records: [], missing: [], childless: [] };
  const { version, text, envelope } = answer;
  const holders = readHolders(text, answer.resource, envelope, field);
  const parentIds = parents.map(({ id }) => id).filter((id) => holders.has(id));
  const place = { ...scopeOf(run, child), table: child.table, version };
  const { records } = await storeRecords(client, {
    ...place,
    json: text.bytes,
    envelope,
    embedded: { field },
    parentId: null,
    only: null,
  });
  await tellOldParents(client, run, child, records);
  const placed = readOnceMoreIf(run, child, records, seemsToHaveMoved);
  const held = placed.filter(({ parentId }) => parentId !== null && parentIds.includes(parentId));
  const seen = new Set(held.map(({ id }) => id));
  const noted = run.allNoted(child).filter(({ settles }) => settles);
  await markAbsentChildren(client, { ...place, parentIds, except: [...seen], bury: true, noted });
  const missing = noted.filter(
    ({ id, parentId }) => !seen.has(id) && parentId !== null && parentIds.includes(parentId),
  );
  for (const [under, absent] of Map.groupBy(missing, ({ parentId }) => parentId)) {
    await concludeAbsentIn(client, run, child, { version, under }, absent);
  }
  // A parent that was not stored was read later by another fetch, which told of its children.
  const outdated = new Set(parents.filter(({ stored }) => !stored).map(({ id }) => id));
  const childless = parents.filter(({ id, stored }) => stored && !holders.has(id));
  return { resource: child, records: doubtChildrenOf(held, outdated), missing, childless };
}

async function settleSeen(
  client: Transaction,
  run: BatchRun,
  resource: CataloguedResource,
  seen: readonly StoredRecord[],
): Promise<void> {
  const known = seen
    .filter(({ stored, isWhole }) => stored || isWhole)
    .flatMap((record) => run.noted([record.id], resource).map((note) => ({ record, note })));
  if (known.length === 0) return;
  // Those to be read again, too: a later run takes the parent in their row for one that was told.
  await tellParentsOfSeen(client, run, resource, known);
  // An answer that a part from a later list kept out completes nothing: its record stays pending.
  const pairs = known.filter(({ record }) => record.isWhole);
  const key = { ...run.batch, resource: resource.resource };
  const tooEarly = pairs.filter(({ record, note }) => wasReadTooEarly(note, record.updatedAt));
  const proved = pairs.filter((pair) => !tooEarly.includes(pair));
  const { delayMs } = run.settings;
  await settleRecords(
    client,
    key,
    proved.map(({ note }) => note),
    delayMs,
  );
  await readOnceMore(
    client,
    run,
    resource,
    tooEarly.map(({ note }) => note),
    Math.max(REREAD_PAUSE_MS, delayMs),
  );
  // Deleted, it would seem, and there: restored before anybody looked, and its children with it.
  const restored = proved.filter(({ note }) => note.isDelete).map(({ record }) => record);
  await lookAtChildren(client, run, resource, restored);
}

/** Procore's answer is clearly older than the event that led to it: a copy that lags. Worth one more look, not two. */
function wasReadTooEarly(note: NotedRecord, updatedAt: string | null): boolean {
  if (note.reread || !note.settles || note.occurredAt === null || updatedAt === null) return false;
  return Date.parse(updatedAt) + CLEARLY_OLDER_MS < Date.parse(note.occurredAt);
}
