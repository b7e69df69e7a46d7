// Children that an answer carries inside its records become rows with them.
import type { CataloguedResource } from '@procore-mirror/catalogue';
import { markAbsentChildren, type StoredRecord, storeRecords, type Transaction } from '@procore-mirror/database';
import { type BatchRun, scopeOf } from '../run/batch-run.ts';
import { readHolders } from '../run/read-answer.ts';
import { doubtChildrenOf } from './children-in-doubt.ts';
import { concludeAbsentIn } from './conclude-absent.ts';
import { doubtMoved, type FetchedAnswer, type Settled } from './store-rows.ts';
import { tellOldParents } from './tell-parents.ts';

/** What an answer brought of children, and the records that came without their list of them. */
export type SettledChildren = Settled & { childless: readonly StoredRecord[] };

/**
 * Stores the children inside the records. Those that a record no longer holds are gone from it: only a record that has
 * its list of children, be it empty, says so.
 */
export async function storeChildren(
  client: Transaction,
  run: BatchRun,
  answer: FetchedAnswer,
  child: CataloguedResource,
  parents: readonly StoredRecord[],
): Promise<SettledChildren> {
  const field = child.parent?.embeddedAs;
  if (field === undefined || field === null) return { entry: child, records: [], missing: [], childless: [] };
  const { version, text, wrapper } = answer;
  const holders = readHolders(text, answer.entry, wrapper, field);
  const parentIds = parents.map(({ id }) => id).filter((id) => holders.has(id));
  const place = { ...scopeOf(run, child), table: child.table, version };
  const { records } = await storeRecords(client, {
    ...place,
    json: text.bytes,
    wrapper,
    embedded: { field },
    parentId: null,
    only: null,
  });
  await tellOldParents(client, run, child, records);
  const placed = doubtMoved(run, child, records);
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
  return { entry: child, records: doubtChildrenOf(held, outdated), missing, childless };
}
