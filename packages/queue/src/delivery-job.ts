import { hash } from 'node:crypto';
import type { BulkJobOptions } from 'bullmq';
import type { Delivery } from './delivery.ts';

/** A delivery as it lies in the queue. Base64, because JSON text cannot hold any bytes there are. */
export type DeliveryJob = { body: string; receivedAt: string };

/**
 * The same bytes get the same id, so that identical deliveries fold into one job while one of them is in the queue. Done
 * jobs are removed, or their id would swallow later deliveries for good.
 */
export function jobId(delivery: Delivery): string {
  return `d-${hash('sha256', delivery.body, 'base64url')}`;
}

export function toJob(delivery: Delivery): DeliveryJob {
  return { body: delivery.body.toString('base64'), receivedAt: delivery.receivedAt.toISOString() };
}

/** Throws a TypeError for a job that we did not write. */
export function fromJob(job: unknown): Delivery {
  if (typeof job !== 'object' || job === null || !('body' in job) || !('receivedAt' in job)) throw notOurs();
  if (typeof job.body !== 'string' || typeof job.receivedAt !== 'string') throw notOurs();
  const receivedAt = new Date(job.receivedAt);
  if (Number.isNaN(receivedAt.getTime())) throw notOurs();
  return { body: Buffer.from(job.body, 'base64'), receivedAt };
}

function notOurs(): TypeError {
  return new TypeError('a job in the queue of deliveries is not a delivery');
}

export const deliveryJobOptions = {
  // As many as Postgres can count: an acknowledged delivery is never given up.
  attempts: 2 ** 31 - 1,
  backoff: { type: 'growing' },
  removeOnComplete: true,
  stackTraceLimit: 0,
} satisfies BulkJobOptions;

/** Milliseconds before the next attempt after `failures` failed ones: 0.25 s, doubling to 30 s, spread over its last fifth. */
export function pauseAfter(failures: number, random: () => number = Math.random): number {
  const pause = Math.min(30_000, 250 * 2 ** Math.min(failures - 1, 20));
  return Math.round(pause * (0.8 + 0.2 * random()));
}
