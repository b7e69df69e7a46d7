import { UPKEEP_SHARES } from './upkeep-shares.ts';

/**
 * How many calls the schedule of comparisons may still make now. `hourLimit`: null, there is none. What the delivery log took beyond its own share,
 * because deliveries were missed, it took of this one.
 */
export function proofCallsLeft({
  used,
  usedByLog,
  hourLimit,
}: {
  used: number;
  usedByLog: number;
  hourLimit: number | null;
}): number {
  if (hourLimit === null) return Number.POSITIVE_INFINITY;
  const lent = Math.max(usedByLog - Math.floor(hourLimit * UPKEEP_SHARES.log), 0);
  return perHour(hourLimit) - used - lent;
}

/** How long a round of comparisons takes that needs so many calls, ms; `everyMs` where the share suffices. */
export function roundOfProofsMs(calls: number, hourLimit: number | null, everyMs: number): number {
  return hourLimit === null ? everyMs : Math.max(everyMs, (calls / perHour(hourLimit)) * 3_600_000);
}

function perHour(hourLimit: number): number {
  return Math.max(Math.floor(hourLimit * UPKEEP_SHARES.proofs), 1);
}
