// What a backfill will cost, from what a few calls told of its lists. Pure: values in, values out. It follows what a backfill does:
// lists in pages, a list for each parent where there is none of the scope, and a show for each record that its list carries in part.
import { type Catalogue, type CataloguedResource, isListedByParent, parentsOf } from '@procore-mirror/catalogue';
import { planFetch } from './plan-fetch.ts';

/** What is known of the lists of a resource in a scope before they are read. */
export type KnownLists = {
  /** `off`: Procore says that its tool is off. `refused`: it did not answer as a list does. */
  state: 'known' | 'off' | 'refused';
  /** How many records each list has: one list, or one for each window of days; of lists under parents that of one parent. NULL: not told. */
  totals: readonly (number | null)[];
  /** Some of these were not counted, but taken to be as others. */
  isEstimate: boolean;
  /** So many records a page holds. */
  pageSize: number;
  /** It is filled along, and not only asked for the sake of its children. */
  isFilled: boolean;
};

export type BackfillCost = {
  state: KnownLists['state'] | 'no list';
  /** Calls for lists, and for the records that their list carries in part. */
  listCalls: number;
  shows: number;
  /** Null: not known. */
  records: number | null;
  /** Not all of it was counted: one parent or window of days stands for the others, or a list told no Total or refused. */
  isEstimate: boolean;
};

export type Windows = {
  /** The calls that Procore gives in an hour, and in ten seconds. */
  hour: number;
  spike: number;
  /** Calls for news of events in the hour before. */
  live: number;
  /** The part of a window that backfills leave to others as long as it is new. */
  kept: number;
};

/** Until an answer told: Procore's smallest limits (docs/procore.md: Limits). */
export const CAREFUL: Pick<Windows, 'hour' | 'spike'> = { hour: 600, spike: 25 };

type Known = ReadonlyMap<string, KnownLists>;
type Find = Pick<Catalogue, 'find'>;

/** What the backfill of one resource in a scope costs. `known` has the lists of the scope's other resources, too. */
export function costOfBackfill(catalogue: Find, entry: CataloguedResource, known: Known): BackfillCost {
  const { list } = entry;
  if (list === null || isFree(entry)) return { ...NOTHING, state: 'no list' };
  const lists = known.get(entry.resource);
  if (lists === undefined || lists.state !== 'known') {
    const isOff = lists?.state === 'off';
    return { ...NOTHING, state: isOff ? 'off' : 'refused', listCalls: isOff ? 0 : 1, isEstimate: !isOff };
  }
  const { records, isEstimate } = countRecords(catalogue, entry, known);
  return {
    ...{ state: 'known', records, isEstimate },
    listCalls: callsForLists(catalogue, entry, known),
    shows: list.carries === 'whole record' ? 0 : countShows(entry, records ?? 0, lists.pageSize),
  };
}

const NOTHING = { listCalls: 0, shows: 0, records: null, isEstimate: false };

/** How long so many calls take, minutes; news of events goes first, and a window that begins gives a backfill a part of it at once. */
export function minutesFor(calls: number, { hour, spike, live, kept }: Windows): number {
  const usable = Math.max(hour - live, hour * kept, 1);
  const atOnce = Math.min(usable, hour * (1 - kept));
  const hours = Math.max(0, Math.ceil(calls / usable) - 1);
  const rest = calls - hours * usable;
  const afterTheFirst = rest <= atOnce ? 0 : (60 * (rest - atOnce)) / Math.max(usable - atOnce, 1);
  return hours * 60 + Math.max(rest / (spike * 6), afterTheFirst);
}

function countRecords(
  catalogue: Find,
  entry: CataloguedResource,
  known: Known,
): Pick<BackfillCost, 'records' | 'isEstimate'> {
  const { totals = [], isEstimate = false, state = 'refused' } = known.get(entry.resource) ?? {};
  const told = totals.filter((total) => total !== null);
  const sum = told.reduce((records, total) => records + total, 0);
  const isCounted = told.length === totals.length && !isEstimate && state !== 'refused';
  const isKnown = told.length > 0 || totals.length === 0;
  if (!isListedByParent(entry)) return { records: isKnown ? sum : null, isEstimate: !isCounted };
  const parents = countParents(catalogue, entry, known);
  const areParentsCounted = parentsOf(catalogue, entry).every(
    (parent) => isFree(parent) || !countRecords(catalogue, parent, known).isEstimate,
  );
  const records = parents * (told.length === 0 ? 0 : Math.round(sum / told.length));
  return {
    records: isKnown || parents === 0 ? records : null,
    isEstimate: parents > 1 || !areParentsCounted || (parents > 0 && !isCounted),
  };
}

/** It has no list of its own, so nothing of it is counted, nor asked for. */
function isFree({ list }: CataloguedResource): boolean {
  return list === null || list.shared;
}

function countParents(catalogue: Find, entry: CataloguedResource, known: Known): number {
  return parentsOf(catalogue, entry).reduce(
    (sum, parent) => sum + (countRecords(catalogue, parent, known).records ?? 0),
    0,
  );
}

function callsForLists(catalogue: Find, entry: CataloguedResource, known: Known): number {
  if (!isListedByParent(entry)) return pagesOf(entry, known);
  return countParents(catalogue, entry, known) * pagesOf(entry, known) + callsForParents(catalogue, entry, known);
}

/**
 * Where its parents are not filled along, the lists of them are read, and where they are under parents themselves, those of each, too.
 */
function callsForParents(catalogue: Find, entry: CataloguedResource, known: Known): number {
  const parents = parentsOf(catalogue, entry).filter((parent) => !isFree(parent));
  if (parents.every(({ resource }) => known.get(resource)?.isFilled === true)) return 0;
  return parents.reduce((sum, parent) => sum + callsForLists(catalogue, parent, known), 0);
}

/** Of one list; of all windows where it is read by days. */
function pagesOf({ resource }: CataloguedResource, known: Known): number {
  const lists = known.get(resource);
  if (lists === undefined || lists.state !== 'known') return lists?.state === 'off' ? 0 : 1;
  const pages = lists.totals.map((total) => Math.max(1, Math.ceil((total ?? 0) / lists.pageSize)));
  return pages.reduce((sum, count) => sum + count, 0);
}

/** What completes the records of a list: as the plan of their fetch has it. */
function countShows(entry: CataloguedResource, records: number, perPage: number): number {
  const parentId = entry.parent === null ? null : '0';
  const wanted = Array.from({ length: records }, (_, index) => ({
    ...{ id: String(index), parentId, isDelete: false, isListed: true, occurredAt: null },
  }));
  const facts = { records, parents: 1, perPage, affordableCalls: null, days: new Map(), recordsPerDay: 0 };
  return planFetch(entry, wanted, facts).estimatedCalls;
}
