// Keeps calls in memory and enters them every few seconds, so that a trace costs a statement now and then, however many
// calls are made. A process that is killed loses those of its last five seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { addFetches, type Database, type Fetch } from '@procore-mirror/database';
import type { CallPurpose } from '@procore-mirror/procore';

export type CallCounterOptions = {
  database: Database;
  onError: (error: unknown) => void;
  /** How long calls stay in memory, ms; default 5,000. */
  flushEveryMs?: number;
  /** For whoever has a time of their own: ms that never go back, and waiting. */
  clock?: { now: () => number; sleep: (ms: number, signal?: AbortSignal) => Promise<unknown> };
};

export type CallCounter = {
  /** Notes one request that ended, if it was sent; pass it what the client's `afterCall` tells. */
  count: (
    call: Pick<Fetch, 'companyId' | 'route' | 'status' | 'ms' | 'bytes' | 'records'> & {
      purpose: CallPurpose | null;
      isSent: boolean;
    },
  ) => void;
  /** Enters what is left; counts nothing afterwards. */
  close: () => Promise<void>;
};

/** So many are entered before their time. */
const ENTERED_AT_ONCE = 500;
/** While the database is away the newest are kept, a few megabytes. */
const MOST_KEPT = 10_000;

const REAL_TIME = {
  now: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, null, { signal }),
};

type Noted = Fetch & { startedAt: number };

/** Writes down this process's calls, each by itself. */
export function createCallCounter(options: CallCounterOptions): CallCounter {
  const { database, onError, flushEveryMs = 5_000, clock = REAL_TIME } = options;
  let noted: Noted[] = [];
  let timer: AbortController | null = null;
  let entering: Promise<void> = Promise.resolve();
  let isEntering = false;
  let isClosed = false;

  function flush(): Promise<void> {
    timer?.abort();
    timer = null;
    isEntering = true;
    entering = entering.then(enter);
    return entering;
  }

  async function enter(): Promise<void> {
    const taken = noted;
    noted = [];
    const now = clock.now();
    try {
      await addFetches(
        database,
        taken.map(({ startedAt, ...fetch }) => ({ ...fetch, agoMs: now - startedAt })),
      );
    } catch (error) {
      noted = [...taken, ...noted]; // entered with the next ones
      forgetOldest();
      onError(error);
    } finally {
      isEntering = false;
    }
  }

  function flushLater(): AbortController {
    const own = new AbortController();
    clock.sleep(flushEveryMs, own.signal).then(flush, () => null);
    return own;
  }

  function forgetOldest(): void {
    if (noted.length > MOST_KEPT) noted.splice(0, noted.length - MOST_KEPT);
  }

  return {
    count: ({ companyId, purpose, route, isSent, status, ms, bytes, records }) => {
      if (isClosed || !isSent) return;
      const { version = null, projectId, resource, lane } = purpose ?? { projectId: null, resource: null, lane: null };
      const startedAt = clock.now() - ms;
      noted.push({ version, companyId, projectId, resource, lane, route, status, ms, bytes, records, startedAt });
      if (noted.length > MOST_KEPT + ENTERED_AT_ONCE) forgetOldest();
      if (noted.length === ENTERED_AT_ONCE && !isEntering) void flush();
      else timer ??= flushLater();
    },
    close: () => {
      isClosed = true;
      return flush();
    },
  };
}
