// What time is it at Procore? Its Date header has whole seconds, so one answer leaves a second of doubt; several together
// leave little. Resets of limits are times of that clock, and a second lost in each window of ten is a tenth of all calls.

export type ServerClock = {
  /** Learns from an answer: its Date, and when request and answer went and came by our clock. All in ms since 1970. */
  see: (answer: { date: number; sentAt: number; receivedAt: number }) => void;
  /** The earliest that it can be there now, so that nothing is done too early; our own time before the first answer. */
  earliest: (now: number) => number;
  /** How far it is ahead of ours, ms, give or take a second and the way of an answer; null before the first. */
  aheadMs: () => number | null;
};

// Clocks drift, so what an answer told is forgotten after five to ten minutes.
const KEPT_MS = 5 * 60_000;
const UNKNOWN = Number.NEGATIVE_INFINITY;

/** A clock that follows the other side's. */
export function createServerClock(): ServerClock {
  let [aheadMs, aheadBefore, since] = [UNKNOWN, UNKNOWN, 0];

  return {
    see: ({ date, sentAt, receivedAt }) => {
      const isContradicted = date + 1000 - sentAt < Math.max(aheadMs, aheadBefore); // one of the clocks was set
      if (isContradicted) aheadMs = UNKNOWN;
      if (isContradicted || receivedAt - since > KEPT_MS) {
        [aheadBefore, aheadMs, since] = [aheadMs, UNKNOWN, receivedAt];
      }
      aheadMs = Math.max(aheadMs, date - receivedAt);
    },
    earliest: (now) => {
      const ahead = Math.max(aheadMs, aheadBefore);
      return ahead === UNKNOWN ? now : now + ahead;
    },
    aheadMs: () => {
      const ahead = Math.max(aheadMs, aheadBefore);
      return ahead === UNKNOWN ? null : ahead;
    },
  };
}
