// How long it takes when calls are used up, told in the same words everywhere. Pure.
import type { Shortage } from '@procore-mirror/database';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** What is left of an hour to a backfill beside everything else, roughly. */
export const SHARE_OF_FILLS = 0.8;
const CLOCK = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** `0 of 600 calls left, next at 22:23, about 2 h to go`, in local time. */
export function shortageInWords(shortage: Shortage, callsToGo: number, now: Date): string {
  const untilNextMs = Math.max(0, Date.parse(shortage.nextAt) - now.getTime());
  const hours = Math.floor(callsToGo / Math.max(1, shortage.limit * SHARE_OF_FILLS));
  return `${callsLeftInWords(shortage)}, ${aboutTime(untilNextMs + hours * HOUR)} to go`;
}

/** `0 of 600 calls left, next at 22:23`, in local time. */
export function callsLeftInWords({ limit, left, nextAt }: Shortage): string {
  return `${left} of ${limit} calls left, next at ${CLOCK.format(new Date(nextAt))}`;
}

/** `about 25 min`. */
export function aboutTime(ms: number): string {
  if (ms < 2 * HOUR) return `about ${Math.max(1, Math.ceil(ms / MINUTE))} min`;
  return ms < 48 * HOUR ? `about ${Math.round(ms / HOUR)} h` : `about ${Math.round(ms / (24 * HOUR))} d`;
}
