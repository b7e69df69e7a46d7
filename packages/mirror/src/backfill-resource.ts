// The first fill of one resource in one scope. A list that carries the whole record is stored page by page; of others
// the ids are read and marked pending, and the worker's planner does the rest.
import { type BatchKey, markPending, type News, takeVersion } from '@procore-mirror/database';
import { type BatchRun, type FetchSettings, openRun } from './batch-run.ts';
import { isListedByParent } from './catalogue/catalogue.ts';
import { isNotFound, itemsOf, pagesOf, parentsToWalk, storeListing } from './listing.ts';

export type BackfillOptions = {
  signal: AbortSignal;
  now: Date;
};

/** How many records were stored at once, and how many wait for the worker to fetch them. */
export type Backfilled = { stored: number; pending: number };

const DAY_MS = 24 * 60 * 60 * 1000;
// A range of about 13 weeks is the most that daily logs take (SOURCES: REST behaviour).
const DAYS_PER_RANGE = 90;
const RANGES_BACK = 4;

/**
 * Fills one resource in one company or project from its listings; may be repeated. Records that live inside their
 * parents come with the parents. Throws what the client throws; what was stored until then stays.
 */
export async function backfillResource(
  settings: FetchSettings,
  scope: BatchKey,
  options: BackfillOptions,
): Promise<Backfilled> {
  const run = await openRun(settings, { ...scope, lane: 'backfill' }, options.signal);
  const { resource } = run;
  if (resource.list === null || resource.list.shared) return { stored: 0, pending: 0 };
  if (resource.list.carries === 'part of the record') return markListed(run);
  if (isListedByParent(resource)) return storeByParent(run);
  let stored = 0;
  for (const searchParams of resource.list.todayOnly ? dateRanges(options.now) : [[]]) {
    const version = await takeVersion(settings.database);
    stored += await storeListing(run, resource, version, { parentId: null, searchParams });
  }
  return { stored, pending: 0 };
}

async function markListed(run: BatchRun): Promise<Backfilled> {
  if (!isListedByParent(run.resource)) return { stored: 0, pending: await markPages(run, null) };
  return { stored: 0, pending: await sumOverParents(run, (parentId) => markPages(run, parentId)) };
}

async function markPages(run: BatchRun, parentId: string | null): Promise<number> {
  const { database, delayMs, maxWaitMs } = run.settings;
  const { resource } = run;
  let pending = 0;
  for await (const page of pagesOf(run, resource, { parentId })) {
    const news = itemsOf(page, resource).map((item) =>
      newsOf(run, item.id, resource.parent === null ? null : (parentId ?? item.parentId)),
    );
    await markPending(database.pool, { news, lane: 'backfill', eventId: null, occurredAt: null, delayMs, maxWaitMs });
    pending += news.length;
  }
  return pending;
}

async function storeByParent(run: BatchRun): Promise<Backfilled> {
  const store = async (parentId: string) =>
    storeListing(run, run.resource, await takeVersion(run.settings.database), { parentId });
  return { stored: await sumOverParents(run, store), pending: 0 };
}

async function sumOverParents(run: BatchRun, work: (parentId: string) => Promise<number>): Promise<number> {
  let sum = 0;
  for await (const parentId of parentsToWalk(run, run.resource)) {
    try {
      sum += await work(parentId);
    } catch (error) {
      if (!isNotFound(error)) throw error; // a parent that is gone has no children
    }
  }
  return sum;
}

function newsOf({ batch }: BatchRun, recordId: string, parentId: string | null): News {
  const { lane: _, ...key } = batch;
  return { ...key, recordId, parentId, isDelete: false, isRelative: false };
}

/** Ranges that cover the last year, newest first. */
function dateRanges(now: Date): [string, string][][] {
  const day = (daysBack: number) => new Date(now.getTime() - daysBack * DAY_MS).toISOString().slice(0, 10);
  return Array.from({ length: RANGES_BACK }, (_, index) => [
    ['start_date', day((index + 1) * DAYS_PER_RANGE - 1)],
    ['end_date', day(index * DAYS_PER_RANGE)],
  ]);
}
