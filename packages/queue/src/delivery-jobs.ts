import { type IQueueBackend, Queue } from 'bullmq';
import type { Backend } from './backend.ts';
import { deliveryJobOptions } from './delivery-job.ts';
import type { EnvelopeJob } from './envelope.ts';

export type DeliveryJobs = Queue<EnvelopeJob, void, string, EnvelopeJob, void, string, IQueueBackend, unknown>;

/** BullMQ's queue of deliveries, one job each. */
export function createQueue(backend: Backend): DeliveryJobs {
  return new Queue(
    backend.queueName,
    {
      connection: {}, // the backend has its own
      prefix: backend.prefix,
      skipVersionCheck: backend.skipVersionCheck,
      defaultJobOptions: deliveryJobOptions,
      streams: { events: { maxLen: 100 } }, // nobody reads BullMQ's own log of events
    },
    backend.createBackend,
  );
}
