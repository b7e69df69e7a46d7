// Time that passes only when nothing is going on: while anything real is under way (a query, a request) it stands still,
// and when all wait it jumps to the next moment somebody waits for. A week takes minutes, and whatever takes long in reality
// takes just as long here.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '@procore-mirror/mirror';

export type VirtualTime = {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves at the moment, at once when it is over; rejects with the signal's reason when that is aborted. */
  until: (moment: number, signal?: AbortSignal) => Promise<void>;
  /** The same, so many ms from now. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Time stands still until the promise is settled. */
  during: <T>(real: Promise<T>) => Promise<T>;
  /** Ends the run with this error: for work that nobody waits for. */
  fail: (error: unknown) => void;
  /** Lets time pass until the work is done, and returns what it came to. Throws when all wait and nobody for a moment. */
  run: <T>(work: Promise<T>) => Promise<T>;
};

/** The same for those who take a clock. */
export function clockOf(time: VirtualTime): Clock {
  return { date: () => new Date(time.now()), now: time.now, sleep: time.sleep };
}

type Sleeper = { at: number; wake: () => void };

/** Turns of the event loop without anything under way, after which all surely wait. */
const CALM_TURNS = 3;

export function createVirtualTime(start: number): VirtualTime {
  const sleepers = new Map<number, Sleeper[]>();
  const moments = createHeap();
  let now = start;
  let underWay = 0;
  let whenDone = Promise.withResolvers<void>();
  let failure: { error: unknown } | null = null;

  const until: VirtualTime['until'] = (at, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      if (at <= now) return resolve();
      const abort = (): void => {
        const left = sleepers.get(at)?.filter((other) => other !== sleeper) ?? [];
        if (left.length > 0) sleepers.set(at, left);
        else sleepers.delete(at);
        reject(signal?.reason);
      };
      const wake = (): void => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const sleeper = { at, wake };
      signal?.addEventListener('abort', abort, { once: true });
      const others = sleepers.get(at);
      if (others === undefined) moments.push(at);
      sleepers.set(at, [...(others ?? []), sleeper]);
    });

  async function calm(): Promise<void> {
    for (let calmTurns = 0; calmTurns < CALM_TURNS; calmTurns += 1) {
      await turn();
      if (underWay === 0) continue;
      calmTurns = -1;
      await whenDone.promise;
    }
  }

  function pass(): void {
    for (let at = moments.pop(); at !== undefined; at = moments.pop()) {
      const due = sleepers.get(at);
      if (due === undefined) continue; // all of them were aborted
      sleepers.delete(at);
      now = at;
      for (const { wake } of due) wake();
      return;
    }
    throw new Error('everybody waits, and nobody for a moment to come');
  }

  return {
    now: () => now,
    until,
    sleep: (ms, signal) => until(now + Math.max(0, ms), signal),
    during: async (real) => {
      underWay += 1;
      try {
        return await real;
      } finally {
        underWay -= 1;
        if (underWay === 0) {
          whenDone.resolve();
          whenDone = Promise.withResolvers();
        }
      }
    },
    fail: (error) => {
      failure ??= { error };
    },
    run: async (work) => {
      const end = { come: false };
      const ended = work.finally(() => {
        end.come = true;
      });
      ended.catch(() => {}); // it is awaited below
      for (await calm(); !end.come; await calm()) {
        if (failure !== null) throw failure.error;
        pass();
      }
      return ended;
    },
  };
}

/** The smallest of many numbers, fast. */
function createHeap(): { push: (value: number) => void; pop: () => number | undefined } {
  const heap: number[] = [];
  const at = (index: number): number => heap[index] ?? Number.POSITIVE_INFINITY;
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [at(b), at(a)];
  };

  function sink(): void {
    for (let index = 0; ; ) {
      const left = 2 * index + 1;
      const smaller = at(left + 1) < at(left) ? left + 1 : left;
      if (at(smaller) >= at(index)) return;
      swap(index, smaller);
      index = smaller;
    }
  }

  return {
    push: (value) => {
      let index = heap.push(value) - 1;
      for (let above = (index - 1) >> 1; index > 0 && at(above) > at(index); above = (index - 1) >> 1) {
        swap(index, above);
        index = above;
      }
    },
    pop: () => {
      const last = heap.pop();
      const [first] = heap;
      if (last === undefined || first === undefined) return last;
      heap[0] = last;
      sink();
      return first;
    },
  };
}
