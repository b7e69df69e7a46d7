// The comparison of one resource in one scope with Procore's lists. Nothing is stored.
//
//   each list, page by page: what differs, what is missing; at its end, if it proves anything, what is extra ──▶ suspected
//   a pause ──▶ the lists with suspects once more ──▶ what is seen again is sure ──▶ proof, and repair where it is wanted
//
// A row differs only if it is older than the first request and no news of it waits: what happens while we look is no difference.
import { setTimeout as sleep } from 'node:timers/promises';
import { isListedByParent, listsAll, parentsOf } from '@procore-mirror/catalogue';
import {
  type BatchKey,
  type ComparisonTask,
  compareRecords,
  countAllRows,
  type Difference,
  findLacking,
  forgetDifferences,
  inTransaction,
  listDifferences,
  listIds,
  listSuspectLists,
  markPending,
  type Proof,
  type Queryable,
  readProvedSince,
  settleSuspects,
  suspectDifferences,
  type Transaction,
} from '@procore-mirror/database';
import { z } from 'zod';
import { compareCounts } from './ask/compare-counts.ts';
import type { ListingOptions, Page } from './ask/listing-pages.ts';
import { flawOfAnswer, type Look, lookAtList } from './ask/look-at-list.ts';
import { hasPlace } from './ask/record-paths.ts';
import { askUnlisted } from './ask/witness.ts';
import { datesBetween, windowsBack } from './plan/date-windows.ts';
import { deleteCap } from './plan/delete-cap.ts';
import { counted } from './plan/fill-in-words.ts';
import { isNotFound } from './plan/judge-failure.ts';
import { type BatchRun, openRun, scopeOf } from './run/batch-run.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { rulesOf } from './run/kept-walk.ts';
import { readItems } from './run/read-answer.ts';
import { buryUnlisted } from './store/bury-unlisted.ts';

const comparePlace = z.object({
  rules: z.string(),
  /** Taken before the first request. */
  since: z.string(),
  /** The day from which windows of days are counted back. */
  day: z.string(),
  /** The list that was looked at last; null: none was. */
  after: z.string().nullable(),
  /** Records that lists showed, and the first reason why they prove nothing. */
  theirs: z.number(),
  flaw: z.string().nullable(),
});

type ComparePlace = z.infer<typeof comparePlace>;

/** What a comparison that goes on after a restart stands on. */
export type KeptComparison = {
  /** What was kept, null at the beginning. */
  place: unknown;
  /** Throws ComparisonLostError when somebody else has it by now. */
  keep: (client: Queryable, place: ComparePlace, calls: number) => Promise<void>;
  /** The last step, in one transaction with what follows of the comparison. Throws the same. */
  end: (client: Transaction, compared: Compared) => Promise<void>;
};

export type Compared = Pick<
  Proof,
  'ours' | 'theirs' | 'missing' | 'changed' | 'extra' | 'outcome' | 'detail' | 'calls'
>;

export type CompareOptions = Pick<ComparisonTask, 'rung' | 'repairs' | 'buriesAll'> & {
  signal: AbortSignal;
  now: Date;
  kept: KeptComparison;
  /** Told of the calls it made now when it ends, in whatever way. */
  onEnd?: (calls: number) => void;
};

type Comparison = { run: BatchRun; place: ComparePlace; options: CompareOptions };

/** One list of the resource: of all, of a parent, of some days, or a further one. */
type Part = ListingOptions & { name: string };

/** Whom so many lists in a row refuse is refused by the rest, too. */
const REFUSALS_IN_A_ROW = 10;
const MOST_MARKED = 1000;
const MOST_PARENTS = 1_000_000;

/** Compares all that lists of the resource show, and tells what differs, each after a second look. Throws what the client throws, and may pass. */
export async function compareResource(
  settings: FetchSettings,
  scope: BatchKey,
  options: CompareOptions,
): Promise<Compared> {
  const run = await openRun(settings, { ...scope, lane: 'verify' }, options.signal);
  const before = comparePlace.safeParse(options.kept.place).data;
  const isSame = before?.rules === rulesOf(run);
  const place = before && isSame ? before : firstPlace(run, options.now);
  const comparison = { run, place, options };
  try {
    if (place.after === null) await forgetDifferences(settings.database.pool, scope);
    if (options.rung === 'count') return await end(comparison, await compareCounts(run));
    const parts = await partsOf(comparison);
    await lookAtAll(comparison, parts);
    await lookAgain(comparison, parts);
    return await conclude(comparison);
  } finally {
    options.onEnd?.(run.counts().calls);
  }
}

function firstPlace(run: BatchRun, now: Date): ComparePlace {
  return { rules: rulesOf(run), since: run.version, day: now.toISOString(), after: null, theirs: 0, flaw: null };
}

/** The lists, in the order of their names. */
async function partsOf({ run, place }: Comparison): Promise<Part[]> {
  const { entry } = run;
  const { list } = entry;
  if (list === null || list.shared) return [];
  if (isListedByParent(entry)) return (await parentsOfRun(run)).map((parentId) => ({ name: parentId, parentId }));
  const own: Partial<Part>[] = list.todayOnly
    ? windowsBack(new Date(place.day)).map((days) => ({ searchParams: datesBetween(days) }))
    : [{}];
  const parts = [...own, ...list.also.map((also) => ({ also }))];
  return parts.map((part, index) => ({ ...part, name: String(index).padStart(3, '0'), parentId: null }));
}

/** Those of our rows, and those that their own comparison found to be missing, but for those that it found to be gone. */
async function parentsOfRun(run: BatchRun): Promise<string[]> {
  const { batch, entry, settings } = run;
  const { pool } = settings.database;
  const ids = new Set<string>();
  for (const { table, resource } of parentsOf(settings.catalogue, entry)) {
    for (const id of await listIds(pool, { ...batch, table }, MOST_PARENTS)) ids.add(id);
    const differences = await listDifferences(pool, { ...batch, resource });
    for (const { id, kind } of differences) {
      if (kind === 'extra') ids.delete(id);
      else ids.add(id);
    }
  }
  const placed: string[] = [];
  for (const id of ids) if (await hasPlace(run, entry, id)) placed.push(id);
  return placed.toSorted();
}

async function lookAtAll(comparison: Comparison, parts: readonly Part[]): Promise<void> {
  const { run, options } = comparison;
  let refusals = 0;
  for (const part of parts) {
    const { after, theirs, flaw } = comparison.place;
    if (after !== null && part.name <= after) continue;
    const found = refusals < REFUSALS_IN_A_ROW ? await look(comparison, part) : NOTHING_SEEN;
    refusals = found.isRefused ? refusals + 1 : 0;
    const place = { ...comparison.place, after: part.name, theirs: theirs + found.ids.size, flaw: flaw ?? found.flaw };
    await inTransaction(run.settings.database, async (client) => {
      await suspectDifferences(client, run.batch, found.differences);
      await options.kept.keep(client, place, run.counts().calls);
    });
    comparison.place = place;
  }
}

type Found = {
  differences: Difference[];
  ids: ReadonlySet<string>;
  flaw: string | null;
  isCounted: boolean;
  isRefused: boolean;
};
const NOTHING_SEEN: Found = { differences: [], ids: new Set(), flaw: null, isCounted: false, isRefused: true };

/** One look at a list. */
async function look({ run, place }: Comparison, { name: _, ...part }: Part): Promise<Found> {
  const { entry } = run;
  const differences: Difference[] = [];
  const looked = await lookAtList(run, entry, part, async (page) => {
    differences.push(...(await comparePage({ run, place }, part, page)));
  }).catch(flawOfAnswer);
  if (looked instanceof Error) return { ...NOTHING_SEEN, ...(await refused({ run, place }, part, looked)) };
  if (looked.flaw === null) differences.push(...(await extraIn({ run, place }, part, looked)));
  const own = differences.map((difference) => ({ ...difference, parentId: part.parentId }));
  // What a list lacks that leaves things out anyway proves as little with a flaw as without; but one that was cut off hides what is missing.
  const flaw = listsAll(entry) ? looked.flaw : looked.doubt;
  return { differences: own, ids: looked.ids, flaw, isCounted: looked.isCounted, isRefused: false };
}

/** Of a parent without such a list there is nothing to compare, unless we hold something. */
async function refused(
  { run, place }: Pick<Comparison, 'run' | 'place'>,
  { parentId }: ListingOptions,
  error: Error,
): Promise<Pick<Found, 'flaw' | 'isRefused'>> {
  if (!isNotFound(error) || parentId === null) return { flaw: error.message, isRefused: true };
  const held = await findLacking(run.settings.database.pool, readingOf({ run, place }), {
    under: parentId,
    isLive: true,
  });
  return held.length === 0 ? { flaw: null, isRefused: false } : { flaw: error.message, isRefused: true };
}

async function comparePage(
  { run, place }: Pick<Comparison, 'run' | 'place'>,
  { parentId }: ListingOptions,
  { text, wrapper }: Page,
): Promise<Difference[]> {
  const { entry, settings } = run;
  const idsOnly = entry.list?.within !== null;
  const ids = () => Buffer.from(JSON.stringify(readItems(text, entry).map(({ id }) => ({ id }))));
  const answer = {
    ...{ ...scopeOf(run, entry), table: entry.table, version: place.since, parentId, only: null, idsOnly },
    ...(idsOnly ? { json: ids(), wrapper: 'none' as const } : { json: text.bytes, wrapper }),
    isPart: entry.list?.carries !== 'whole record',
  };
  return inTransaction(settings.database, (client) => compareRecords(client, answer));
}

const readingOf = ({ run, place }: Pick<Comparison, 'run' | 'place'>) => ({
  ...scopeOf(run, run.entry),
  ...{ table: run.entry.table, since: place.since },
});

async function extraIn(
  { run, place }: Pick<Comparison, 'run' | 'place'>,
  { parentId }: ListingOptions,
  { ids }: Look,
): Promise<Difference[]> {
  if (!listsAll(run.entry)) return [];
  const under = { under: parentId, isLive: true };
  const lacking = await findLacking(run.settings.database.pool, readingOf({ run, place }), under);
  return lacking.filter(({ id }) => !ids.has(id)).map(({ id }) => ({ id, kind: 'extra', fields: null, parentId }));
}

/** Of what a list lacks so many are asked for one by one. */
const MOST_ASKED = 20;

/** What differs at a second look, too, is sure. */
async function lookAgain(comparison: Comparison, parts: readonly Part[]): Promise<void> {
  const { run, options } = comparison;
  const { settings, batch } = run;
  const lists = await listSuspectLists(settings.database.pool, batch);
  if (lists.length > 0) await sleep(settings.absencePauseMs, null, { signal: run.signal });
  for (const parentId of lists) {
    const seen: Difference[] = [];
    const ids = new Set<string>();
    let { flaw } = comparison.place;
    let isCounted = true;
    for (const part of parts.filter((part) => part.parentId === parentId)) {
      const found = await look(comparison, part);
      seen.push(...found.differences);
      for (const id of found.ids) ids.add(id);
      flaw ??= found.flaw;
      isCounted &&= found.isCounted;
    }
    const extra = seen.flatMap(({ id, kind }) => (kind === 'extra' ? id : [])).slice(0, MOST_ASKED);
    // A list may leave out more than the reference says, or what is hidden from us.
    if (extra.length > 0 && (await askUnlisted(run, run.entry, { ids: extra, isCounted })) !== 'not shown') {
      seen.splice(0, seen.length, ...seen.filter(({ kind }) => kind !== 'extra'));
      flaw ??= 'its list lacks records that may be there';
    }
    let { place } = comparison;
    await inTransaction(settings.database, async (client) => {
      const dropped = await settleSuspects(client, batch, { parentId, seen });
      // The first look skipped one, so it may have skipped another that we do not know.
      if (dropped.some((id) => ids.has(id))) flaw ??= 'it changed while it was read';
      place = { ...comparison.place, flaw };
      await options.kept.keep(client, place, run.counts().calls);
    });
    comparison.place = place;
  }
}

/** Where nothing is to be repaired. */
async function end(
  { run, options }: Comparison,
  counts: Pick<Compared, 'ours' | 'theirs' | 'outcome' | 'detail'>,
): Promise<Compared> {
  const compared = { ...counts, missing: 0, changed: 0, extra: 0, calls: run.counts().calls };
  await inTransaction(run.settings.database, (client) => options.kept.end(client, compared));
  return compared;
}

async function conclude(comparison: Comparison): Promise<Compared> {
  const { run, place, options } = comparison;
  const { settings, batch } = run;
  const { database } = settings;
  const differences = await listDifferences(database.pool, batch);
  const ours = await countAllRows(database.pool, readingOf({ run, place }));
  const count = (kind: Difference['kind']) => differences.filter((difference) => difference.kind === kind).length;
  const extra = count('extra');
  const cap = options.buriesAll ? Number.POSITIVE_INFINITY : deleteCap(ours, settings.deleteCap);
  const tooMany =
    extra > cap
      ? `${counted(extra, 'row')} that Procore lists no more: more than DELETE_CAP (${cap}) allows to bury`
      : null;
  const compared: Compared = {
    ...{ ours, theirs: place.theirs, missing: count('missing'), changed: count('changed'), extra },
    outcome: differences.length > 0 ? 'differs' : place.flaw === null ? 'equal' : 'not proved',
    detail: [place.flaw, options.repairs ? tooMany : null].filter((reason) => reason !== null).join('; ') || null,
    calls: run.counts().calls,
  };
  await inTransaction(database, async (client) => {
    if (options.repairs) {
      await markForRepair(client, run, differences);
      if (tooMany === null) await buryExtra(client, comparison, differences);
    }
    await options.kept.end(client, compared);
  });
  return compared;
}

/** Has these fetched. */
async function markForRepair(client: Transaction, run: BatchRun, differences: readonly Difference[]): Promise<void> {
  const { companyId, projectId, resource } = run.batch;
  const news = differences
    .filter(({ kind }) => kind !== 'extra')
    .map(({ id, parentId }) => ({
      ...{ companyId, projectId, resource, recordId: id, parentId, isDelete: false, isRelative: false },
    }));
  if (news.length === 0) return;
  const happenedAt = await readProvedSince(client, run.batch);
  for (let at = 0; at < news.length; at += MOST_MARKED)
    await markPending(client, {
      ...{ news: news.slice(at, at + MOST_MARKED), lane: 'repair', pace: run.settings, happenedAt },
    });
}

async function buryExtra(
  client: Transaction,
  { run, place, options }: Comparison,
  differences: readonly Difference[],
): Promise<void> {
  const { since } = place;
  const extra = differences.filter(({ kind }) => kind === 'extra');
  for (const [under, own] of Map.groupBy(extra, ({ parentId }) => parentId)) {
    const ids = own.map(({ id }) => id);
    await buryUnlisted(client, run, run.entry, { version: since, since, under, buriesAll: options.buriesAll }, ids);
  }
}
