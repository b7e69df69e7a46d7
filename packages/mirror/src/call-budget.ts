// Every call to Procore waits here for leave. One query at a time asks the shared budget for as many calls as are
// waiting in this process, so waiting costs the database little.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, learnLimits, pauseCalls, takeLeave } from '@procore-mirror/database';
import type { RateLimit } from '@procore-mirror/procore';

export type CallBudgetOptions = {
  database: Database;
  /** Names this process among those that share the budget. */
  holder: string;
  /** Share of each window that is left to others, 0 for live work. */
  keepShare: number;
  onError: (error: unknown) => void;
};

type EndedCall = {
  status: number | null;
  rateLimit: RateLimit | null;
  retryAfterMs: number | null;
  /** How long it took. */
  ms: number;
};

export type CallBudget = {
  beforeCall: () => Promise<void>;
  afterCall: (call: EndedCall) => Promise<void>;
  /** Ends all waiting with an error. */
  close: () => void;
};

const LONGEST_NAP_MS = 1000;
const DEFAULT_PAUSE_MS = 1000;

/** The budget of this process: pass `beforeCall` and `afterCall` to the client. */
export function createCallBudget({ database, holder, keepShare, onError }: CallBudgetOptions): CallBudget {
  const waiting: { go: () => void; fail: (error: Error) => void }[] = [];
  const closing = new AbortController();
  let isPumping = false;
  let underWay = 0;

  async function pump(): Promise<void> {
    while (waiting.length > 0 && !closing.signal.aborted) {
      const napMs = await serveWaiting().catch((error: unknown) => {
        onError(error);
        return LONGEST_NAP_MS;
      });
      if (napMs > 0) await sleep(Math.min(napMs, LONGEST_NAP_MS), null, { signal: closing.signal }).catch(() => null);
    }
    isPumping = false;
  }

  async function serveWaiting(): Promise<number> {
    const leave = await takeLeave(database, { holder, underWay, calls: waiting.length, keepShare });
    for (const { go } of waiting.splice(0, leave.granted)) {
      underWay += 1;
      go();
    }
    return leave.granted > 0 ? 0 : leave.waitMs;
  }

  return {
    beforeCall: () =>
      new Promise((go, fail) => {
        if (closing.signal.aborted) return fail(new Error('the process is stopping; no more calls are made'));
        waiting.push({ go, fail });
        if (isPumping) return;
        isPumping = true;
        void pump();
      }),
    afterCall: async ({ status, rateLimit, retryAfterMs, ms }) => {
      underWay -= 1;
      const isBusy = status === 429 || status === 503;
      try {
        await learnLimits(database, { ageMs: ms, answered: status !== null && status < 500, report: rateLimit });
        if (isBusy)
          await pauseCalls(
            database,
            retryAfterMs ?? (status === 429 ? rateLimit?.resetInMs : null) ?? DEFAULT_PAUSE_MS,
          );
      } catch (error) {
        onError(error);
      }
    },
    close: () => {
      closing.abort();
      for (const { fail } of waiting.splice(0)) fail(new Error('the process is stopping; no more calls are made'));
    },
  };
}
