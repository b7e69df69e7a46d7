import { giveUpRecords, type NotedRecord } from '@procore-mirror/database';
import type { BatchRun } from '../run/batch-run.ts';

/** Makes dead letters of records of the run that cannot be brought, and tells of the new ones. */
export async function giveUp(
  { settings, batch }: BatchRun,
  records: readonly NotedRecord[],
  why: { reason: string; detail: string },
): Promise<void> {
  const { database, retryDeadLettersAfterMs = [], onDeadLetter } = settings;
  const { companyId, projectId, resource } = batch;
  const letters = await giveUpRecords(database, batch, records, { ...why, retryAfterMs: retryDeadLettersAfterMs });
  for (const letter of letters) onDeadLetter?.({ ...letter, companyId, projectId, resource, reason: why.reason });
}
