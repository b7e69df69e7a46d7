// What comparisons will cost, from what the mirror knows: its own rows, and how large pages of lists are. No call is made, nothing written.
import {
  type Catalogue,
  type CataloguedResource,
  isListedByParent,
  listsAll,
  parentsOf,
} from '@procore-mirror/catalogue';
import {
  type BatchKey,
  countLiveRows,
  type Database,
  listComparedTables,
  readOffTables,
  readPageSizes,
} from '@procore-mirror/database';
import { largestPageOf } from './ask/listing-pages.ts';
import { windowsBack } from './plan/date-windows.ts';
import { costOfBackfill, type KnownLists } from './plan/plan-backfill.ts';
import { shareSample } from './plan/share-sample.ts';
import type { Scope } from './scope.ts';

export type PlannedComparison = BatchKey & {
  isOff: boolean;
  records: number;
  isEstimate: boolean;
  /**
   * Calls of each rung; `climbed` is the listing where nothing below it can prove the table, and then the rungs below are not climbed.
   */
  calls: { count: number; window: number; bin: number; climbed: number; listing: number; sample: number };
};

const NO_CALLS: PlannedComparison['calls'] = { count: 0, window: 0, bin: 0, climbed: 0, listing: 0, sample: 0 };

type Options = {
  catalogue: Catalogue;
  scopes: readonly Scope[];
  /** How many records a sample has; null: none is planned. */
  sample: number | null;
  /** Records to a page, where no list is known to answer fewer. */
  pageSize: number;
  now: Date;
  random: () => number;
};

/** The comparison of each resource of the scopes. */
export async function planVerification(database: Database, options: Options): Promise<PlannedComparison[]> {
  const { catalogue, scopes, sample, random } = options;
  const known = await readKnown(database, options);
  const planned = scopes.flatMap((scope) => planScope(options, known, scope));
  const withShow = planned.filter(({ resource, isOff }) => !isOff && catalogue.get(resource).show !== null);
  const shares = shareSample(
    withShow.map(({ records }) => records),
    sample ?? 0,
    random,
  );
  for (const [index, one] of withShow.entries()) one.calls.sample = shares[index] ?? 0;
  return planned;
}

type Known = {
  rows: ReadonlyMap<string, number>;
  pageSizes: ReadonlyMap<string, number>;
  off: ReadonlySet<string>;
  /** Tables for which there is a time from which on changes can be asked for. */
  compared: ReadonlySet<string>;
};

const keyOf = ({ companyId, projectId, resource }: BatchKey): string => `${companyId}/${projectId ?? ''}/${resource}`;

async function readKnown({ pool }: Database, { catalogue, scopes }: Options): Promise<Known> {
  const companyIds = [...new Set(scopes.map(({ companyId }) => companyId))];
  const rows = new Map<string, number>();
  for (const { table, resource } of catalogue.mirrored) {
    for (const one of await countLiveRows(pool, { table, companyIds })) rows.set(keyOf({ ...one, resource }), one.rows);
  }
  const pageSizes = await readPageSizes(pool, companyIds);
  const off = await readOffTables(pool, companyIds);
  const compared = await listComparedTables(pool, companyIds);
  return {
    ...{ rows, off: new Set(off.map(keyOf)), compared: new Set(compared.map(keyOf)) },
    pageSizes: new Map(pageSizes.map(({ pageSize, ...key }) => [keyOf(key), pageSize])),
  };
}

function planScope(options: Options, known: Known, { resources, ...place }: Scope): PlannedComparison[] {
  const { catalogue } = options;
  const lists = new Map(
    catalogue.mirrored.map((entry) => [
      entry.resource,
      listsOf(options, known, { ...place, resource: entry.resource }),
    ]),
  );
  return resources.map((resource) => {
    const entry = catalogue.get(resource);
    const key = { companyId: place.companyId, projectId: place.projectId, resource };
    const isOff = known.off.has(keyOf(key));
    const hasList = !isOff && entry.list !== null && !entry.list.shared;
    const { listCalls, isEstimate } = costOfBackfill(catalogue, entry, lists);
    // The lists of parents that are not compared along with it are read, too.
    const besides = (entry.table.provedBy?.parents ?? [])
      .filter((parent) => !resources.includes(parent))
      .reduce((sum, parent) => sum + costOfBackfill(catalogue, catalogue.get(parent), lists).listCalls, 0);
    return {
      ...{ ...key, isOff, records: known.rows.get(keyOf(key)) ?? 0, isEstimate: hasList && isEstimate },
      calls: hasList ? callsOf(entry, listCalls + besides) : { ...NO_CALLS },
    };

    function callsOf(of: CataloguedResource, listing: number): PlannedComparison['calls'] {
      const { list, bin } = of;
      if (list?.filterByUpdate !== true || !known.compared.has(keyOf(key)))
        return { ...NO_CALLS, climbed: listing, listing };
      const own = countLists(catalogue, known, key);
      return {
        ...{ ...NO_CALLS, listing },
        count: Number(listsAll(of) && !isListedByParent(of)),
        window: own + besides + list.also.length,
        bin: bin === null ? 0 : bin.path === null ? own : 1,
      };
    }
  });
}

/** One of all, or one of each parent that we have. */
function countLists(catalogue: Catalogue, known: Known, key: BatchKey): number {
  const entry = catalogue.get(key.resource);
  if (!isListedByParent(entry)) return 1;
  const rowsOf = ({ resource, scope }: CataloguedResource) =>
    known.rows.get(keyOf({ ...key, projectId: scope === 'company' ? null : key.projectId, resource })) ?? 0;
  return parentsOf(catalogue, entry).reduce((sum, parent) => sum + rowsOf(parent), 0);
}

/** As if they had been counted: our rows, spread evenly over parents, or over windows of days. */
function listsOf({ catalogue, pageSize, now }: Options, known: Known, key: BatchKey): KnownLists {
  const entry = catalogue.get(key.resource);
  const rows = known.rows.get(keyOf(key)) ?? 0;
  const own = spread(entry, rows);
  return {
    ...{
      state: known.off.has(keyOf(key)) ? 'off' : 'known',
      totals: own.totals,
      isEstimate: own.isEstimate,
      isFilled: true,
    },
    pageSize: Math.min(largestPageOf(pageSize, entry), known.pageSizes.get(keyOf(key)) ?? Number.POSITIVE_INFINITY),
  };

  function spread({ list, ...of }: CataloguedResource, all: number): Pick<KnownLists, 'totals' | 'isEstimate'> {
    if (list === null) return { totals: [], isEstimate: false };
    if (isListedByParent({ ...of, list })) {
      const parents = countLists(catalogue, known, key);
      return { totals: [parents === 0 ? 0 : Math.ceil(all / parents)], isEstimate: parents > 1 };
    }
    const windows = list.todayOnly ? windowsBack(now).length : 1;
    const totals = Array.from({ length: windows }, () => Math.ceil(all / windows));
    return { totals: [...totals, ...list.also.map(() => 0)], isEstimate: windows > 1 };
  }
}
