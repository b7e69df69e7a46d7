// Watches what workers compare until it is done, or nobody does it.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ComparisonProgress,
  type Database,
  readComparisonProgress,
  readWorkerAge,
} from '@procore-mirror/database';
import { counted } from './plan/fill-in-words.ts';
import type { FillDisplay, FillEnd } from './watch-fills.ts';

const LOOK_EVERY_MS = 500;
const WITHOUT_WORKER_MS = 30_000;
const SAY_EVERY_MS = 30_000;

type Watch = {
  database: Database;
  requests: readonly string[];
  display: FillDisplay;
  signal: AbortSignal;
  /** So long a worker may be out of sight, ms. */
  withoutWorkerMs?: number;
};

/** Shows how far the comparisons are until they are over. `gone`: some were asked for anew by somebody else, or forgotten. */
export async function watchVerification({
  database: { pool },
  requests,
  display,
  signal,
  withoutWorkerMs = WITHOUT_WORKER_MS,
}: Watch): Promise<{ end: FillEnd; progress: ComparisonProgress }> {
  let workerAt = performance.now();
  let saidAt = workerAt;
  let lists = 0;
  for (;;) {
    const progress = await readComparisonProgress(pool, requests);
    if (progress.lists < lists) return { end: 'gone', progress };
    lists = progress.lists;
    if (progress.over >= progress.lists) return { end: 'done', progress };
    const age = await readWorkerAge(pool);
    if (age !== null) workerAt = Math.max(workerAt, performance.now() - age);
    if (performance.now() - workerAt > withoutWorkerMs) return { end: 'no worker', progress };
    const line = lineOf(progress);
    if (display.columns() !== null) display.live(line);
    else if (performance.now() - saidAt > SAY_EVERY_MS) {
      saidAt = performance.now();
      display.note(line);
    }
    await sleep(LOOK_EVERY_MS, null, { signal }).catch(() => null);
    if (signal.aborted) return { end: 'told to end', progress };
  }
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
