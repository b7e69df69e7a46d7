import type { BulkJobOptions } from 'bullmq';

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
