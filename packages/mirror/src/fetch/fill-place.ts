// Where a fill is. A resource is filled from one list or from several: one for each window of days, or for each parent.
//
//   parents ──▶ parts of the parent's list (windows) ──▶ readings of the part, until none is in doubt ──▶ pages
//
// The place goes to `mirror.backfills` in the transaction that stores a page, so whoever goes on reads no page twice but the one that was
// under way, and leaves out none.
import type { Queryable } from '@procore-mirror/database';
import { z } from 'zod';
import { listingProgress } from '../ask/listing.ts';
import { FillIncompleteError } from '../errors.ts';

const count = z.number().int().min(0);

const fillPlace = z.object({
  /** How the catalogue had the resource. By other rules it begins anew. */
  rules: z.string(),
  /** The day from which windows of days are counted back. */
  day: z.string(),
  /** Which of the parents, or of `todo` where that is all that is left of them, and which part of its list; counted from 0. */
  parent: count,
  todo: z.array(count).nullable(),
  /** Parents that did not answer, and may another time. */
  left: z.array(count),
  part: count,
  /** Which reading of the part, counted from 1; how many records the one before lacked, where its Total told. */
  reading: count,
  missedBefore: count.nullable(),
  /** Null: it has not begun. */
  listing: listingProgress.nullable(),
  /** It failed where it goes on, and is to be read from its beginning. */
  readsAnew: z.boolean().default(false),
  /** How often it was read from its beginning so, and how many records had come at most until then; null: it never was. */
  anew: count.default(0),
  passed: count.nullable().default(null),
  /** Records of the parts that were read to their end, and how many their Totals told. */
  records: count,
  total: count,
  /** A parent that answered. */
  answered: z.string().nullable(),
  /** Parents that need not be asked again, and how many they were when the fill last got on. */
  settled: count.default(0),
  settledBefore: count.default(0),
  /** A number taken before the first request; null: an earlier version of ours began, and nothing is concluded from what lists lack. */
  since: z.string().nullable().default(null),
  /** Parents whose lists were not read to their end without a flaw, null for the only list; null: too many of them. And the first flaw. */
  unproved: z.array(z.string().nullable()).nullable().default(null),
  flaw: z.string().nullable().default(null),
  /** Rows that were buried, and why others that lists lack were not. */
  buried: count.default(0),
  remarks: z.array(z.string()).default([]),
  /** Why records may be missing: the first reasons, and how many more. */
  doubts: z.array(z.string()),
  moreDoubts: count,
  /** What was done without: no doubt of the rest. */
  notes: z.array(z.string()),
});

export type FillPlace = z.infer<typeof fillPlace>;

const fillParents = z.object({
  rules: z.string(),
  ids: z.array(z.string()),
  /** The parents of these parents, as far as only lists named them. */
  places: z.array(z.tuple([z.string(), z.string()])),
});

export type FillParents = z.infer<typeof fillParents>;

/** How far a fill has come, for who watches. */
export type FillNews = {
  place: FillPlace;
  rows: number;
  total: number | null;
  calls: number;
  /** Is it further than it ever was? Then failures before count no more. */
  hasGotOn: boolean;
};

/** What a fill that goes on after a restart stands on. */
export type KeptFill = {
  /** What was kept, null at the beginning. */
  place: unknown;
  parents: unknown;
  /** Then what cannot be read is passed over, and the rest is read. */
  isLastTry: boolean;
  /** Failures in a row before. */
  attempts: number;
  /** Are the parents' own fills done, so that our rows tell all parents there are? */
  areParentsFilled: () => Promise<boolean>;
  /** Both throw FillLostError when somebody else has the fill by now. */
  keepParents: (parents: FillParents) => Promise<void>;
  keep: (client: Queryable, news: FillNews) => Promise<void>;
};

const MOST_NAMED = 3;
/** A list that grows gets further with each reading, and need not have an end. */
const MOST_ANEW = 3;
const MOST_UNPROVED = 300;

/** `since`: a number taken before the first request. */
export function firstPlace(rules: string, day: string, since: string | null): FillPlace {
  return {
    ...{
      rules,
      day,
      parent: 0,
      todo: null,
      left: [],
      part: 0,
      records: 0,
      total: 0,
      answered: null,
      settled: 0,
      settledBefore: 0,
      since,
      unproved: [],
      flaw: null,
      buried: 0,
      remarks: [],
      doubts: [],
      moreDoubts: 0,
      notes: [],
    },
    ...firstReading,
  };
}

const unread = { listing: null, readsAnew: false };
const firstReading = { reading: 1, missedBefore: null, anew: 0, passed: null, ...unread };

/** Null: there is none, or it cannot be read, or went by other rules. */
export function readPlace(kept: unknown, rules: string): FillPlace | null {
  const { data } = fillPlace.safeParse(kept);
  if (data?.rules !== rules) return null;
  if (!data.readsAnew) return data;
  return { ...data, ...unread, anew: data.anew + 1, passed: Math.max(data.passed ?? 0, cameIn(data)) };
}

function cameIn({ listing }: FillPlace): number {
  return listing === null ? 0 : listing.listed + listing.nameless;
}

/**
 * Is it further than it ever was? Pages that come are not enough, for they come again when a list is read anew, and so do those of a
 * parent that is asked again: what fails behind them would be tried for ever.
 */
export function hasGotOn(place: FillPlace): boolean {
  const { todo, listing, anew, passed, settled, settledBefore } = place;
  if (settled > settledBefore) return true;
  if (todo !== null || listing === null) return false;
  return passed === null || (anew <= MOST_ANEW && cameIn(place) > passed);
}

export function readParents(kept: unknown, rules: string): FillParents | null {
  const { data } = fillParents.safeParse(kept);
  return data?.rules === rules ? data : null;
}

/** The list of this parent, or the only one, is being read; until it is read to its end without a `flaw`, it proves nothing. */
export function withProof(place: FillPlace, parentId: string | null, flaw: string | null | 'unread'): FillPlace {
  if (place.unproved === null) return place;
  const others = place.unproved.filter((id) => id !== parentId);
  if (flaw === null) return { ...place, unproved: others };
  const unproved = others.length < MOST_UNPROVED ? [...others, parentId] : null;
  return { ...place, unproved, flaw: place.flaw ?? (flaw === 'unread' ? null : flaw) };
}

/** The next part of the same parent. `records`, `total`: of the one before. */
export function afterPart(place: FillPlace, { records, total }: { records: number; total: number }): FillPlace {
  const sums = { records: place.records + records, total: place.total + total };
  return { ...place, ...sums, part: place.part + 1, ...firstReading };
}

/** The next parent. `isLeft`: this one is to be asked again. */
export function afterParent(place: FillPlace, { isLeft }: { isLeft: boolean }): FillPlace {
  const { parent, todo, left } = place;
  const at = todo?.[parent] ?? parent;
  const settled = place.settled + (isLeft ? 0 : 1);
  return { ...place, parent: parent + 1, part: 0, left: isLeft ? [...left, at] : left, settled, ...firstReading };
}

/** Which parent is next, as its place among all; null: none is. */
export function parentAt({ parent, todo }: FillPlace, parents: number): number | null {
  return parent < (todo?.length ?? parents) ? (todo?.[parent] ?? parent) : null;
}

/** Those that were left, once more. */
export function onceMore(place: FillPlace): FillPlace {
  return { ...place, parent: 0, part: 0, todo: place.left, left: [], ...firstReading };
}

/** The same part again, because what was `missing` may come this time. */
export function nextReading(place: FillPlace, missing: number | null): FillPlace {
  return { ...place, reading: place.reading + 1, missedBefore: missing, passed: null, ...unread };
}

export function withDoubts(place: FillPlace, messages: readonly string[]): FillPlace {
  let { doubts, moreDoubts } = place;
  for (const message of messages) {
    if (doubts.includes(message)) continue;
    if (doubts.length < MOST_NAMED) doubts = [...doubts, message];
    else moreDoubts += 1;
  }
  return { ...place, doubts, moreDoubts };
}

/** Throws FillIncompleteError if any of `what` may be missing. */
export function insistOnNoDoubt(what: string, { doubts, moreDoubts }: FillPlace): void {
  if (doubts.length === 0) return;
  throw new FillIncompleteError(what, { issues: [...doubts, ...(moreDoubts > 0 ? [`${moreDoubts} more`] : [])] });
}
