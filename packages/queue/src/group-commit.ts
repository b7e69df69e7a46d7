/**
 * Group commit: what comes while one batch is on its way goes together in the next. A call ends as its batch did, or is
 * rejected after `timeoutMs`; one that was rejected before its batch left does not go.
 */
export function createGroupCommit<T>(options: {
  commit: (items: readonly T[]) => Promise<void>;
  sizeOf: (item: T) => number;
  /** A batch holds at most this many items, and at most this much size unless it is a single item. */
  maxItems: number;
  maxSize: number;
  timeoutMs: number;
  /**
   * After a batch, the next waits up to this long for those who were told to come back with more. Without it callers fall
   * into two halves, each of which waits for the other's batch. One who calls alone never waits. Default 0.
   */
  gatherMs?: number;
  /** Says in the error what took too long. */
  what: string;
}): (item: T) => Promise<void> {
  type Waiting = { item: T; isLate: boolean; done: () => void; failed: (error: unknown) => void };
  const { gatherMs = 0 } = options;
  let waiting: Waiting[] = [];
  let isUnderWay = false;
  let onArrival = () => {};

  /** Waits until `count` callers wait, or for `gatherMs`. */
  async function gather(count: number): Promise<void> {
    const wanted = Math.min(count, options.maxItems);
    if (wanted < 2 || waiting.length >= wanted || gatherMs === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, gatherMs);
      onArrival = () => {
        if (waiting.length < wanted) return;
        clearTimeout(timer);
        resolve();
      };
    });
    onArrival = () => {};
  }

  function nextBatch(): Waiting[] {
    waiting = waiting.filter(({ isLate }) => !isLate);
    let size = 0;
    let count = 0;
    for (const { item } of waiting.slice(0, options.maxItems)) {
      size += options.sizeOf(item);
      if (count > 0 && size > options.maxSize) break;
      count += 1;
    }
    return waiting.splice(0, count);
  }

  async function commitAll(): Promise<void> {
    isUnderWay = true;
    try {
      for (let batch = nextBatch(); batch.length > 0; batch = nextBatch()) {
        try {
          await options.commit(batch.map(({ item }) => item));
          for (const { done } of batch) done();
        } catch (error) {
          for (const { failed } of batch) failed(error);
        }
        await gather(batch.length + waiting.length);
      }
    } finally {
      isUnderWay = false;
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        entry.isLate = true;
        reject(new Error(`${options.what} took longer than ${options.timeoutMs} ms`));
      }, options.timeoutMs);
      const entry: Waiting = {
        item,
        isLate: false,
        done() {
          clearTimeout(timer);
          resolve();
        },
        failed(error) {
          clearTimeout(timer);
          reject(error);
        },
      };
      waiting.push(entry);
      if (isUnderWay) onArrival();
      else void commitAll();
    });
}
