import { setTimeout as sleep } from 'node:timers/promises';
import { type DeliveryQueue, QueueUnreachableError } from '@procore-mirror/queue';

const longestPauseMs = 5_000;

/**
 * The queue, also when it cannot be reached yet: then adding is refused until it has been opened in the background.
 * Throws at once what only a person can change. `onProblem` hears why later attempts fail.
 */
export async function linkQueue(options: {
  open: () => Promise<DeliveryQueue>;
  onProblem: (error: unknown) => void;
  retryMs?: number;
}): Promise<DeliveryQueue> {
  const { open, onProblem, retryMs = 500 } = options;
  const closing = new AbortController();
  let queue: DeliveryQueue | null = null;

  async function openLater(): Promise<void> {
    for (let pauseMs = retryMs; !closing.signal.aborted; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {}); // closing ends the loop
      if (closing.signal.aborted) return;
      try {
        queue = await open();
        if (closing.signal.aborted) await queue.close();
        return;
      } catch (error) {
        onProblem(error);
      }
    }
  }

  function reached(): DeliveryQueue {
    if (queue === null) throw new Error('the queue has not been reached yet');
    return queue;
  }

  try {
    queue = await open();
  } catch (error) {
    if (!(error instanceof QueueUnreachableError)) throw error;
    onProblem(error);
    void openLater();
  }
  return {
    add: async (envelope) => reached().add(envelope),
    waiting: async () => reached().waiting(),
    async close() {
      closing.abort();
      await queue?.close();
    },
  };
}
