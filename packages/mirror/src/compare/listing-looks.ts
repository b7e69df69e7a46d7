// The rung `listing`: all lists, read to their ends. What a complete one lacks is extra.
import { isListedByParent, listsAll } from '@procore-mirror/catalogue';
import { type Difference, findLacking, noteInnocence } from '@procore-mirror/database';
import { type ListingOptions, listKey } from '../ask/listing-pages.ts';
import { flawOfLook, type Look, lookAtList } from '../ask/look-at-list.ts';
import { askUnlisted } from '../ask/witness.ts';
import { datesBetween, windowsBack } from '../plan/date-windows.ts';
import { realTime } from '../run/clock.ts';
import { type Comparison, type Part, readingOf } from './comparison.ts';
import { listParts } from './list-parts.ts';
import { lookAtRecords } from './look-at-records.ts';
import { failureOf, type Gone, type RungLooks } from './look-through.ts';

/** Of what a list lacks so many are asked for one by one. */
const MOST_ASKED = 20;

export async function listingLooks({ run, place }: Comparison): Promise<RungLooks> {
  const { todayOnly = false } = run.entry.list ?? {};
  const searches = todayOnly ? windowsBack(new Date(place.day)).map(datesBetween) : [[]];
  return { parts: await listParts(run, searches), look, doubt, tellsByLacking: true };
}

function look(comparison: Comparison, part: Part): ReturnType<RungLooks['look']> {
  const { run } = comparison;
  const { name: _, ...list } = part;
  return lookAtRecords(comparison, part, async (looked) => {
    // What a list lacks that leaves things out anyway proves as little with a flaw as without; but one that was cut off hides what is missing.
    if (!listsAll(run.entry)) return { differences: [], flaw: looked.doubt };
    const flaw = (await flawOfEmpty(comparison, part, looked)) ?? (await flawOfListing(comparison, list, looked));
    return { differences: flaw === null ? await extraIn(comparison, part, looked) : [], flaw };
  });
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
  return (await extraIn(comparison, part, looked)).length > 0;
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

async function extraIn(comparison: Comparison, { parentId }: ListingOptions, { ids }: Look): Promise<Difference[]> {
  const { settings } = comparison.run;
  const under = { under: parentId, isLive: true };
  const lacking = await findLacking(settings.database.pool, readingOf(comparison), under);
  return lacking.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, kind: 'extra', fields: null, parentId }));
}

/** A list may leave out more than the reference says, or what is hidden from us. */
async function doubt({ run }: Comparison, { ids, isCounted }: Gone): Promise<string | null> {
  const told = await askUnlisted(run, run.entry, { ids: ids.slice(0, MOST_ASKED), isCounted });
  return told === 'not shown' ? null : 'its list lacks records that may be there';
}
