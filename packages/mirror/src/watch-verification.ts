// Watches what workers compare.
import { type ComparisonProgress, readComparisonProgress } from '@procore-mirror/database';
import { counted } from './plan/fill-in-words.ts';
import { createShow, type ProgressDisplay, type WatchOptions, type WorkEnd, watchWork } from './watch-work.ts';

const SAY_EVERY_MS = 30_000;

type Watch = WatchOptions & { requests: readonly string[]; display: ProgressDisplay };

/** Shows how far the comparisons are until they are over. Throws what Postgres says when it has been out of reach for 30 s. */
export async function watchVerification(watch: Watch): Promise<{ end: WorkEnd; progress: ComparisonProgress }> {
  const { database, requests, display } = watch;
  const show = createShow(display, SAY_EVERY_MS);
  return watchWork(watch, {
    read: () => readComparisonProgress(database.pool, requests),
    parts: ({ lists, over }) => ({ all: lists, over }),
    show: (progress) => show(lineOf(progress), ''),
    atLeast: 0,
  });
}

function lineOf({ over, lists, calls, differences, now }: ComparisonProgress): string {
  const at =
    now === null
      ? []
      : [`${now.resource}, ${now.projectId === null ? `company ${now.companyId}` : `project ${now.projectId}`}`];
  return [
    'Verify',
    `${over} of ${counted(lists, 'resource')}`,
    counted(calls, 'call'),
    counted(differences, 'difference'),
    ...at,
  ].join(' · ');
}
