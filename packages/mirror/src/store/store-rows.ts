// The rows of an answer, whole or in part, and what belongs to records that came back or moved.
import { type CataloguedResource, parentsOf, type Wrapper } from '@procore-mirror/catalogue';
import {
  findProject,
  type NotedRecord,
  type StoredRecord,
  storeRecords,
  type Transaction,
} from '@procore-mirror/database';
import type { AnswerText } from '@procore-mirror/procore';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { doubtOrphans, lookAtChildren, lookAtStrayed } from './children-in-doubt.ts';
import { tellOldParents } from './tell-parents.ts';

/** An answer that was checked (`read-answer.ts`). */
export type FetchedAnswer = {
  entry: CataloguedResource;
  wrapper: Wrapper;
  /** The number taken before the request went out. */
  version: string;
  text: AnswerText;
  parentId: string | null;
  /** Store only these; null stores all. */
  only: readonly string[] | null;
};

/** What an answer brought of one resource, and which open records it should have held and lacked. */
export type Settled = {
  entry: CataloguedResource;
  records: readonly StoredRecord[];
  missing: readonly NotedRecord[];
};

/** Stores the records themselves. What belongs to one that came back, or moved here, is to be looked at again. */
export async function storeRows(
  client: Transaction,
  run: BatchRun,
  { entry, version, text, wrapper, parentId, only }: FetchedAnswer,
  isPart: boolean,
): Promise<readonly StoredRecord[]> {
  const scope = { ...scopeOf(run, entry), ...(await projectOfParent(client, run, entry, parentId)) };
  const place = { ...scope, table: entry.table, version };
  const { records } = await storeRecords(client, { ...place, json: text.bytes, wrapper, parentId, only, isPart });
  const cameBack = records.filter(({ absentSince, movedFrom }) => absentSince !== null || movedFrom !== null);
  await lookAtChildren(client, run, entry, cameBack);
  const isNew = records.filter((record) => record.isNew).map(({ id }) => ({ id, projectId: scope.projectId }));
  await lookAtStrayed(client, run, entry, isNew);
  await tellOldParents(client, run, entry, records);
  const placed = doubtMoved(run, entry, records);
  return doubtOrphans(client, run, entry, version, placed);
}

/** Paths that name no project answer wherever the parent is by now, so its row says which project the children are in. */
async function projectOfParent(
  client: Transaction,
  { settings, batch }: BatchRun,
  entry: CataloguedResource,
  parentId: string | null,
): Promise<{ projectId: string } | null> {
  const namesProject = [entry.show, entry.list?.path].some((path) => path?.includes('{project_id}') === true);
  if (entry.scope === 'company' || parentId === null || namesProject) return null;
  for (const { table } of parentsOf(settings.catalogue, entry)) {
    const projectId = await findProject(client, { table, companyId: batch.companyId }, parentId);
    if (projectId !== null) return { projectId };
  }
  return null;
}

/** The same records; those that seem to have moved are read once more, unless a list under who moved here named them. */
export function doubtMoved(
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly StoredRecord[],
): readonly StoredRecord[] {
  const isListed = ({ id }: StoredRecord) => run.noted([id], entry).some(({ parentId }) => parentId !== null);
  const wasNamed = (record: StoredRecord) => entry.parent === null && isListed(record);
  return readOnceMoreIf(run, entry, records, (record) => seemsToHaveMoved(record) && !wasNamed(record));
}

/** The same records; those in doubt are read once more. What comes the second time is believed. */
export function readOnceMoreIf(
  run: BatchRun,
  entry: CataloguedResource,
  records: readonly StoredRecord[],
  isInDoubt: (record: StoredRecord) => boolean,
): readonly StoredRecord[] {
  const wasReread = ({ id }: StoredRecord) => run.noted([id], entry).some(({ reread }) => reread);
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
