// Watches what workers fill until it is done, or nobody does it.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackfillPart,
  type BackfillProgress,
  type Database,
  readBackfillProgress,
  readShortages,
  readWorkerAge,
  type Shortage,
} from '@procore-mirror/database';
import { progressInWords } from './plan/fill-in-words.ts';

const LOOK_EVERY_MS = 1_000;
const WITHOUT_WORKER_MS = 30_000;
const WITHOUT_DATABASE_MS = 30_000;
/** So often a line is written where there is no terminal, if nothing else is to be said. */
const SAY_EVERY_MS = 30_000;

/** `gone`: some of what was asked for is there no more, because its place was forgotten or the mirror emptied. */
export type FillEnd = 'done' | 'gone' | 'no worker' | 'told to end';

/** Where progress is shown. */
export type FillDisplay = {
  /** How wide the terminal is; null: there is none. */
  columns: () => number | null;
  /** On a terminal: the line that changes. */
  live: (line: string) => void;
  /** A line that stays. */
  note: (line: string) => void;
};

type Watch = BackfillPart & {
  database: Database;
  requests: readonly string[];
  companyIds: readonly string[];
  display: FillDisplay;
  signal: AbortSignal;
  /** So long a worker may be out of sight, ms. */
  withoutWorkerMs?: number;
};

type Look = { progress: BackfillProgress; shortage: Shortage | null; workerAgeMs: number | null };

/** Was a worker seen within the last 30 s? */
export async function isWorkerThere({ pool }: Database): Promise<boolean> {
  return ((await readWorkerAge(pool)) ?? Number.POSITIVE_INFINITY) < WITHOUT_WORKER_MS;
}

/** Shows how far the backfills are until they are over. Throws what Postgres says when it has been out of reach for 30 s. */
export async function watchFills(watch: Watch): Promise<{ end: FillEnd; progress: BackfillProgress }> {
  const { display, signal, withoutWorkerMs = WITHOUT_WORKER_MS } = watch;
  const show = createShow(display);
  let lastAt = performance.now();
  let workerAt = lastAt;
  let lists = watch.requests.length === 0 ? 0 : 1;
  for (;;) {
    const { progress, shortage, workerAgeMs } = await look();
    if (progress.lists < lists) return { end: 'gone', progress };
    lists = progress.lists;
    if (progress.over >= progress.lists) return { end: 'done', progress };
    if (workerAgeMs !== null) workerAt = Math.max(workerAt, performance.now() - workerAgeMs);
    if (performance.now() - workerAt > withoutWorkerMs) return { end: 'no worker', progress };
    show(progress, shortage);
    await sleep(LOOK_EVERY_MS, null, { signal }).catch(() => null);
    if (signal.aborted) return { end: 'told to end', progress };
  }

  async function look(): Promise<Look> {
    try {
      const looked = await lookOnce(watch);
      lastAt = performance.now();
      return looked;
    } catch (error) {
      signal.throwIfAborted();
      if (performance.now() - lastAt > WITHOUT_DATABASE_MS) throw error;
      await sleep(LOOK_EVERY_MS, null, { signal });
      return look();
    }
  }
}

async function lookOnce({ database: { pool }, ...part }: Watch): Promise<Look> {
  const { requests, companyIds, projectId, resource } = part;
  const [progress, [shortage = null], workerAgeMs] = await Promise.all([
    readBackfillProgress(pool, { requests, companyIds, projectId, resource }),
    readShortages(pool, companyIds),
    readWorkerAge(pool),
  ]);
  return { progress, shortage, workerAgeMs };
}

/** A line that changes on a terminal; else one for each tenth, when calls are used up or there again, and every half a minute. */
function createShow(display: FillDisplay): (progress: BackfillProgress, shortage: Shortage | null) => void {
  let said = { what: '', at: Number.NEGATIVE_INFINITY };
  const begunAt = performance.now();
  return (progress, shortage) => {
    const columns = display.columns();
    const line = `Backfill ${progressInWords(progress, shortage, { columns, now: new Date() })}`;
    if (columns !== null) return display.live(line);
    const tenth = Math.floor((10 * progress.over) / Math.max(1, progress.lists));
    const what = `${tenth} ${shortage !== null}`;
    if (what === said.what && performance.now() - said.at < SAY_EVERY_MS) return;
    said = { what, at: performance.now() };
    display.note(`${line} · ${inWords(performance.now() - begunAt)}`);
  };
}

function inWords(ms: number): string {
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
