// How often the schedule compares a table, and how far up the ladder it goes.
import type { ComparisonTask, NextProofs, ProofTurn, Rung } from '@procore-mirror/database';

/** So many times as rarely it reads whole lists. */
const LISTING_EVERY = 7;

export function listingEveryMs(everyMs: number): number {
  return LISTING_EVERY * everyMs;
}

const LONGEST_PUT_OFF_MS = 3_600_000;

/** How long what cannot be compared now is left alone, ms. */
export function putOffMs(everyMs: number): number {
  return Math.min(everyMs / 4, LONGEST_PUT_OFF_MS);
}

/** What a table is compared by. The cheap rungs begin with counts and go up to recycle bins, as far as its lists have them. */
export const RUNGS: Readonly<Record<ProofTurn, Rung>> = { differing: 'listing', cheap: 'bin', listing: 'listing' };

export type Ended = Pick<ComparisonTask, 'rung' | 'repairs'> & {
  /** Null: its tool is off. */
  outcome: 'equal' | 'differs' | 'not proved' | null;
  /** How long it was known to differ before, ms; null: it was not. */
  differsForMs?: number | null | undefined;
  /** Nothing was asked, because the scope is parked. */
  isParked?: boolean | undefined;
};

const AS_BEFORE: NextProofs = { cheapInMs: null, listingInMs: null, listingSoonerMs: 0 };

/** When the schedule is to compare a table again of which a comparison has ended. `everyMs`: 0, there is no schedule. */
export function nextProofs(
  { rung, repairs, outcome, isParked, differsForMs = null }: Ended,
  everyMs: number,
): NextProofs {
  if (everyMs === 0 || rung === 'sample') return AS_BEFORE;
  if (isParked) return { ...AS_BEFORE, cheapInMs: putOffMs(everyMs), listingInMs: putOffMs(everyMs) };
  const rareMs = listingEveryMs(everyMs);
  if (outcome === null) return { ...AS_BEFORE, cheapInMs: rareMs, listingInMs: rareMs };
  // What a person was told of and did not have repaired the schedule still repairs.
  if (outcome === 'differs' && !repairs) return AS_BEFORE;
  // What differed is proved again by its list, for until then nothing tells that all of it was found and repaired; but no more often than each
  // table is looked at.
  const isDiffering = outcome === 'differs';
  if (rung === 'listing') {
    // A list that never proves anything must not take the turns of all others.
    const againMs = outcome === 'not proved' && differsForMs !== null ? differsForMs / 2 : rareMs;
    const listingInMs = isDiffering ? everyMs : Math.min(Math.max(againMs, everyMs), rareMs);
    return { ...AS_BEFORE, cheapInMs: everyMs, listingInMs };
  }
  return { ...AS_BEFORE, cheapInMs: everyMs, listingSoonerMs: isDiffering ? rareMs - everyMs : 0 };
}
