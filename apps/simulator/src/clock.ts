// The clock of the make-believe company: real time, made faster or moved ahead on request. Everything that Procore
// would time (tokens, windows of limits, pauses of deliveries, dates) is timed by it; the network itself is not.

export type Clock = {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves when `ms` have passed on this clock; rejects with the signal's reason when it is aborted. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  /** Moves the clock ahead at once, and wakes whoever is due. */
  advance: (ms: number) => void;
  /** How many seconds pass here in one real second; at 0 time stands still but for `advance`. */
  setSpeed: (speed: number) => void;
  speed: () => number;
};

type Sleeper = { at: number; wake: () => void };

// Node's timers overflow beyond this.
const LONGEST_TIMER_MS = 2_000_000_000;

/** Makes a clock that starts at the real time, or so many ms ahead of it. */
export function createClock({ aheadMs = 0, speed = 1 }: { aheadMs?: number; speed?: number } = {}): Clock {
  let origin = { real: performance.now(), here: Date.now() + aheadMs, speed };
  let timer: NodeJS.Timeout | undefined;
  const sleepers = new Set<Sleeper>();

  const now = (): number => origin.here + (performance.now() - origin.real) * origin.speed;
  const restart = (change: { aheadMs?: number; speed?: number }): void => {
    const here = now() + (change.aheadMs ?? 0);
    origin = { real: performance.now(), here, speed: change.speed ?? origin.speed };
    wakeDue();
  };

  return {
    now,
    sleep,
    advance: (aheadMs) => restart({ aheadMs }),
    setSpeed: (speed) => restart({ speed }),
    speed: () => origin.speed,
  };

  function sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const abort = (): void => {
        sleepers.delete(sleeper);
        reject(signal?.reason);
        setTimer();
      };
      const sleeper: Sleeper = {
        at: now() + ms,
        wake: () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal?.addEventListener('abort', abort, { once: true });
      sleepers.add(sleeper);
      setTimer();
    });
  }

  function wakeDue(): void {
    const due = [...sleepers].filter(({ at }) => at <= now()).sort((a, b) => a.at - b.at);
    for (const sleeper of due) {
      sleepers.delete(sleeper);
      sleeper.wake();
    }
    setTimer();
  }

  function setTimer(): void {
    clearTimeout(timer);
    if (sleepers.size === 0) return;
    const next = Math.min(...[...sleepers].map(({ at }) => at));
    const aheadMs = Math.max(0, next - now());
    if (aheadMs > 0 && origin.speed === 0) return;
    const realMs = aheadMs === 0 ? 0 : aheadMs / origin.speed;
    timer = setTimeout(wakeDue, Math.min(Math.ceil(realMs), LONGEST_TIMER_MS));
    timer.unref();
  }
}

/** `2026-11-23T17:52:30Z`: Procore's times have whole seconds. */
export function wholeSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `2026-11-23`. */
export function dateOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
