// The rung `listing`: all lists, read to their ends. What a complete one lacks is extra.
import { dayColumnOf, listsAll } from '@procore-mirror/catalogue';
import { askUnlisted } from '../ask/witness.ts';
import { askedDays, datesBetween, windowsBack } from '../plan/date-windows.ts';
import type { Comparison, Part } from './comparison.ts';
import { findExtra, flawOfWhole } from './flaw-of-whole.ts';
import { listParts } from './list-parts.ts';
import { lookAtRecords } from './look-at-records.ts';
import { type Doubt, doubtAll, type Gone, type RungLooks } from './look-through.ts';

/** Of what a list lacks so many are asked for one by one. */
const MOST_ASKED = 20;
/** Of one that proves nothing by itself. */
const MOST_ASKED_EACH = 200;

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
    if (!listsAll(run.entry)) {
      const day = dayColumnOf(run.entry);
      const days = askedDays(list.searchParams ?? []);
      const isTold = looked.doubt === null && day !== null && days !== null;
      const differences = isTold ? await findExtra(comparison, list, looked, { day, ...days }) : [];
      return { differences, flaw: looked.doubt };
    }
    const flaw = await flawOfWhole(comparison, list, looked);
    return { differences: flaw === null ? await findExtra(comparison, list, looked) : [], flaw };
  });
}

/** A list may leave out more than the reference says, or what is hidden from us. */
async function doubt(comparison: Comparison, gone: Gone): Promise<Doubt> {
  const { run } = comparison;
  if (!listsAll(run.entry)) return askEach(comparison, gone);
  const told = await askUnlisted(run, run.entry, { ...gone, ids: gone.ids.slice(0, MOST_ASKED) });
  return doubtAll(gone, told === 'not shown' ? null : 'its list lacks records that may be there');
}

/** Of a list that proves nothing by what it lacks, each is asked for. */
async function askEach({ run }: Comparison, { ids, isCounted }: Gone): Promise<Doubt> {
  const gone: string[] = [];
  let why = ids.length > MOST_ASKED_EACH ? 'its list lacks too many records to ask for each' : null;
  for (const id of ids.slice(0, MOST_ASKED_EACH)) {
    const told = await askUnlisted(run, run.entry, { ids: [id], isCounted });
    if (told === 'not shown') gone.push(id);
    else
      why ??=
        told === 'shown'
          ? 'its list lacks records that are there'
          : 'Procore did not say whether what its list lacks is there';
  }
  return { why, gone, unlisted: gone };
}
