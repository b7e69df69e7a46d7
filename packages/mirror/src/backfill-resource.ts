// The first fill of one resource in one scope. A list that carries the whole record is stored page by page; of others
// the ids are read and marked pending, and the worker's planner does the rest.
import { type BatchKey, markPending, type News, takeVersion } from '@procore-mirror/database';
import { type BatchRun, type FetchSettings, openRun } from './batch-run.ts';
import type { CataloguedResource } from './catalogue/catalogue.ts';
import { isNotFound, pagesOf, parentsToWalk, storeListing } from './listing.ts';
import { readIds } from './read-ids.ts';

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
  const run = await openRun(settings, scope, options.signal);
  const { resource } = run;
  if (resource.list === null) return { stored: 0, pending: 0 };
  if (resource.list.carries === 'part of the record') return markListed(run);
  if (resource.parent !== null) return storeByParent(run, settings.catalogue.get(resource.parent.resource));
  let stored = 0;
  for (const searchParams of resource.list.todayOnly ? dateRanges(options.now) : [[]]) {
    const version = await takeVersion(settings.database);
    stored += await storeListing(run, resource, version, { parentId: null, searchParams });
  }
  return { stored, pending: 0 };
}

async function markListed(run: BatchRun): Promise<Backfilled> {
  const { database, delayMs, maxWaitMs } = run.settings;
  let pending = 0;
  for await (const page of pagesOf(run, run.resource, { parentId: null })) {
    const news = readIds(page.text).map((id) => newsOf(run, id));
    await markPending(database.pool, { news, eventId: null, occurredAt: null, delayMs, maxWaitMs });
    pending += news.length;
  }
  return { stored: 0, pending };
}

async function storeByParent(run: BatchRun, parent: CataloguedResource): Promise<Backfilled> {
  let stored = 0;
  for await (const parentId of parentsToWalk(run, parent)) {
    const version = await takeVersion(run.settings.database);
    try {
      stored += await storeListing(run, run.resource, version, { parentId });
    } catch (error) {
      if (!isNotFound(error)) throw error; // a parent that is gone has no children
    }
  }
  return { stored, pending: 0 };
}

function newsOf({ batch }: BatchRun, recordId: string): News {
  return { ...batch, recordId, parentId: null, isDelete: false, isRelative: false };
}

/** Ranges that cover the last year, newest first. */
function dateRanges(now: Date): [string, string][][] {
  const day = (daysBack: number) => new Date(now.getTime() - daysBack * DAY_MS).toISOString().slice(0, 10);
  return Array.from({ length: RANGES_BACK }, (_, index) => [
    ['start_date', day((index + 1) * DAYS_PER_RANGE - 1)],
    ['end_date', day(index * DAYS_PER_RANGE)],
  ]);
}
