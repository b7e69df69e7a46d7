import { type Difference, markPending, readProvedSince, type Transaction } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';
import { tellRelatives } from './tell-parents.ts';

const MOST_MARKED = 1000;

type Wrong = Pick<Difference, 'id' | 'parentId'>;

/** Has these records of the run's resource fetched, and what repeats them, in lane `repair`. */
export async function markForRepair(client: Transaction, run: BatchRun, records: readonly Wrong[]): Promise<void> {
  if (records.length === 0) return;
  // What is to be fetched may be lacking since the table was proved to hold all.
  const happenedAt = await readProvedSince(client, run.batch);
  await fetchInRepair(client, run, records, { resource: run.entry.resource, happenedAt });
  await tellRelatives(client, run, run.entry, records, { lane: 'repair', happenedAt });
}

/** Has records fetched in lane `repair`, and nothing else. `happenedAt`: since when what is to be fetched may be lacking. */
export async function fetchInRepair(
  client: Transaction,
  run: BatchRun,
  records: readonly Wrong[],
  { resource, happenedAt }: { resource: string; happenedAt: string | null },
): Promise<void> {
  const { companyId, projectId } = run.batch;
  const news = records.map(({ id, parentId }) => ({
    ...{ companyId, projectId, resource, recordId: id, parentId, isDelete: false, isRelative: false },
  }));
  for (let at = 0; at < news.length; at += MOST_MARKED)
    await markPending(client, {
      ...{ news: news.slice(at, at + MOST_MARKED), lane: 'repair', pace: run.settings, happenedAt },
    });
}
