/**
 * Group commit without waiting: what comes while one batch is on its way goes together in the next. A call ends as its
 * batch did, or is rejected after `timeoutMs`; one that was rejected before its batch left does not go.
 */
export function createGroupCommit<T>(options: {
  commit: (items: readonly T[]) => Promise<void>;
  sizeOf: (item: T) => number;
  /** A batch holds at most this many items, and at most this much size unless it is a single item. */
  maxItems: number;
  maxSize: number;
  timeoutMs: number;
  /** Says in the error what took too long. */
  what: string;
}): (item: T) => Promise<void> {
  type Waiting = { item: T; isLate: boolean; done: () => void; failed: (error: unknown) => void };
  let waiting: Waiting[] = [];
  let isUnderWay = false;

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
      if (!isUnderWay) void commitAll();
    });
}
