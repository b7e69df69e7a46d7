import { type Difference, markPending, type Transaction } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';

const MOST_MARKED = 1000;

/** Has these records fetched, in lane `repair`: of the run's resource, or of another one. */
export async function markForRepair(
  client: Transaction,
  run: BatchRun,
  records: readonly Pick<Difference, 'id' | 'parentId'>[],
  resource = run.entry.resource,
): Promise<void> {
  const { companyId, projectId } = run.batch;
  const news = records.map(({ id, parentId }) => ({
    ...{ companyId, projectId, resource, recordId: id, parentId, isDelete: false, isRelative: false },
  }));
  for (let at = 0; at < news.length; at += MOST_MARKED)
    await markPending(client, { news: news.slice(at, at + MOST_MARKED), lane: 'repair', pace: run.settings });
}
