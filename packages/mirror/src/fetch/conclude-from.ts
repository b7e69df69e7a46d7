// What a look at lists or parents says of the records that it did not find, as far as it can be trusted.
import { type NotedRecord, noteFirstAbsence } from '@procore-mirror/database';
import type { Listing } from '../ask/listing.ts';
import { InDoubtError } from '../errors.ts';
import type { BatchRun } from '../run/batch-run.ts';
import { concludeAbsent, type Search } from '../store/conclude-absent.ts';

/** `doubt`, `isCut`: of the listings that it read. */
type Look = Search & Pick<Listing, 'doubt' | 'isCut'>;

/**
 * Concludes from a look that did not find these. One in doubt concludes only what a delete event named, one that did not come
 * to its end only what another look before it did not find either. Throws InDoubtError if others are left.
 */
export async function concludeFrom(run: BatchRun, look: Look, records: readonly NotedRecord[]): Promise<void> {
  if ((await concludeSure(run, look, records)).length > 0) throw inDoubt(run, look.doubt);
}

/** The same; returns those that are left. */
export async function concludeSure(
  run: BatchRun,
  { doubt, isCut, ...search }: Look,
  records: readonly NotedRecord[],
): Promise<NotedRecord[]> {
  const named = doubt === null ? records : records.filter(({ isDeletedLast }) => isDeletedLast);
  const sure = isCut ? named.filter(({ isSightedAbsent }) => isSightedAbsent) : named;
  await concludeAbsent(run, run.entry, search, sure);
  const { database, absencePauseMs } = run.settings;
  const toSeeAgain = named.filter((record) => !sure.includes(record));
  await noteFirstAbsence(database.pool, run.batch, toSeeAgain, { pauseMs: absencePauseMs });
  return records.filter((record) => !sure.includes(record));
}

export function inDoubt({ entry }: BatchRun, doubt: string | null): InDoubtError {
  return new InDoubtError(`the listing of ${entry.resource}`, { issues: [doubt ?? 'it was not read to its end'] });
}
