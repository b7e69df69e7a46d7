// A database may come to another version under a running worker: somebody migrates with a newer one, or restores an older state.
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseVersionError } from '@procore-mirror/database';
import type { Log } from '@procore-mirror/runtime';

/** So long a probe can see why, before the process ends. */
const LEAVE_AFTER_MS = 10_000;
const LOOK_EVERY_MS = 30_000;

export type VersionWatch = {
  /** Why this process cannot go on with the database; null as long as it can. */
  problem: () => string | null;
  close: () => void;
};

/**
 * Asks now and then what the start has asked: does the database fit? When it does not any more `problem` tells at once; when it
 * still does not after ten seconds, `fail` is called with the error that a start would have. A database that does not answer is no news.
 */
export function startVersionWatch(options: {
  check: () => Promise<void>;
  log: Pick<Log, 'warn'>;
  fail: (error: Error) => void;
  everyMs?: number;
  leaveAfterMs?: number;
}): VersionWatch {
  const { everyMs = LOOK_EVERY_MS, leaveAfterMs = LEAVE_AFTER_MS } = options;
  const closing = new AbortController();
  let found: DatabaseVersionError | null = null;

  async function watch(): Promise<void> {
    for (;;) {
      await sleep(everyMs, null, { signal: closing.signal });
      found = await misfit();
      if (found === null) continue;
      const about = { error: found, ends_in_ms: leaveAfterMs };
      options.log.warn(about, 'the database does not fit this version any more; the worker ends unless that passes');
      await sleep(leaveAfterMs, null, { signal: closing.signal });
      found = await misfit();
      closing.signal.throwIfAborted();
      if (found !== null) return options.fail(found);
    }
  }

  async function misfit(): Promise<DatabaseVersionError | null> {
    try {
      await options.check();
      return null;
    } catch (error) {
      return error instanceof DatabaseVersionError ? error : null; // else it is away: others tell of that
    }
  }

  watch().catch(() => {}); // only closing ends its sleep
  return {
    problem: () => found?.message ?? null,
    // Not that of a look under way: a database that does not answer may take its time.
    close: () => {
      closing.abort();
    },
  };
}
