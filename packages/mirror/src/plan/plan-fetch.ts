// Which calls bring a batch up to date? The cheapest that the catalogue's facts allow. Pure: values in, values out.
import { type CataloguedResource, isListedByParent } from '@procore-mirror/catalogue';
import { type DateWindow, type DayFacts, dateWindows, pagesOfWindow } from './date-windows.ts';
import type { WantedRecord } from './wanted-record.ts';

export type FetchCall =
  /** One record by its id. */
  | { kind: 'show'; id: string; parentId: string | null }
  /** Up to a hundred records by their ids in one list call. */
  | { kind: 'list by ids'; ids: readonly string[]; parentId: string | null }
  /** Up to a hundred records in a list that carries part of them: their shows are still to come. */
  | { kind: 'refresh by ids'; ids: readonly string[]; parentId: string | null }
  /** Every record of the scope, or of one parent. */
  | { kind: 'list all'; ids: readonly string[]; parentId: string | null }
  /** Those of some days, in a list that is by date. */
  | ({ kind: 'list by dates'; parentId: string | null } & DateWindow)
  /** The parent, which carries its children. */
  | { kind: 'parent'; ids: readonly string[]; parentId: string }
  /** Every parent of the scope with the children it carries. */
  | { kind: 'all parents'; ids: readonly string[] }
  /** A list of the whole scope that names the parent of each of these; then each is shown. */
  | { kind: 'find parents'; ids: readonly string[] }
  /** The children of one parent after the other, until all are found. */
  | { kind: 'walk parents'; ids: readonly string[] }
  /** The lists under one record, which moved or came back; they are no call for it. */
  | { kind: 'lists under'; ids: readonly [string] };

export type FetchPlan = {
  calls: readonly FetchCall[];
  /** API calls that the plan needs if every record is found; a walk counts as one. */
  estimatedCalls: number;
};

/** Facts about the mirror that the choice depends on: how many records a listing would return, as far as we know. */
export type PlanFacts = DayFacts & {
  records: number;
  parents: number;
  /** Calls that the budget allows this batch now; null when that is not known. */
  affordableCalls: number | null;
};

/** So many ids a list takes in its filter. */
export const IDS_PER_CALL = 100;
/** The part of the affordable calls that one batch may spend on shows before a list refreshes its records. */
const SHARE_FOR_SHOWS = 1 / 2;

/** Chooses the calls that fetch the wanted records of one batch. */
export function planFetch(entry: CataloguedResource, wanted: readonly WantedRecord[], facts: PlanFacts): FetchPlan {
  if (entry.parent === null) return planOf(fetchScope(entry, wanted, null, facts), facts);
  const groups = Map.groupBy(wanted, (record) => record.parentId);
  const toFind = (groups.get(null) ?? []).map((record) => record.id);
  groups.delete(null);
  const known = [...groups].flatMap(([parentId, records]) => (parentId === null ? [] : [{ parentId, records }]));
  if (entry.parent.embeddedAs !== null) return planOf(fetchParents(known, toFind, facts), facts);
  const calls = known.flatMap(({ parentId, records }) => fetchScope(entry, records, parentId, facts));
  calls.push(...lookForParents(entry, toFind));
  return planOf(calls, facts);
}

function lookForParents(entry: CataloguedResource, ids: readonly string[]): FetchCall[] {
  const { list, parent } = entry;
  if (ids.length === 0) return [];
  const isNamed = list !== null && !isListedByParent(entry) && parent !== null && parent.namedBy !== null;
  if (!isNamed) return [{ kind: 'walk parents', ids }];
  if (list.filterByIds === null) return [{ kind: 'find parents', ids }];
  return chunksOf(ids).map((chunk) => ({ kind: 'find parents', ids: chunk }));
}

function fetchParents(
  known: readonly { parentId: string; records: readonly WantedRecord[] }[],
  toFind: readonly string[],
  facts: PlanFacts,
): FetchCall[] {
  const ids = known.flatMap(({ records }) => records.map((record) => record.id));
  if (toFind.length > 0 || known.length > pagesFor(Math.max(facts.parents, known.length), facts)) {
    return [{ kind: 'all parents', ids: [...ids, ...toFind] }];
  }
  return known.map(({ parentId, records }) => ({ kind: 'parent', parentId, ids: records.map((record) => record.id) }));
}

function fetchScope(
  entry: CataloguedResource,
  wanted: readonly WantedRecord[],
  parentId: string | null,
  facts: PlanFacts,
): FetchCall[] {
  const { list, show } = entry;
  if (list?.carries === 'whole record' && list.todayOnly) return fetchDays(wanted, parentId, facts);
  if (list?.carries === 'whole record') {
    if (list.filterByIds !== null) return fetchFiltered(wanted, parentId, show !== null);
    const pages = parentId === null ? pagesFor(Math.max(facts.records, wanted.length), facts) : 1;
    if (show === null || wanted.length > pages) {
      return [{ kind: 'list all', ids: wanted.map((record) => record.id), parentId }];
    }
  }
  if (show === null) return [];
  const toRefresh = wanted.filter((record) => !record.isListed && !record.isDelete);
  const canRefresh = list !== null && list.filterByIds !== null && toRefresh.length > 1;
  if (canRefresh && isShort(wanted.length, facts)) return listByIds(toRefresh, parentId, 'refresh by ids');
  return showEach(
    [...wanted.filter((record) => !record.isListed), ...wanted.filter((record) => record.isListed)],
    parentId,
  );
}

/** A record with a delete event is probably gone, and no day's list proves that: it is asked for alone. */
function fetchDays(wanted: readonly WantedRecord[], parentId: string | null, facts: PlanFacts): FetchCall[] {
  const windows = dateWindows(
    wanted.filter(({ isDelete }) => !isDelete),
    facts,
  );
  const listed = new Set(windows.flatMap(({ ids }) => ids));
  const alone = wanted.filter(({ id }) => !listed.has(id));
  return [
    ...windows.map((window): FetchCall => ({ kind: 'list by dates', parentId, ...window })),
    ...showEach(alone, parentId),
  ];
}

function fetchFiltered(wanted: readonly WantedRecord[], parentId: string | null, canShow: boolean): FetchCall[] {
  if (!canShow) return listByIds(wanted, parentId);
  // A record with a delete event is probably gone, and a list that lacks it proves nothing: ask for it alone.
  const [alone, together] = [wanted.filter((record) => record.isDelete), wanted.filter((record) => !record.isDelete)];
  if (together.length === 1) return showEach(wanted, parentId);
  return [...listByIds(together, parentId), ...showEach(alone, parentId)];
}

/** So many shows would take a while: better to have what the list carries at once, for one call more. */
function isShort(shows: number, { affordableCalls }: PlanFacts): boolean {
  return shows > (affordableCalls ?? 0) * SHARE_FOR_SHOWS;
}

function listByIds(
  wanted: readonly WantedRecord[],
  parentId: string | null,
  kind: 'list by ids' | 'refresh by ids' = 'list by ids',
): FetchCall[] {
  return chunksOf(wanted.map(({ id }) => id)).map((ids) => ({ kind, parentId, ids }));
}

function chunksOf(ids: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(ids.length / IDS_PER_CALL) }, (_, index) =>
    ids.slice(index * IDS_PER_CALL, (index + 1) * IDS_PER_CALL),
  );
}

function showEach(wanted: readonly WantedRecord[], parentId: string | null): FetchCall[] {
  return wanted.map((record) => ({ kind: 'show', id: record.id, parentId }));
}

function planOf(calls: readonly FetchCall[], facts: PlanFacts): FetchPlan {
  const estimatedCalls = calls.reduce((sum, call) => sum + costOf(call, facts), 0);
  return { calls, estimatedCalls };
}

function costOf(call: FetchCall, facts: PlanFacts): number {
  if (call.kind === 'list all' && call.parentId === null)
    return pagesFor(Math.max(facts.records, call.ids.length), facts);
  if (call.kind === 'list by dates') return pagesOfWindow(call, facts);
  if (call.kind === 'find parents') return 1 + call.ids.length;
  if (call.kind === 'all parents') return pagesFor(facts.parents, facts);
  return 1;
}

function pagesFor(records: number, { perPage }: PlanFacts): number {
  return Math.max(1, Math.ceil(records / perPage));
}

/** The parent that the call is about; null where it is none, or not one alone. */
export function parentIdOf(call: FetchCall): string | null {
  return 'parentId' in call ? call.parentId : null;
}

/** The records that the call is to bring. */
export function idsOf(call: FetchCall): readonly string[] {
  return call.kind === 'show' ? [call.id] : call.ids;
}
