/** Of an hour's calls: what looking after hooks may take once all scopes have one, and until then. */
const SHARE_OF_LOOKS = 0.05;
const SHARE_OF_SETUP = 0.5;
/** How many calls hooks may still take now. `hourLimit`: null, there is none. `isSetup`: for a scope that was never looked at. */
export function hookCallsLeft(
  { used, hourLimit }: { used: number; hourLimit: number | null },
  isSetup: boolean,
): number {
  if (hourLimit === null) return Number.POSITIVE_INFINITY;
  const share = Math.floor(hourLimit * (isSetup ? SHARE_OF_SETUP : SHARE_OF_LOOKS));
  return Math.max(share, 1) - used;
}

/** How long one look at each of these scopes takes at that share, ms, a list of projects each time included; `everyMs` where it suffices. */
export function roundOfLooksMs(scopes: number, hourLimit: number | null, everyMs: number): number {
  if (hourLimit === null) return everyMs;
  const perHour = Math.max(Math.floor(hourLimit * SHARE_OF_LOOKS) - 1, 1);
  return Math.max(everyMs, (scopes / perHour) * 3_600_000);
}

/** Since an event that told of projects: Procore's own copy may lag behind (docs/procore.md: Reading after an event). */
const AFTER_NEWS_MS = 2_000;
const AT_MOST_EVERY_MS = 15_000;
/** Where the share is used up: a new project is to have its hook within a minute. */
const AT_MOST_EVERY_WHEN_SHORT_MS = 45_000;

/** Are the company's projects to be listed now? */
export function isListDue(
  { listedMs, announcedMs }: { listedMs: number | null; announcedMs: number | null },
  { everyMs, isShort }: { everyMs: number; isShort: boolean },
): boolean {
  if (listedMs === null) return true;
  if (announcedMs !== null && announcedMs >= AFTER_NEWS_MS)
    return listedMs >= (isShort ? AT_MOST_EVERY_WHEN_SHORT_MS : AT_MOST_EVERY_MS);
  return !isShort && listedMs >= everyMs;
}

const FIRST_PAUSE_MS = 60_000;

/** How long a scope is left alone that so many looks in a row could not settle, ms. */
export function pauseOfLooks(failures: number, everyMs: number): number {
  return Math.min(everyMs, FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30));
}
