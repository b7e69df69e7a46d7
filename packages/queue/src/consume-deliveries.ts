// A job is locked while its delivery is in hand and the lock is renewed. When the process dies the lock runs out, another
// consumer notices on its next round, and the job runs again: a second run does no harm, so stalls count for nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { type BackendFactory, type IQueueBackend, type Job, type JobProgress, WaitingError, Worker } from 'bullmq';
import type { Backend } from './backend.ts';
import type { Delivery } from './delivery.ts';
import { type DeliveryJob, fromJob, jobId, pauseAfter, toJob } from './delivery-job.ts';
import { createQueue, type DeliveryQueueOptions } from './delivery-queue.ts';
import { QueueUnreachableError } from './errors.ts';
import { limitWarnings } from './limit-warnings.ts';
import { openBackend } from './open-backend.ts';
import { within } from './within.ts';

const openWithinMs = 5_000;

export type DeliveryConsumer = {
  /** Takes no more deliveries; resolves when none is in hand. */
  pause(): Promise<void>;
  /** Takes no more, waits for what is in hand (at most `finishWithinMs`), then hands back the rest to run at once elsewhere. */
  close(): Promise<void>;
};

export type ConsumeOptions = Omit<DeliveryQueueOptions, 'timeoutMs'> & {
  /** Deliveries in hand at once. */
  concurrency: number;
  /**
   * A delivery is done when this resolves. Until then it is tried again, without end and with pauses growing to 30 s, here
   * or in another process; so it may run more than once for one delivery.
   */
  record: (delivery: Delivery) => Promise<void>;
  /** Told what `record` threw. */
  onError: (error: unknown) => void;
  /** Default 7 s. */
  finishWithinMs?: number;
};

/** Starts to record the queue's deliveries. Throws as openDeliveryQueue does; later trouble with the server is waited out. */
export async function consumeDeliveries(options: ConsumeOptions): Promise<DeliveryConsumer> {
  const { finishWithinMs = 7_000 } = options;
  const onTrouble = limitWarnings(options.onWarning);
  const backend = await openBackend({
    ...options,
    namespace: options.namespace ?? 'procore-mirror',
    openWithinMs,
    connections: Math.min(options.concurrency, 10) + 2,
    onError: onTrouble,
  });
  const handBack = Promise.withResolvers<'hand back'>();
  const worker = createWorker(backend, options.concurrency, (job) => recordJob(job, options, handBack.promise));
  worker.on('error', onTrouble);
  try {
    await within(worker.waitUntilReady(), openWithinMs, 'opening the queue');
  } catch (error) {
    await backend.close();
    throw new QueueUnreachableError('its server', error);
  }
  worker.run().catch(onTrouble);
  const mover = startMover(backend, onTrouble);
  let closing: Promise<void> | undefined;
  return {
    pause: () => worker.pause(),
    close() {
      closing ??= (async () => {
        const closed = Promise.all([worker.close(), mover.close()]).then(() => {});
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

/** Makes a job of each delivery that lands, if this backend has a landing. */
function startMover(backend: Backend, onError: (error: unknown) => void): { close(): Promise<void> } {
  if (backend.landing === null) return { close: async () => {} };
  const queue = createQueue(backend);
  queue.on('error', onError);
  const moving = backend.landing.startMoving({
    add: (delivery) => queue.add('delivery', toJob(delivery), { jobId: jobId(delivery) }),
    onError,
  });
  return {
    async close() {
      await moving.close();
      await queue.close();
    },
  };
}

type DeliveryWorker = Worker<DeliveryJob, void, string, IQueueBackend, JobProgress, unknown>;

function createWorker(
  backend: Backend,
  concurrency: number,
  record: (job: Job<DeliveryJob, void>) => Promise<void>,
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
    slowDownWhenRefused(backend.createBackend),
  );
}

async function recordJob(
  job: Job<DeliveryJob, void>,
  { record, onError }: ConsumeOptions,
  handBack: Promise<'hand back'>,
): Promise<void> {
  const recording = (async () => record(fromJob(job.data)))().then(
    () => 'done' as const,
    (error: unknown) => {
      onError(error);
      return 'failed' as const;
    },
  );
  switch (await Promise.race([recording, handBack])) {
    case 'done':
      return;
    case 'failed':
      // Without the cause: what is thrown here is stored with the job, and an error may hold anything.
      throw new Error('the delivery could not be recorded; the log says why');
    case 'hand back':
      // If this fails, too, the lock runs out soon.
      await within(job.moveToWait(job.token), 1_000, 'handing back a delivery').catch(() => {});
      throw new WaitingError();
  }
}

/** BullMQ asks again at once when the server answers with an error (starting up, out of memory); one that is away it waits for. */
function slowDownWhenRefused(createBackend: Backend['createBackend']): BackendFactory<IQueueBackend, unknown> {
  return (name, options, extra) => {
    const backend = createBackend(name, options, extra);
    const moveToActive = backend.moveToActive.bind(backend);
    backend.moveToActive = async (...job) => {
      try {
        return await moveToActive(...job);
      } catch (error) {
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
