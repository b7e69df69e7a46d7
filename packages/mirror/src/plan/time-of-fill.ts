// How long fills may yet take: by their pace where they have one, else by what an hour allows. Pure.
import type { BackfillProgress, MirrorFacts, Shortage } from '@procore-mirror/database';
import { aboutTime, SHARE_OF_FILLS } from './shortage-in-words.ts';

const HOUR = 3_600_000;

export type TimeOfFill = {
  ms: number;
  /** What it follows from; `assumed limit`: Procore told of none yet. */
  by: 'pace' | 'limit' | 'assumed limit';
  callsPerHour: number;
};

type ToGo = { callsToGo: number; callsPerHour: number | null; shortage: Shortage | null };

/** Null: neither a pace nor a limit is known. While calls are used up no pace tells. */
export function timeOfFill(
  { callsToGo, callsPerHour, shortage }: ToGo,
  windows: MirrorFacts['budget']['windows'],
  now: Date,
): TimeOfFill | null {
  const [least] = windows.filter(({ window }) => window === 'hour').toSorted((one, other) => one.limit - other.limit);
  const msAt = (calls: number) => (callsToGo / Math.max(1, calls)) * HOUR;
  // What Procore is known to allow no pace outruns for long.
  if (callsPerHour !== null && shortage === null) {
    const isTooFast = least?.isTold === true && callsPerHour > least.limit * SHARE_OF_FILLS;
    if (!isTooFast) return { ms: msAt(callsPerHour), by: 'pace', callsPerHour };
  }
  if (least === undefined) return null;
  const waitMs = shortage === null ? 0 : Math.max(0, Date.parse(shortage.nextAt) - now.getTime());
  const by = least.isTold ? 'limit' : 'assumed limit';
  return { ms: waitMs + msAt(least.limit * SHARE_OF_FILLS), by, callsPerHour: least.limit };
}

/** `about 25 min to go, at its pace of the last minutes (5400 calls an hour)`. */
export function timeOfFillInWords({ ms, by, callsPerHour }: TimeOfFill): string {
  const because = {
    pace: `at its pace of the last minutes (${callsPerHour} calls an hour)`,
    limit: `by the limit of ${callsPerHour} calls an hour`,
    'assumed limit': `by ${callsPerHour} calls an hour, which are assumed: Procore told of no limit yet`,
  }[by];
  return `${aboutTime(ms)} to go, ${because}`;
}

/** Of what is told of fills while they are under way, where they have a pace. */
export function paceInWords({ callsToGo, toComplete, callsPerHour }: BackfillProgress): string | null {
  if (callsPerHour === null) return null;
  const time = timeOfFill({ callsToGo: callsToGo + toComplete, callsPerHour, shortage: null }, [], new Date(0));
  return time === null ? null : timeOfFillInWords(time);
}
