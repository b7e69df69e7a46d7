// The rung `window`: what was created or updated since it was last compared. It tells nothing of what was deleted.
//
// What is asked for begins a day before that, and ends a day after now. The reference has ranges of times with an offset, but nobody was seen
// to ask for one (docs/procore.md: Filters): a list that reads the day of it, in whatever zone, is asked for enough all the same, and
// neither the clock of Procore nor a copy that lags makes a difference.
import { findKnownUpdates } from '@procore-mirror/database';
import type { Look } from '../ask/look-at-list.ts';
import { askUnlisted } from '../ask/witness.ts';
import { type Comparison, type Part, readingOf } from './comparison.ts';
import { listParts } from './list-parts.ts';
import { lookAtRecords } from './look-at-records.ts';
import { doubtAll, type RungLooks } from './look-through.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Of the records that a window should show, and of those that it lacks so many are asked for. */
const MOST_KNOWN = 20;
const MOST_ASKED = 3;

/** From when to when: `A...B`. */
export function windowOf({ base, day }: { base: string; day: string }): string {
  const [from, to] = [Date.parse(base) - DAY_MS, Date.parse(day) + DAY_MS];
  return [from, to].map((at) => `${new Date(at).toISOString().slice(0, 19)}Z`).join('...');
}

export async function windowLooks(comparison: Comparison, base: string): Promise<RungLooks> {
  const window = windowOf({ base, day: comparison.place.day });
  // Nobody says whether further lists take the filter, so they are read whole.
  const parts = await listParts(comparison, [[['filters[updated_at]', window]]]);
  const look: RungLooks['look'] = (comparison, part) =>
    lookAtRecords(comparison, part, async (looked) => ({
      differences: [],
      flaw: looked.doubt ?? (await flawOfFilter(comparison, part, looked, base)),
    }));
  return { parts, look, doubt: async (_, gone) => doubtAll(gone, null), tellsByLacking: false };
}

/** A list that does not do what the reference says may show nothing: where it lacks all that we know to be in it, a show tells. */
async function flawOfFilter(
  { run, place }: Comparison,
  part: Part,
  { ids }: Look,
  base: string,
): Promise<string | null> {
  const { entry, settings } = run;
  if (entry.list === null || entry.list.also.length > 0 || entry.list.hides !== null) return null;
  const known = await findKnownUpdates(settings.database.pool, readingOf({ run, place }), {
    ...{ under: part.parentId, from: base, to: place.day, limit: MOST_KNOWN },
  });
  if (known.length === 0 || known.some((id) => ids.has(id))) return null;
  const told = await askUnlisted(run, entry, { ids: known.slice(0, MOST_ASKED), isCounted: true });
  return told === 'shown' ? 'asked for what changed, its list lacks a record that did' : null;
}
