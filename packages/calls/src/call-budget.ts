// Every call to Procore waits here for leave. One query at a time asks the shared budget for as many calls as are
// waiting in this process, so waiting costs the database little.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Database,
  type Lane,
  learnLimits,
  pauseCalls,
  takeCalls,
  type WantedCall,
} from '@procore-mirror/database';
import { type CallPurpose, meaningOf, type Pause, type RateLimit } from '@procore-mirror/procore';

export type CallBudgetOptions = {
  database: Database;
  /** Names this process among those that share the budget. */
  holder: string;
  onError: (error: unknown) => void;
  /** Told when Procore refused a call of the company for now, so that it makes none for a while. */
  onPause?: ((pause: { companyId: string; status: number | null; pauseMs: number }) => void) | undefined;
  /** Waits until there may be leave again, or until the signal is aborted; for whoever has a clock of their own. */
  sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>;
};

type EndedCall = {
  companyId: string;
  status: number | null;
  rateLimit: RateLimit | null;
  /** How long the company is to make no calls. */
  pause: Pause | null;
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
  /** How many calls of each lane wait now; a lane is left out where none does. */
  waiting: () => ReadonlyMap<Lane, number>;
  /** Ends all waiting with an error. */
  close: () => void;
};

type Waiting = WantedCall & { go: () => void; fail: (reason: unknown) => void };

/** Other processes may learn of more calls meanwhile. */
const LONGEST_NAP_MS = 1000;
const ASKED_AT_ONCE = 100;

/** The budget of this process: pass `beforeCall` and `afterCall` to the client. */
export function createCallBudget(options: CallBudgetOptions): CallBudget {
  const { database, holder, onError, onPause } = options;
  const nap = options.sleep ?? ((ms, signal) => sleep(Math.min(ms, LONGEST_NAP_MS), null, { signal }));
  const waiting = new Set<Waiting>();
  const closing = new AbortController();
  let waking = new AbortController();
  let isPumping = false;
  const underWay = new Map<string, number>();

  async function pump(): Promise<void> {
    while (waiting.size > 0 && !closing.signal.aborted) {
      waking = new AbortController();
      const napMs = await serveWaiting().catch((error: unknown) => {
        onError(error);
        return LONGEST_NAP_MS;
      });
      if (napMs > 0) await nap(napMs, waking.signal).catch(() => null);
    }
    isPumping = false;
  }

  async function serveWaiting(): Promise<number> {
    const asked = [...waiting].slice(0, ASKED_AT_ONCE);
    const { granted, waitMs } = await takeCalls(database, { holder, underWay }, asked);
    for (const [index, one] of asked.entries()) {
      // Leave for a call that was given up meanwhile is lost: one call in a window.
      if (granted[index] !== true || !waiting.delete(one)) continue;
      countUnderWay(one.companyId, 1);
      one.go();
    }
    return waitMs;
  }

  function countUnderWay(companyId: string, change: 1 | -1): void {
    const calls = (underWay.get(companyId) ?? 0) + change;
    if (calls > 0) underWay.set(companyId, calls);
    else underWay.delete(companyId);
  }

  return {
    beforeCall: ({ companyId, purpose, signal }) => {
      const { promise, resolve: go, reject: fail } = Promise.withResolvers<void>();
      const one = { companyId, lane: purpose?.lane ?? 'live', go, fail };
      // Those of its kind that wait go before it, but what holds them back may not hold for it.
      if (![...waiting].some((other) => other.companyId === companyId && other.lane === one.lane)) waking.abort();
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
    afterCall: async ({ companyId, status, rateLimit, pause, ms }) => {
      countUnderWay(companyId, -1);
      const made = { companyId, ageMs: ms };
      if (pause !== null) onPause?.({ companyId, status, pauseMs: pause.ms });
      const succeeded = status !== null && meaningOf(status) === 'success';
      try {
        // First: until the pause is entered, the company's next call would go out.
        if (pause !== null) await pauseCalls(database, { ...made, pauseMs: pause.ms, isTold: pause.isTold });
        await learnLimits(database, { ...made, holder, succeeded, report: rateLimit });
      } catch (error) {
        onError(error);
      }
    },
    waiting: () => {
      const byLane = Map.groupBy(waiting, ({ lane }) => lane);
      return new Map([...byLane].map(([lane, calls]) => [lane, calls.length]));
    },
    close: () => {
      closing.abort();
      waking.abort();
      for (const { fail } of waiting) fail(new Error('the process is stopping; no more calls are made'));
      waiting.clear();
    },
  };
}
