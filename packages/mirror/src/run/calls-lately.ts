import type { Clock } from './clock.ts';

/** What is younger is not entered in `mirror.fetches` yet, as a rule, ms: a share of calls counts it here. */
export const LATELY_MS = 10_000;

/** Counts the calls of the last moments. */
export function createCallsLately(clock: Clock): { made: () => void; count: () => number } {
  const times: number[] = [];
  return {
    made: () => void times.push(clock.now()),
    count: () => {
      while ((times[0] ?? Number.POSITIVE_INFINITY) < clock.now() - LATELY_MS) times.shift();
      return times.length;
    },
  };
}
