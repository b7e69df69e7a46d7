// How far back Procore's log of deliveries goes is not published, so it is asked where it matters: on days on which we missed deliveries.
import { type Database, isEventKnownBefore } from '@procore-mirror/database';
import type { HooksApi } from '@procore-mirror/procore';
import { startOfDay } from '../plan/plan-looks.ts';
import { happenedAt } from './undelivered.ts';

const DAY_MS = 86_400_000;
const MOST_HOOKS = 5;
/** Each may take ten calls. */
const MOST_DAYS = 10;

type Options = {
  hooks: Pick<HooksApi, 'deliveryPages'>;
  database: Database;
  companyId: string;
  /** The busiest of these are asked. */
  places: readonly { projectId: string | null; hookId: string }[];
  /** Days on which we missed deliveries, ms. */
  days: readonly number[];
  /** The oldest event that was read in the log already. */
  oldestMs: number | null;
  signal: AbortSignal;
};

/**
 * The days (`2026-06-30`) of which the log tells nothing any more: it has no event of that day or before, though the mirror recorded one by
 * then. A log that reaches back to a day does so to all later ones.
 */
export async function findUncoveredDays(options: Options): Promise<string[]> {
  const uncovered: string[] = [];
  for (const day of [...new Set(options.days.map(startOfDay))]
    .toSorted((one, other) => one - other)
    .slice(0, MOST_DAYS)) {
    if (await isCovered(options, day)) break;
    uncovered.push(dateOf(day));
  }
  return uncovered;
}

async function isCovered(
  { hooks, database, companyId, places, oldestMs, signal }: Options,
  day: number,
): Promise<boolean> {
  const endMs = day + DAY_MS;
  if (oldestMs !== null && oldestMs < endMs) return true;
  if (!(await isEventKnownBefore(database.pool, companyId, new Date(endMs)))) return true;
  for (const place of places.slice(0, MOST_HOOKS)) {
    for (const status of ['succeeded', 'discarded'] as const) {
      // The first page tells: whatever the order, rows that the filter let through are of that day or before.
      for await (const page of hooks.deliveryPages({ ...place, companyId, status, until: dateOf(day), signal })) {
        if (page.some((row) => (happenedAt(row) ?? endMs) < endMs)) return true;
        break;
      }
    }
  }
  return false;
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
