// Which of the records that a list carries in part are completed first? Those that people look at: open or lately changed ones. Pure.
import type { Standing } from '@procore-mirror/database';

const LATELY_MS = 90 * 24 * 60 * 60 * 1000;

/** Statuses of what is over, in Procore's words and those that companies use, small letters and `_` for blanks. */
const OVER: ReadonlySet<string> = new Set([
  ...[
    'closed',
    'void',
    'voided',
    'complete',
    'completed',
    'finished',
    'resolved',
    'terminated',
    'rejected',
    'declined',
  ],
  ...['cancelled', 'canceled', 'withdrawn', 'archived', 'inactive', 'expired', 'superseded', 'obsolete', 'deleted'],
]);

/** 0 goes first: lately changed, open, or nobody knows. 1: the rest. */
export function worthOf(standing: Standing | undefined, now = Date.now()): 0 | 1 {
  if (standing === undefined) return 0;
  const { updatedAt, status, isActive } = standing;
  const changedAt = Date.parse(updatedAt ?? '');
  if (changedAt >= now - LATELY_MS) return 0;
  if (status !== null && status.trim() !== '') return OVER.has(plain(status)) ? 1 : 0;
  if (isActive !== null) return isActive ? 0 : 1;
  return Number.isNaN(changedAt) ? 0 : 1;
}

function plain(status: string): string {
  return status
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');
}
