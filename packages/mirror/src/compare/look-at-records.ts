// One look at a list whose records are compared with their rows, page by page.
import {
  compareRecords,
  type Difference,
  findLacking,
  inTransaction,
  type RecordDifference,
} from '@procore-mirror/database';
import type { ListingOptions, Page } from '../ask/listing-pages.ts';
import { type Look, lookAtList } from '../ask/look-at-list.ts';
import { isNotFound } from '../plan/judge-failure.ts';
import { scopeOf } from '../run/batch-run.ts';
import { readItems } from '../run/read-answer.ts';
import { type Comparison, type Found, type Part, readingOf, type Seen } from './comparison.ts';
import { failureOf } from './look-through.ts';

/** `conclude`: what follows of the list as a whole, and why it does not prove what it is to prove. */
export async function lookAtRecords(
  comparison: Comparison,
  { name: _, ...part }: Part,
  conclude: (looked: Look) => Promise<{ differences: Difference[]; flaw: string | null }>,
): Promise<Found> {
  const differences: Seen[] = [];
  const looked = await lookAtList(comparison.run, comparison.run.entry, part, async (page) => {
    differences.push(...(await comparePage(comparison, part, page)));
  }).catch((error: unknown) => failureOf(comparison, error));
  if (looked instanceof Error) {
    return { differences: [], ids: new Set(), isCounted: false, ...(await refused(comparison, part, looked)) };
  }
  const end = await conclude(looked);
  const own = [...differences, ...end.differences].map((one) => ({ ...one, parentId: part.parentId }));
  const { ids, isCounted } = looked;
  return { differences: own, ids, isCounted, flaw: end.flaw, isRefused: false };
}

/** Of a parent without such a list there is nothing to compare, unless we hold something. */
async function refused(
  comparison: Comparison,
  { parentId }: ListingOptions,
  error: Error,
): Promise<Pick<Found, 'flaw' | 'isRefused'>> {
  if (!isNotFound(error) || parentId === null) return { flaw: error.message, isRefused: true };
  const { pool } = comparison.run.settings.database;
  const held = await findLacking(pool, readingOf(comparison), { under: parentId, isLive: true });
  return held.length === 0 ? { flaw: null, isRefused: false } : { flaw: error.message, isRefused: true };
}

async function comparePage(
  { run, place }: Comparison,
  { parentId }: ListingOptions,
  { text, wrapper }: Page,
): Promise<RecordDifference[]> {
  const { entry, settings } = run;
  const idsOnly = entry.list?.within !== null;
  const ids = () => Buffer.from(JSON.stringify(readItems(text, entry).map(({ id }) => ({ id }))));
  const answer = {
    ...{ ...scopeOf(run, entry), table: entry.table, version: place.since, parentId, only: null, idsOnly },
    ...(idsOnly ? { json: ids(), wrapper: 'none' as const } : { json: text.bytes, wrapper }),
    isPart: entry.list?.carries !== 'whole record',
  };
  return inTransaction(settings.database, (client) => compareRecords(client, answer));
}
