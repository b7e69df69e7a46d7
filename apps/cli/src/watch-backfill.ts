// Watches what workers do until it is done, or nobody does it.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type BackfillProgress,
  type Database,
  readBackfillProgress,
  readShortages,
  readWorkerAge,
  type Shortage,
} from '@procore-mirror/database';
import { progressInWords, type WatchEnd } from './backfill-in-words.ts';
import { ServerUnreachableError } from './errors.ts';
import { ago, type Output } from './output.ts';

const LOOK_EVERY_MS = 1_000;
const WITHOUT_WORKER_MS = 30_000;
/** So often a line is written where there is no terminal, if nothing else is to be said. */
const SAY_EVERY_MS = 30_000;

type Watch = {
  database: Database;
  output: Output;
  signal: AbortSignal;
  requests: readonly string[];
  companyIds: readonly string[];
  projectId?: string | undefined;
  resource?: string | undefined;
  /** So long a worker may be out of sight, ms. */
  withoutWorkerMs?: number;
};

/** Was a worker seen within the last 30 s? */
export async function isWorkerThere({ pool }: Database): Promise<boolean> {
  return ((await readWorkerAge(pool)) ?? Number.POSITIVE_INFINITY) < WITHOUT_WORKER_MS;
}

/** Shows how far the backfills are until they are over. Throws ServerUnreachableError when Postgres is out of reach for 30 s. */
export async function watchBackfill(watch: Watch): Promise<{ end: WatchEnd; progress: BackfillProgress }> {
  const { database, output, signal, withoutWorkerMs = WITHOUT_WORKER_MS } = watch;
  const show = createShow(output);
  const look = createLook(watch);
  let workerAt = performance.now();
  for (;;) {
    const { progress, shortage, workerAgeMs } = await look();
    if (progress.over >= progress.lists) return { end: 'done', progress };
    if (workerAgeMs !== null) workerAt = Math.max(workerAt, performance.now() - workerAgeMs);
    if (performance.now() - workerAt > withoutWorkerMs) return { end: 'no worker', progress };
    show(progress, shortage);
    await sleep(LOOK_EVERY_MS, null, { signal }).catch(() => null);
    if (signal.aborted) return { end: 'told to end', progress };
  }

  function createLook({ requests, companyIds, projectId, resource }: Watch): () => Promise<Look> {
    let lastAt = performance.now();
    return async function lookOnce(): Promise<Look> {
      try {
        const [progress, [shortage = null], workerAgeMs] = await Promise.all([
          readBackfillProgress(database.pool, { requests, companyIds, projectId, resource }),
          readShortages(database.pool, companyIds),
          readWorkerAge(database.pool),
        ]);
        lastAt = performance.now();
        return { progress, shortage, workerAgeMs };
      } catch (error) {
        signal.throwIfAborted();
        if (performance.now() - lastAt > WITHOUT_WORKER_MS)
          throw new ServerUnreachableError('the database does not answer any more', { cause: error });
        await sleep(LOOK_EVERY_MS, null, { signal });
        return lookOnce();
      }
    };
  }
}

type Look = { progress: BackfillProgress; shortage: Shortage | null; workerAgeMs: number | null };

/** A line that changes on a terminal; else one for each tenth, when calls are used up or there again, and every half a minute. */
function createShow(output: Output): (progress: BackfillProgress, shortage: Shortage | null) => void {
  let said = { what: '', at: Number.NEGATIVE_INFINITY };
  const begun = new Date();
  return (progress, shortage) => {
    const columns = output.columns();
    const line = `Backfill ${progressInWords(progress, shortage, { columns, now: new Date() })}`;
    if (columns !== null) return output.live(line);
    const tenth = Math.floor((10 * progress.over) / Math.max(1, progress.lists));
    const what = `${tenth} ${shortage !== null}`;
    if (what === said.what && performance.now() - said.at < SAY_EVERY_MS) return;
    said = { what, at: performance.now() };
    output.note(`${line} · ${ago(begun.toISOString(), new Date())}`);
  };
}
