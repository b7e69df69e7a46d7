/** The least and the longest time for which something that fails is left alone. */
export type Pauses = { leastMs: number; longestMs: number };

export const pauses = {
  /** What refuses us rarely changes its mind without a person: about 27 probes on the first day. */
  refused: { leastMs: 20_000, longestMs: 7_200_000 },
  /** An outage ends by itself and holds everything up: a question a minute does nobody harm, two idle hours would. */
  unreachable: { leastMs: 1_000, longestMs: 60_000 },
} as const satisfies Record<string, Pauses>;

/** How long to wait before the next probe of what has failed for so long already: half of that time, within the limits. */
export function pauseBeforeProbeMs(failingForMs: number, { leastMs, longestMs }: Pauses): number {
  return Math.min(Math.max(failingForMs / 2, leastMs), longestMs);
}
