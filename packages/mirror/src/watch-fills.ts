// Watches what workers fill.
import {
  type BackfillPart,
  type BackfillProgress,
  readBackfillProgress,
  readShortages,
  type Shortage,
} from '@procore-mirror/database';
import { progressInWords } from './plan/fill-in-words.ts';
import { createShow, type ProgressDisplay, type WatchOptions, type WorkEnd, watchWork } from './watch-work.ts';

/** So often a line is written where there is no terminal, if nothing else is to be said. */
const SAY_EVERY_MS = 30_000;

type Watch = BackfillPart &
  WatchOptions & {
    requests: readonly string[];
    companyIds: readonly string[];
    display: ProgressDisplay;
  };

/** Shows how far the backfills are until they are over. Throws what Postgres says when it has been out of reach for 30 s. */
export async function watchFills(watch: Watch): Promise<{ end: WorkEnd; progress: BackfillProgress }> {
  const { database, requests, companyIds, projectId, resource } = watch;
  const show = createFillShow(watch.display);
  const { end, progress } = await watchWork(watch, {
    read: async () => {
      const [progress, [shortage = null]] = await Promise.all([
        readBackfillProgress(database.pool, { requests, companyIds, projectId, resource }),
        readShortages(database.pool, companyIds),
      ]);
      return { progress, shortage };
    },
    parts: ({ progress: { lists, over } }) => ({ all: lists, over }),
    show: ({ progress, shortage }) => show(progress, shortage),
    atLeast: requests.length === 0 ? 0 : 1,
  });
  return { end, progress: progress.progress };
}

/** Where there is no terminal: a line for each tenth, when calls are used up or there again, and every half a minute. */
function createFillShow(display: ProgressDisplay): (progress: BackfillProgress, shortage: Shortage | null) => void {
  const show = createShow(display, SAY_EVERY_MS);
  const begunAt = performance.now();
  return (progress, shortage) => {
    const columns = display.columns();
    const line = `Backfill ${progressInWords(progress, shortage, { columns, now: new Date() })}`;
    const tenth = Math.floor((10 * progress.over) / Math.max(1, progress.lists));
    const took = columns === null ? ` · ${inWords(performance.now() - begunAt)}` : '';
    show(`${line}${took}`, `${tenth} ${shortage !== null}`);
  };
}

function inWords(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
