// A Redis that may not evict (as we demand) and is full refuses what needs memory: to make a job, and to give one out. Reading and
// deleting it allows, so what lies there is recorded from where it lies.
import type { Job } from 'bullmq';
import type { DeliveryJobs } from './delivery-jobs.ts';
import { type EnvelopeJob, fromJob, type SealedEnvelope } from './envelope.ts';

const RESCUED_AT_ONCE = 32;
/** So long after a refusal it counts as full still. */
const FULL_FOR_MS = 10_000;

/** Did the server refuse for want of memory? */
export function isFull(error: unknown): boolean {
  return error instanceof Error && /\bOOM\b/.test(error.message);
}

export type FullRedis = {
  /** The same; remembers it for a while. */
  noteIfFull: (error: unknown) => boolean;
  /** Records jobs that wait, which the server does not give out, and removes them. One run at a time. */
  recordJobs: () => Promise<void>;
  problems: () => string[];
};

/** `record` rejects when the envelope could not be recorded; it then stays where it is. */
export function watchFullRedis(options: {
  jobs: DeliveryJobs;
  record: (envelope: SealedEnvelope) => Promise<void>;
}): FullRedis {
  const { jobs, record } = options;
  let refusedAt = Number.NEGATIVE_INFINITY;
  let recording: Promise<void> | null = null;
  /** So many that could not be recorded stand before those that were not tried yet. */
  let passed = 0;

  async function recordAndRemove(job: Job<EnvelopeJob>): Promise<void> {
    await record(fromJob(job.data));
    // Its last step, a note for listeners, needs memory: that one fails when the job is gone already.
    await job.remove().catch(async (error: unknown) => {
      if ((await jobs.getJobState(job.id ?? '')) !== 'unknown') throw error;
    });
  }

  async function recordWaiting(): Promise<void> {
    const upTo = passed + RESCUED_AT_ONCE - 1;
    const waiting = await jobs.getJobs(['waiting', 'delayed', 'prioritized'], passed, upTo, true);
    const done = await Promise.allSettled(waiting.map(recordAndRemove));
    const stuck = done.filter(({ status }) => status === 'rejected').length;
    passed = waiting.length < RESCUED_AT_ONCE ? 0 : passed + stuck;
  }

  return {
    noteIfFull: (error) => {
      if (!isFull(error)) return false;
      refusedAt = performance.now();
      return true;
    },
    recordJobs: () => {
      recording ??= recordWaiting().finally(() => {
        recording = null;
      });
      return recording;
    },
    problems: () =>
      performance.now() - refusedAt < FULL_FOR_MS
        ? ['Redis is full: raise its maxmemory, or free some; deliveries are recorded slowly meanwhile']
        : [],
  };
}
