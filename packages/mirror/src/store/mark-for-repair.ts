import { type Difference, markPending, readProvedSince, type Transaction } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';

const MOST_MARKED = 1000;

/**
 * Has these records fetched, in lane `repair`: of the run's resource, or of another one. `happenedAt`: since when what is to be fetched may be
 * lacking; when left out, since the table was proved to hold all.
 */
export async function markForRepair(
  client: Transaction,
  run: BatchRun,
  records: readonly Pick<Difference, 'id' | 'parentId'>[],
  { happenedAt, resource = run.entry.resource }: { happenedAt?: string | null; resource?: string } = {},
): Promise<void> {
  if (records.length === 0) return;
  const { companyId, projectId } = run.batch;
  const since = happenedAt === undefined ? await readProvedSince(client, run.batch) : happenedAt;
  const news = records.map(({ id, parentId }) => ({
    ...{ companyId, projectId, resource, recordId: id, parentId, isDelete: false, isRelative: false },
  }));
  for (let at = 0; at < news.length; at += MOST_MARKED)
    await markPending(client, {
      ...{ news: news.slice(at, at + MOST_MARKED), lane: 'repair', pace: run.settings, happenedAt: since },
    });
}
