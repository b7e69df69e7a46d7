// A job is locked while its delivery is in hand and the lock is renewed. When the process dies the lock runs out, another
// consumer notices on its next round, and the job runs again: a second run does no harm, so stalls count for nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { serverOf } from '@procore-mirror/address';
import { type BackendFactory, type IQueueBackend, type Job, type JobProgress, WaitingError, Worker } from 'bullmq';
import type { Backend } from './backend.ts';
import { countWaiting } from './count-waiting.ts';
import { pauseAfter } from './delivery-job.ts';
import { createQueue, type DeliveryJobs } from './delivery-jobs.ts';
import type { DeliveryQueueOptions } from './delivery-queue.ts';
import {
  type Envelope,
  type EnvelopeJob,
  fromJob,
  jobId,
  openEnvelope,
  type SealedEnvelope,
  toJob,
} from './envelope.ts';
import { NewerEnvelopeError, QueueUnreachableError } from './errors.ts';
import { type FullRedis, watchFullRedis } from './full-redis.ts';
import { limitWarnings } from './limit-warnings.ts';
import { openBackend } from './open-backend.ts';
import { within } from './within.ts';

const OPEN_WITHIN_MS = 5_000;
const ANSWERS_WITHIN_MS = 2_000;

export type DeliveryConsumer = {
  /** Takes no more deliveries; resolves when none is in hand. */
  pause: () => Promise<void>;
  /** What keeps the server from working as it should, be it that it does not answer within 2 s. */
  problems: () => Promise<readonly string[]>;
  /** As of `DeliveryQueue`; rejects within 2 s. */
  waiting: () => Promise<number>;
  /** Takes no more, waits for what is in hand (at most `finishWithinMs`), then hands back the rest to run at once elsewhere. */
  close: () => Promise<void>;
};

export type ConsumeOptions = Omit<DeliveryQueueOptions, 'timeoutMs'> & {
  /** Deliveries in hand at once. */
  concurrency: number;
  /**
   * An envelope is done when this resolves. Until then it is tried again, without end and with pauses growing to 30 s, here
   * or in another process; so it may run more than once for one envelope.
   */
  record: (envelope: Envelope) => Promise<void>;
  /** Told what `record` threw, and of an envelope that cannot be opened: it stays, and is tried again. */
  onError: (error: unknown) => void;
  /** Default 7 s. */
  finishWithinMs?: number;
};

/** Starts to record the queue's deliveries. Throws as openDeliveryQueue does; later trouble with the server is waited out. */
export async function consumeDeliveries(given: ConsumeOptions): Promise<DeliveryConsumer> {
  const { finishWithinMs = 7_000 } = given;
  const onTrouble = limitWarnings(given.onWarning);
  // Of these there may be thousands, each tried again and again until somebody updates this worker.
  const onError = (error: unknown) => (error instanceof NewerEnvelopeError ? onTrouble : given.onError)(error);
  const options = { ...given, onError };
  const backend = await openBackend({
    ...options,
    namespace: options.namespace ?? 'procore-mirror',
    openWithinMs: OPEN_WITHIN_MS,
    connections: Math.min(options.concurrency, 10) + 2,
    onError: onTrouble,
  });
  const handBack = Promise.withResolvers<'hand back'>();
  const jobs = createQueue(backend);
  jobs.on('error', onTrouble);
  const full = watchFullRedis({ jobs, record: (envelope) => recordDirectly(envelope, options) });
  const worker = createWorker(backend, options.concurrency, {
    record: (job) => recordJob(job, options, handBack.promise),
    full,
  });
  worker.on('error', onTrouble);
  try {
    await within(worker.waitUntilReady(), OPEN_WITHIN_MS, 'opening the queue');
  } catch (error) {
    await backend.close();
    throw new QueueUnreachableError('its server', error);
  }
  worker.run().catch(onTrouble);
  const mover = startMover(backend, { jobs, full, onTrouble, record: (envelope) => recordDirectly(envelope, options) });
  const server = serverOf(options.url);
  const answers = createAsking(() => jobs.isPaused());
  let closing: Promise<void> | undefined;
  return {
    pause: () => worker.pause(),
    waiting: () => countWaiting(jobs, backend, ANSWERS_WITHIN_MS),
    problems: async () => [
      ...full.problems(),
      ...((await answers()) ? [] : [`the queue at ${server} does not answer`]),
    ],
    close() {
      closing ??= (async () => {
        const closed = Promise.all([worker.close(), mover.close()]).then(() => jobs.close());
        if (!(await isDoneWithin(closed, finishWithinMs))) {
          handBack.resolve('hand back');
          await isDoneWithin(closed, 1_500);
        }
        await backend.close();
      })();
      return closing;
    },
  };
}

/** Asks whether the server answers. To one that is away a question waits, so there is one at a time. */
function createAsking(question: () => Promise<unknown>): () => Promise<boolean> {
  let underWay: Promise<boolean> | null = null;
  return async () => {
    underWay ??= question()
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        underWay = null;
      });
    return await Promise.race([underWay, sleep(ANSWERS_WITHIN_MS, false, { ref: false })]);
  };
}

/** Makes a job of each envelope that lands, if this backend has a landing; where there is no room for one it is recorded at once. */
function startMover(
  { landing }: Backend,
  options: {
    jobs: DeliveryJobs;
    full: FullRedis;
    record: (envelope: SealedEnvelope) => Promise<void>;
    onTrouble: (error: unknown) => void;
  },
): { close: () => Promise<void> } {
  if (landing === null) return { close: async () => {} };
  return landing.startMoving({
    add: async (envelope) => {
      try {
        await options.jobs.add('delivery', toJob(envelope), { jobId: jobId(envelope) });
      } catch (error) {
        if (!options.full.noteIfFull(error)) throw error;
        options.onTrouble(error);
        await options.record(envelope);
      }
    },
    onError: options.onTrouble,
  });
}

async function recordDirectly(envelope: SealedEnvelope, { record, onError }: ConsumeOptions): Promise<void> {
  try {
    await record(openEnvelope(envelope));
  } catch (error) {
    onError(error);
    throw withoutCause(error);
  }
}

/** What is thrown is stored with the job, and an error may hold anything. */
function withoutCause(error: unknown): Error {
  const isNewer = error instanceof NewerEnvelopeError;
  return new Error(isNewer ? error.message : 'the delivery could not be recorded; the log says why');
}

type DeliveryWorker = Worker<EnvelopeJob, void, string, IQueueBackend, JobProgress, unknown>;

function createWorker(
  backend: Backend,
  concurrency: number,
  { record, full }: { record: (job: Job<EnvelopeJob, void>) => Promise<void>; full: FullRedis },
): DeliveryWorker {
  return new Worker(
    backend.queueName,
    record,
    {
      connection: {}, // the backend has its own
      prefix: backend.prefix,
      skipVersionCheck: backend.skipVersionCheck,
      autorun: false,
      concurrency,
      lockDuration: 3_000,
      lockRenewTime: 1_000,
      stalledInterval: 1_000,
      maxStalledCount: 2 ** 31 - 1,
      runRetryDelay: 500,
      settings: { backoffStrategy: (failures) => pauseAfter(failures) },
    },
    slowDownWhenRefused(backend.createBackend, full),
  );
}

async function recordJob(
  job: Job<EnvelopeJob, void>,
  { record, onError }: ConsumeOptions,
  handBack: Promise<'hand back'>,
): Promise<void> {
  const recording = (async () => record(openEnvelope(fromJob(job.data))))().catch((error: unknown) => {
    onError(error);
    throw withoutCause(error);
  });
  recording.catch(() => {}); // handed back, nobody waits for it any more
  if ((await Promise.race([recording, handBack])) !== 'hand back') return;
  // If this fails, too, the lock runs out soon.
  await within(job.moveToWait(job.token), 1_000, 'handing back a delivery').catch(() => {});
  throw new WaitingError();
}

/** BullMQ asks again at once when the server answers with an error (starting up, out of memory); one that is away it waits for. */
function slowDownWhenRefused(
  createBackend: Backend['createBackend'],
  full: FullRedis,
): BackendFactory<IQueueBackend, unknown> {
  return (name, options, extra) => {
    const backend = createBackend(name, options, extra);
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = async (...job) => {
      try {
        return await moveToActive(...job);
      } catch (error) {
        if (full.noteIfFull(error)) await full.recordJobs();
        await sleep(300);
        throw error;
      }
    };
    return backend;
  };
}

async function isDoneWithin(promise: Promise<void>, ms: number): Promise<boolean> {
  return await Promise.race([promise.then(() => true), sleep(ms, false)]);
}
