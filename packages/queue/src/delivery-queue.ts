import { Job } from 'bullmq';
import { countWaiting } from './count-waiting.ts';
import { deliveryJobOptions } from './delivery-job.ts';
import { createQueue, type DeliveryJobs } from './delivery-jobs.ts';
import { type EnvelopeJob, jobId, type SealedEnvelope, toJob } from './envelope.ts';
import { QueueUnreachableError } from './errors.ts';
import { createGroupCommit } from './group-commit.ts';
import { limitWarnings } from './limit-warnings.ts';
import { openBackend } from './open-backend.ts';
import { within } from './within.ts';

export type DeliveryQueue = {
  /** Resolves once the envelope is durable; rejects within `timeoutMs` (then it may be stored nevertheless, or later). */
  add: (envelope: SealedEnvelope) => Promise<void>;
  /**
   * Deliveries that are not recorded yet, those in hand included; rejects within `timeoutMs`. Identical ones count apart
   * until jobs are made of them, and for a moment one may count twice.
   */
  waiting: () => Promise<number>;
  /** Waits for the adds under way, at most `timeoutMs`. */
  close: () => Promise<void>;
};

export type DeliveryQueueOptions = {
  /**
   * `postgres://…`, `redis[s]://…`, `redis[s]+cluster://host:port,host:port` or
   * `redis[s]+sentinel://host:port,host:port/master-name`.
   */
  url: string;
  /** Queues of different namespaces on one server know nothing of each other. Default `procore-mirror`. */
  namespace?: string;
  /** Go on, with a warning, on a Redis that may forget what it acknowledged. */
  allowVolatile: boolean;
  /** Default 2 s. */
  timeoutMs?: number;
  onWarning: (message: string) => void;
};

/** The side that adds. Throws QueueUnreachableError (try again later) or VolatileQueueError, and a TypeError for a bad URL. */
export async function openDeliveryQueue(options: DeliveryQueueOptions): Promise<DeliveryQueue> {
  const { timeoutMs = 2_000 } = options;
  const openWithinMs = 2.5 * timeoutMs; // several round trips, and perhaps migrations before them
  const onError = limitWarnings(options.onWarning);
  const backend = await openBackend({
    ...options,
    namespace: options.namespace ?? 'procore-mirror',
    timeoutMs,
    openWithinMs,
    connections: 4,
    onError,
  });
  const queue = createQueue(backend);
  queue.on('error', onError);
  try {
    await within(queue.waitUntilReady(), openWithinMs, 'opening the queue');
  } catch (error) {
    await backend.close();
    throw new QueueUnreachableError('its server', error);
  }
  const { landing } = backend;
  const send = createGroupCommit<SealedEnvelope>({
    sizeOf: ({ body }) => body.length,
    maxItems: 500,
    maxSize: 8 * 1024 * 1024,
    timeoutMs,
    gatherMs: 2,
    what: 'adding to the queue',
    commit: (envelopes) => (landing === null ? addAll(queue, envelopes) : landing.put(envelopes)),
  });
  const underWay = new Set<Promise<void>>();
  return {
    async add(envelope) {
      const adding = send(envelope);
      underWay.add(adding);
      try {
        await adding;
      } finally {
        underWay.delete(adding);
      }
    },
    waiting: () => countWaiting(queue, backend, timeoutMs),
    async close() {
      await Promise.allSettled(underWay);
      await within(queue.close(), 1_000, 'closing the queue').catch(onError);
      await backend.close();
    },
  };
}

/**
 * Adds all in one statement, by the call that BullMQ has for flows: its addBulk makes two temporary tables each time, which
 * for a few jobs takes three times as long and fills the catalogue with dead rows. BullMQ's own FlowProducer must not be
 * used for this: it does not look at the errors.
 */
async function addAll(queue: DeliveryJobs, envelopes: readonly SealedEnvelope[]): Promise<void> {
  const byId = new Map(envelopes.map((envelope) => [jobId(envelope), envelope]));
  // In one order everywhere, or two processes with the same deliveries could wait for each other's rows.
  const sorted = [...byId].sort(([one], [other]) => (one < other ? -1 : 1));
  const entries = sorted.map(([id, envelope]) => {
    const job = new Job<EnvelopeJob>(queue, 'delivery', toJob(envelope), deliveryJobOptions, id);
    return { jobData: job.asJSON(), jobId: id, parentKeyOpts: {}, prefix: '', queueName: queue.name };
  });
  const added = await queue.getBackend().addFlow(entries);
  for (const [error] of added) if (error !== null) throw error;
  if (added.length !== entries.length) throw new Error(`${added.length} of ${entries.length} jobs were added`);
}
