import type { PlannedLook } from './plan-looks.ts';
import { UPKEEP_SHARES } from './upkeep-shares.ts';

/** Of an hour's calls: what the log of deliveries may take after deliveries were missed, with what comparisons leave. */
const SHARE_AFTER_GAP = UPKEEP_SHARES.log + UPKEEP_SHARES.proofs;

/** What more frequent looks than once a day may take of that: the rest is for what hints at a gap. */
const SHARE_OF_MORE = 0.07;

/** How many calls looks at the log may still take now, for this reason. `hourLimit`: null, there is none. */
export function logCallsLeft(
  { used, hourLimit }: { used: number; hourLimit: number | null },
  because: PlannedLook['because'],
): number {
  if (hourLimit === null) return Number.POSITIVE_INFINITY;
  const share = because === 'gap' ? SHARE_AFTER_GAP : because === 'whole' ? SHARE_OF_MORE : UPKEEP_SHARES.log;
  return Math.max(Math.floor(hourLimit * share), 1) - used;
}

/** How long looks that take so many calls together, a page each, take at that share, ms. */
export function roundOfLogMs(calls: number, hourLimit: number | null): number {
  return hourLimit === null ? 0 : (calls / Math.max(Math.floor(hourLimit * UPKEEP_SHARES.log), 1)) * 3_600_000;
}

const HOUR_MS = 3_600_000;
/** A log goes unseen no longer than that, as far as the share reaches. */
const UNSEEN_MS = 36 * HOUR_MS;
const LONGEST_TURN_MS = 24 * HOUR_MS;

/** After how long it is the turn of a log, ms: once a day, or as much earlier as a look at all of them, with so many calls, takes long. */
export function turnOfLogMs(calls: number, hourLimit: number | null): number {
  return Math.min(LONGEST_TURN_MS, Math.max(0, UNSEEN_MS - roundOfLogMs(calls, hourLimit)));
}
