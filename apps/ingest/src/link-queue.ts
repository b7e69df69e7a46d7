import { setTimeout as sleep } from 'node:timers/promises';
import { type DeliveryQueue, QueueUnreachableError } from '@procore-mirror/queue';

const LONGEST_PAUSE_MS = 5_000;

/**
 * The queue, also when it cannot be reached yet: then adding is refused until it has been opened in the background.
 * Throws at once what only a person can change. `onProblem` hears why later attempts fail.
 */
export async function linkQueue(options: {
  open: () => Promise<DeliveryQueue>;
  onProblem: (error: unknown) => void;
  retryMs?: number;
  /** After so long the first attempt goes on in the background, too. Default 6 s. */
  firstWithinMs?: number;
}): Promise<DeliveryQueue> {
  const { open, onProblem, retryMs = 500, firstWithinMs = 6_000 } = options;
  const closing = new AbortController();
  let queue: DeliveryQueue | null = null;

  /** Deliveries must not wait for a server that neither answers nor refuses. */
  async function openFirst(): Promise<void> {
    const opening = open();
    const first = await Promise.race([opening, sleep(firstWithinMs, null, { signal: closing.signal, ref: false })]);
    if (first !== null) {
      queue = first;
      return;
    }
    onProblem(
      new Error(`the queue has not answered within ${firstWithinMs / 1000} s; waiting for it in the background`),
    );
    opening.then(take).catch((error: unknown) => {
      onProblem(error);
      void openLater();
    });
  }

  async function take(opened: DeliveryQueue): Promise<void> {
    queue = opened;
    if (closing.signal.aborted) await opened.close();
  }

  async function openLater(): Promise<void> {
    for (let pauseMs = retryMs; !closing.signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {}); // closing ends the loop
      if (closing.signal.aborted) return;
      try {
        await take(await open());
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
    await openFirst();
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
