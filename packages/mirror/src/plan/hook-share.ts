import { UPKEEP_SHARES } from './upkeep-shares.ts';

/** Of an hour's calls: what looking after hooks may take until all scopes have one. */
const SHARE_OF_SETUP = 0.5;
/** Of those of looks: what lists of projects may take where they are short. */
const SHARE_OF_LISTS = 1 / 30;
const HOUR_MS = 3_600_000;
const LONGEST_LIST_MS = 24 * HOUR_MS;
/** The triggers of a hook are listed that often, a call more: one that was swapped for another leaves their number as it was. */
export const LIST_TRIGGERS_EVERY_MS = 30 * 24 * HOUR_MS;

/** How many calls hooks may still take now. `hourLimit`: null, there is none. `isSetup`: for a scope that was never looked at. */
export function hookCallsLeft(
  { used, hourLimit }: { used: number; hourLimit: number | null },
  isSetup: boolean,
): number {
  if (hourLimit === null) return Number.POSITIVE_INFINITY;
  const share = Math.floor(hourLimit * (isSetup ? SHARE_OF_SETUP : UPKEEP_SHARES.hooks));
  return Math.max(share, 1) - used;
}

/** How long one look at each of these scopes takes at that share, ms, lists of projects and of triggers included; `everyMs` where it suffices. */
export function roundOfLooksMs(scopes: number, hourLimit: number | null, everyMs: number): number {
  if (hourLimit === null) return everyMs;
  const perHour = Math.max(Math.floor(hourLimit * UPKEEP_SHARES.hooks), 1) * (1 - SHARE_OF_LISTS);
  const listings = (scopes * HOUR_MS) / LIST_TRIGGERS_EVERY_MS;
  return Math.max(everyMs, (scopes / Math.max(perHour - listings, perHour / 2)) * HOUR_MS);
}

/**
 * How often the projects of a company with so many scopes are listed, ms. Where the share does not suffice for looks, a list of many pages would
 * take a good part of it: then lists, of so many calls each, take a thirtieth, for an event tells of a new project anyway.
 */
export function listEveryMs(
  { scopes, listCalls, hourLimit }: { scopes: number; listCalls: number; hourLimit: number | null },
  everyMs: number,
): number {
  if (hourLimit === null || roundOfLooksMs(scopes, hourLimit, everyMs) <= everyMs) return everyMs;
  const perHour = Math.max(Math.floor(hourLimit * UPKEEP_SHARES.hooks), 1) * SHARE_OF_LISTS;
  return Math.max(everyMs, Math.min((listCalls / perHour) * HOUR_MS, LONGEST_LIST_MS));
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
