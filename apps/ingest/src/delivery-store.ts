// Where an envelope goes:
//
//   queue works ──add──▶ queue
//      │ an add fails
//      ▼
//   queue rests ──append──▶ spool       no sender waits for a queue that has just failed: Procore waits 5 s at most
//      │ draining the spool adds one    and then pauses every delivery (docs/procore.md: Deliveries)
//      ▼
//   queue works
import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryQueue, Envelope, SealedEnvelope } from '@procore-mirror/queue';
import type { Log } from '@procore-mirror/runtime';
import type { Spool } from './spool.ts';

const LONGEST_PAUSE_MS = 5_000;

export type DeliveryStore = {
  /** Resolves once the envelope is durable; rejects, within about 4 s, when neither queue nor spool took it. */
  store: (envelope: Envelope) => Promise<'queue' | 'spool'>;
  /** What keeps it from storing anything; nothing as long as either the queue or the spool works. */
  problems: () => Promise<readonly string[]>;
  /** Stops draining; what is in the spool stays there. */
  close: () => Promise<void>;
};

/** Stores envelopes in the queue, else in the spool, and moves them from there to the queue when it works again. */
export function createDeliveryStore(options: {
  queue: Pick<DeliveryQueue, 'add' | 'waiting'>;
  spool: Spool;
  log: Log;
  /** First pause between attempts to drain; they grow while these fail. */
  retryMs?: number;
}): DeliveryStore {
  const { queue, spool, log, retryMs = 500 } = options;
  const closing = new AbortController();
  let queueRests = false;

  async function add(envelope: SealedEnvelope): Promise<void> {
    try {
      await queue.add(envelope);
    } catch (error) {
      if (!queueRests) log.warn({ error }, 'the queue takes no deliveries; they go to the spool');
      queueRests = true;
      throw error;
    }
    if (queueRests) log.info({ spooled: spool.count() }, 'the queue takes deliveries again');
    queueRests = false;
  }

  async function store(envelope: Envelope): Promise<'queue' | 'spool'> {
    const places = queueRests ? [intoSpool, intoQueue] : [intoQueue, intoSpool];
    const errors: unknown[] = [];
    for (const place of places) {
      try {
        return await place(envelope);
      } catch (error) {
        errors.push(error);
      }
    }
    throw new AggregateError(errors, 'neither the queue nor the spool took a delivery');
  }

  async function intoQueue(envelope: Envelope): Promise<'queue'> {
    await add(envelope);
    return 'queue';
  }

  async function intoSpool(envelope: Envelope): Promise<'spool'> {
    await spool.append(envelope);
    return 'spool';
  }

  async function drainUntilClosed(): Promise<void> {
    let pauseMs = retryMs;
    while (!closing.signal.aborted) {
      try {
        const before = spool.count();
        await spool.drain((envelope) => {
          closing.signal.throwIfAborted();
          return add(envelope);
        });
        if (before > 0) log.info({ drained: before, spooled: spool.count() }, 'the spool was drained into the queue');
        queueRests = false; // with nothing in the spool, the next delivery finds out
        pauseMs = retryMs;
      } catch (error) {
        log.debug({ error, spooled: spool.count() }, 'the spool could not be drained; trying again');
        pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      }
      await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {}); // closing ends the loop
    }
  }

  const draining = drainUntilClosed();
  return {
    store,
    async problems() {
      const [queued, spooled] = await Promise.allSettled([queue.waiting(), spool.check()]);
      if (queued.status === 'fulfilled' || spooled.status === 'fulfilled') return [];
      return ['the queue cannot be reached', 'the spool cannot be written'];
    },
    async close() {
      closing.abort(new Error('the receiver is closing'));
      await draining;
    },
  };
}
