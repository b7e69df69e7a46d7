// Counts calls in memory and enters the counts every few seconds, so that counting costs a statement now and then,
// however many calls are made. A process that is killed loses the counts of those seconds.
import { addCalls, type CallCount, type Database, removeOldCalls } from '@procore-mirror/database';
import type { CallPurpose } from '@procore-mirror/procore';

export type CallCounterOptions = {
  database: Database;
  onError: (error: unknown) => void;
  /** How long counts stay in memory, ms; default 5,000. */
  flushEveryMs?: number;
};

export type CallCounter = {
  /** Counts one request; pass it what the client's `afterCall` tells. */
  count: (call: { companyId: string; purpose: CallPurpose | null; status: number | null }) => void;
  /** Enters what is left; counts nothing afterwards. */
  close: () => Promise<void>;
};

const CLEAN_EVERY_MS = 60 * 60 * 1000;

/** A counter of this process's calls, per company, project and resource. */
export function createCallCounter({ database, onError, flushEveryMs = 5_000 }: CallCounterOptions): CallCounter {
  let counts = new Map<string, CallCount>();
  let timer: NodeJS.Timeout | null = null;
  let entering: Promise<void> = Promise.resolve();
  let cleanAt = 0;
  let isClosed = false;

  function add(more: CallCount): void {
    const key = `${more.companyId}/${more.projectId}/${more.resource}`;
    const known = counts.get(key);
    counts.set(key, known === undefined ? more : sumOf(known, more));
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    entering = entering.then(enter);
    return entering;
  }

  async function enter(): Promise<void> {
    const taken = counts;
    counts = new Map();
    try {
      await addCalls(database, [...taken.values()]);
    } catch (error) {
      const later = counts;
      counts = taken; // entered with the next ones
      for (const more of later.values()) add(more);
      onError(error);
      return;
    }
    if (Date.now() < cleanAt) return;
    cleanAt = Date.now() + CLEAN_EVERY_MS;
    await removeOldCalls(database).catch(onError);
  }

  return {
    count: ({ companyId, purpose, status }) => {
      if (isClosed) return;
      add({
        companyId,
        projectId: purpose?.projectId ?? null,
        resource: purpose?.resource ?? null,
        count: 1,
        forEvents: purpose?.lane === 'live' || purpose?.lane === 'detail' ? 1 : 0,
        failed: status !== null && status >= 200 && status < 300 ? 0 : 1,
        lastStatus: status,
      });
      timer ??= setTimeout(() => void flush(), flushEveryMs);
    },
    close: () => {
      isClosed = true;
      return flush();
    },
  };
}

function sumOf(one: CallCount, later: CallCount): CallCount {
  return {
    ...later,
    count: one.count + later.count,
    forEvents: one.forEvents + later.forEvents,
    failed: one.failed + later.failed,
  };
}
