// Every call to Procore waits here for leave. One query at a time asks the shared budget for as many calls as are
// waiting in this process, so waiting costs the database little.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, learnLimits, pauseCalls, takeLeave, type WantedCall } from '@procore-mirror/database';
import type { CallPurpose, RateLimit } from '@procore-mirror/procore';

export type CallBudgetOptions = {
  database: Database;
  /** Names this process among those that share the budget. */
  holder: string;
  onError: (error: unknown) => void;
  /** Waits that long, or until the signal is aborted; for whoever has a clock of their own. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

type EndedCall = {
  status: number | null;
  rateLimit: RateLimit | null;
  retryAfterMs: number | null;
  /** How long it took. */
  ms: number;
};

export type CallBudget = {
  /** Resolves when the call may go out; calls without a purpose are live. Rejects when `signal` is aborted first. */
  beforeCall: (call: {
    companyId: string;
    purpose: CallPurpose | null;
    signal?: AbortSignal | undefined;
  }) => Promise<void>;
  afterCall: (call: EndedCall) => Promise<void>;
  /** Ends all waiting with an error. */
  close: () => void;
};

type Waiting = WantedCall & { go: () => void; fail: (reason: unknown) => void };

const LONGEST_NAP_MS = 1000;
const DEFAULT_PAUSE_MS = 1000;
const ASKED_AT_ONCE = 100;

/** The budget of this process: pass `beforeCall` and `afterCall` to the client. */
export function createCallBudget(options: CallBudgetOptions): CallBudget {
  const { database, holder, onError } = options;
  const nap = options.sleep ?? ((ms, signal) => sleep(ms, null, { signal }));
  const waiting = new Set<Waiting>();
  const closing = new AbortController();
  let isPumping = false;
  let underWay = 0;

  async function pump(): Promise<void> {
    while (waiting.size > 0 && !closing.signal.aborted) {
      const napMs = await serveWaiting().catch((error: unknown) => {
        onError(error);
        return LONGEST_NAP_MS;
      });
      if (napMs > 0) await nap(Math.min(napMs, LONGEST_NAP_MS), closing.signal).catch(() => null);
    }
    isPumping = false;
  }

  async function serveWaiting(): Promise<number> {
    const asked = [...waiting].slice(0, ASKED_AT_ONCE);
    const { granted, waitMs } = await takeLeave(database, { holder, underWay }, asked);
    for (const [index, one] of asked.entries()) {
      // Leave for a call that was given up meanwhile is lost: one call in a window.
      if (granted[index] !== true || !waiting.delete(one)) continue;
      underWay += 1;
      one.go();
    }
    return waitMs;
  }

  return {
    beforeCall: ({ companyId, purpose, signal }) => {
      const { promise, resolve: go, reject: fail } = Promise.withResolvers<void>();
      const one = { companyId, lane: purpose?.lane ?? 'live', go, fail };
      if (closing.signal.aborted) fail(new Error('the process is stopping; no more calls are made'));
      else waiting.add(one);
      const giveUp = () => {
        if (waiting.delete(one)) fail(signal?.reason);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      if (!isPumping) {
        isPumping = true;
        void pump();
      }
      return promise.finally(() => signal?.removeEventListener('abort', giveUp));
    },
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
      for (const { fail } of waiting) fail(new Error('the process is stopping; no more calls are made'));
      waiting.clear();
    },
  };
}
