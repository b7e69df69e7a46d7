// Why a list that was read to its end, and shows all there is, proves nothing of what it lacks.
import { isListedByParent } from '@procore-mirror/catalogue';
import { type Days, type Difference, findLacking, noteInnocence } from '@procore-mirror/database';
import { type ListingOptions, listKey } from '../ask/listing-pages.ts';
import { flawOfLook, type Look, lookAtList } from '../ask/look-at-list.ts';
import { realTime } from '../run/clock.ts';
import { type Comparison, readingOf } from './comparison.ts';
import { failureOf } from './look-through.ts';

/** Null: what it lacks is not there. */
export async function flawOfWhole(comparison: Comparison, list: ListingOptions, looked: Look): Promise<string | null> {
  return (await flawOfEmpty(comparison, list, looked)) ?? (await flawOfListing(comparison, list, looked));
}

/**
 * A Total that usually counts more than comes counts what we may not see, as long as no row of ours is lacking; how much that is may change, so
 * a number that is new is looked at twice.
 */
async function flawOfListing(comparison: Comparison, list: ListingOptions, looked: Look): Promise<string | null> {
  const { run } = comparison;
  const { settings, entry, signal } = run;
  const flaw = await flawOfLook(run, entry, list, looked);
  if (!looked.isSurplus || (await lacksOurs(comparison, list, looked))) return flaw;
  if (looked.doubt !== null) {
    await (settings.clock ?? realTime).sleep(settings.absencePauseMs, signal);
    const again = await lookAtList(run, entry, list).catch((error: unknown) => failureOf(comparison, error));
    if (again instanceof Error) return again.message;
    if (!again.isSurplus) return again.flaw;
    if (again.doubt !== null || (await lacksOurs(comparison, list, again))) return flaw;
  }
  await noteInnocence(settings.database.pool, listKey(run, entry, list.parentId));
  return null;
}

async function lacksOurs(comparison: Comparison, part: ListingOptions, looked: Look): Promise<boolean> {
  return (await findExtra(comparison, part, looked)).length > 0;
}

/** Where we lost the permission a list shows nothing, too. */
async function flawOfEmpty(
  comparison: Comparison,
  { parentId }: ListingOptions,
  { ids }: Look,
): Promise<string | null> {
  const { entry, settings } = comparison.run;
  if (ids.size > 0 || isListedByParent(entry)) return null;
  const under = { under: parentId, isLive: true };
  const lacking = await findLacking(settings.database.pool, readingOf(comparison), under);
  return lacking.length === 0 ? null : 'a list that shows nothing proves nothing';
}

/** Our rows that a list which was read lacks; of some days, where it was asked for these. */
export async function findExtra(
  comparison: Comparison,
  { parentId }: ListingOptions,
  { ids }: Look,
  within: Days | null = null,
): Promise<Difference[]> {
  const { settings } = comparison.run;
  const under = { under: parentId, within, isLive: true };
  const lacking = await findLacking(settings.database.pool, readingOf(comparison), under);
  return lacking.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, kind: 'extra', fields: null, parentId }));
}
