import { type Difference, markPending, type Transaction } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';

const MOST_MARKED = 1000;

/** Has these records fetched, in lane `repair`. */
export async function markForRepair(
  client: Transaction,
  run: BatchRun,
  differences: readonly Pick<Difference, 'id' | 'parentId'>[],
): Promise<void> {
  const { companyId, projectId, resource } = run.batch;
  const news = differences.map(({ id, parentId }) => ({
    ...{ companyId, projectId, resource, recordId: id, parentId, isDelete: false, isRelative: false },
  }));
  for (let at = 0; at < news.length; at += MOST_MARKED)
    await markPending(client, { news: news.slice(at, at + MOST_MARKED), lane: 'repair', pace: run.settings });
}
