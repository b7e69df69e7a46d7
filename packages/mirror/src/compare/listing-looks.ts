// The rung `listing`: all lists, read to their ends. What a complete one lacks is extra.
import { isListedByParent, listsAll } from '@procore-mirror/catalogue';
import { type Difference, findLacking } from '@procore-mirror/database';
import { flawOfLook, type Look } from '../ask/look-at-list.ts';
import { askUnlisted } from '../ask/witness.ts';
import { datesBetween, windowsBack } from '../plan/date-windows.ts';
import { type Comparison, type Part, readingOf } from './comparison.ts';
import { listParts } from './list-parts.ts';
import { lookAtRecords } from './look-at-records.ts';
import type { Gone, RungLooks } from './look-through.ts';

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
    const flaw = (await flawOfEmpty(comparison, part, looked)) ?? (await flawOfLook(run, run.entry, list, looked));
    return { differences: flaw === null ? await extraIn(comparison, part, looked) : [], flaw };
  });
}

/** Where we lost the permission a list shows nothing, too. */
async function flawOfEmpty(comparison: Comparison, { parentId }: Part, { ids }: Look): Promise<string | null> {
  const { entry, settings } = comparison.run;
  if (ids.size > 0 || isListedByParent(entry)) return null;
  const under = { under: parentId, isLive: true };
  const lacking = await findLacking(settings.database.pool, readingOf(comparison), under);
  return lacking.length === 0 ? null : 'a list that shows nothing proves nothing';
}

async function extraIn(comparison: Comparison, { parentId }: Part, { ids }: Look): Promise<Difference[]> {
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
