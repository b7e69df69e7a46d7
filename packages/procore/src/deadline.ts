/** Time that is over some day, but for what is spent waiting for ourselves. */
export type Deadline = {
  /** Stands still until the work has settled. */
  pausedFor: <T>(work: Promise<T>) => Promise<T>;
  /** It never comes any more. */
  cancel: () => void;
};

/** Calls `onOver` once `ms` have passed. */
export function createDeadline(ms: number, onOver: () => void): Deadline {
  let leftMs = ms;
  let since = performance.now();
  let timer: NodeJS.Timeout | null = setTimeout(onOver, leftMs);
  return {
    pausedFor: async (work) => {
      if (timer === null) return work;
      clearTimeout(timer);
      leftMs -= performance.now() - since;
      try {
        return await work;
      } finally {
        since = performance.now();
        if (timer !== null) timer = setTimeout(onOver, leftMs);
      }
    },
    cancel: () => {
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
}
