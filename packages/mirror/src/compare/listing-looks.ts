// The rung `listing`: all lists, read to their ends. What a complete one lacks is extra.
import { listsAll } from '@procore-mirror/catalogue';
import { askUnlisted } from '../ask/witness.ts';
import { datesBetween, windowsBack } from '../plan/date-windows.ts';
import type { Comparison, Part } from './comparison.ts';
import { findExtra, flawOfWhole } from './flaw-of-whole.ts';
import { listParts } from './list-parts.ts';
import { lookAtRecords } from './look-at-records.ts';
import type { Gone, RungLooks } from './look-through.ts';

/** Of what a list lacks so many are asked for one by one. */
const MOST_ASKED = 20;

export async function listingLooks(comparison: Comparison): Promise<RungLooks> {
  const { run, place } = comparison;
  const { todayOnly = false } = run.entry.list ?? {};
  const searches = todayOnly ? windowsBack(new Date(place.day)).map(datesBetween) : [[]];
  return { parts: await listParts(comparison, searches), look, doubt, tellsByLacking: true };
}

function look(comparison: Comparison, part: Part): ReturnType<RungLooks['look']> {
  const { run } = comparison;
  const { name: _, ...list } = part;
  return lookAtRecords(comparison, part, async (looked) => {
    // What a list lacks that leaves things out anyway proves as little with a flaw as without; but one that was cut off hides what is missing.
    if (!listsAll(run.entry)) return { differences: [], flaw: looked.doubt };
    const flaw = await flawOfWhole(comparison, list, looked);
    return { differences: flaw === null ? await findExtra(comparison, list, looked) : [], flaw };
  });
}

/** A list may leave out more than the reference says, or what is hidden from us. */
async function doubt({ run }: Comparison, { ids, isCounted }: Gone): Promise<string | null> {
  const told = await askUnlisted(run, run.entry, { ids: ids.slice(0, MOST_ASKED), isCounted });
  return told === 'not shown' ? null : 'its list lacks records that may be there';
}
