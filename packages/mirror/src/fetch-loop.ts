// Takes due batches one after the other, as many at once as allowed, and fetches them.
import {
  type Batch,
  type ClaimedBatch,
  forgetIdleScopes,
  forgetOldAbsences,
  forgetOldReceivers,
  forgetOldWalks,
  releaseBatch,
  renewLease,
  rescheduleBatches,
} from '@procore-mirror/database';
import { type BatchReport, fetchBatch } from './fetch-batch.ts';
import { lookAgain } from './look-again.ts';
import { retryDeadLetters, timeToNextTry } from './retry-dead-letters.ts';
import { realTime } from './run/clock.ts';
import type { FetchSettings } from './run/fetch-settings.ts';
import { keepLease } from './run/keep-lease.ts';
import { claimNext } from './schedule/claim-next.ts';

/** Where the loop tells of what it copes with (warn) and of what a person should see (error). */
type LoopLog = Record<'warn' | 'error', (keys: Record<string, unknown>, message: string) => void>;

type FetchLoopOptions = {
  settings: FetchSettings;
  /** Names this process in the leases. */
  holder: string;
  concurrency: number;
  log: LoopLog;
  /** While nobody can sign in a batch could only fail, so none is taken. */
  canSignIn: (signal: AbortSignal) => Promise<boolean>;
  onReport: (batch: Batch, report: BatchReport) => void;
  /** A dead worker's batches are taken over after this long, ms. */
  leaseMs?: number;
};

type FetchLoop = {
  /** Takes no more batches, lets calls in hand end for a few seconds, gives the rest back. */
  close: () => Promise<void>;
};

/** How often an idle loop looks for a batch that is due. */
export const IDLE_MS = 200;
const RESCHEDULE_EVERY_MS = 600_000;
/** How often it looks whether hidden records are due for another look. */
const LOOK_EVERY_MS = 60_000;
const REST_AFTER_FAILURE_MS = 5_000;
/** When the schedule could not be read. */
const REST_AFTER_UNREAD_MS = 1_000;
const FINISH_WITHIN_MS = 5_000;

/** Starts to fetch what is pending. */
export function startFetchLoop(options: FetchLoopOptions): FetchLoop {
  const { settings, holder, concurrency, log, canSignIn, leaseMs = 15_000 } = options;
  const { clock = realTime } = settings;
  const closing = new AbortController();
  const aborting = new AbortController();
  const inHand = new Map<Promise<void>, Batch>();
  let rescheduleAt = Number.NEGATIVE_INFINITY;
  let lookAt = Number.NEGATIVE_INFINITY;
  let retryAt = Number.NEGATIVE_INFINITY;

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      const batch = inHand.size < concurrency ? await nextBatch() : null;
      if (batch !== null) start(batch);
      else await nap();
    }
  }

  async function nextBatch(): Promise<ClaimedBatch | null> {
    try {
      if (clock.now() >= rescheduleAt) {
        rescheduleAt = clock.now() + RESCHEDULE_EVERY_MS;
        await rescheduleBatches(settings.database);
        await forgetOldAbsences(settings.database);
        await forgetOldWalks(settings.database);
        await forgetOldReceivers(settings.database);
      }
      if (clock.now() >= lookAt) {
        lookAt = clock.now() + LOOK_EVERY_MS;
        await lookAgain(settings);
        await forgetIdleScopes(settings.database);
      }
      if (clock.now() >= retryAt) {
        await retryDeadLetters(settings);
        retryAt = clock.now() + (await timeToNextTry(settings));
      }
      if (!(await canSignIn(closing.signal))) return null;
      return await claimNext(settings.database, { holder, leaseMs, inHand: [...inHand.values()], concurrency });
    } catch (error) {
      log.warn({ error }, 'the schedule could not be read; trying again');
      await clock.sleep(REST_AFTER_UNREAD_MS, closing.signal).catch(() => null);
      return null;
    }
  }

  async function nap(): Promise<void> {
    const look = clock.sleep(IDLE_MS, closing.signal).catch(() => null);
    await Promise.race(inHand.size < concurrency ? [look] : [look, ...inHand.keys()]);
  }

  function start(batch: ClaimedBatch): void {
    const run = work(batch).finally(() => inHand.delete(run));
    inHand.set(run, batch);
  }

  async function work(batch: ClaimedBatch): Promise<void> {
    const lost = new AbortController();
    const lease = keepLease({
      ...{ clock, leaseMs, renew: () => renewLease(settings.database, batch, { holder, leaseMs }) },
      onLost: () => lost.abort(new Error('another worker took the batch')),
      onError: (error) => log.warn({ error }, 'the lease of a batch could not be renewed'),
    });
    let restMs = 0;
    try {
      const report = await fetchBatch(settings, batch, AbortSignal.any([lost.signal, aborting.signal, closing.signal]));
      options.onReport(batch, report);
    } catch (error) {
      restMs = REST_AFTER_FAILURE_MS;
      log.error({ ...keysOf(batch), error }, 'a batch failed; it stays pending and is tried again');
    } finally {
      lease.stop();
      await releaseBatch(settings.database, batch, { holder, restMs }).catch((error: unknown) =>
        log.warn({ ...keysOf(batch), error }, 'a batch could not be given back; its lease will run out'),
      );
    }
  }

  const running = loop();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      const finish = setTimeout(() => aborting.abort(new Error('the worker is stopping')), FINISH_WITHIN_MS);
      await running;
      await Promise.all(inHand.keys());
      clearTimeout(finish);
    },
  };
}

/** The batch in the words of the logs. */
export function keysOf(batch: Batch): Record<'company_id' | 'project_id' | 'resource' | 'lane', string | null> {
  return { company_id: batch.companyId, project_id: batch.projectId, resource: batch.resource, lane: batch.lane };
}
