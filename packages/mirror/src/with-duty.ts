import { type Database, giveUpDuty, takeDuty } from '@procore-mirror/database';
import { type Clock, realTime } from './run/clock.ts';
import { keepLease } from './run/keep-lease.ts';

type Log = { warn: (about: object, message: string) => void };

type Duty = {
  database: Database;
  duty: string;
  holder: string;
  leaseMs: number;
  log: Log;
  clock?: Clock | undefined;
};

/**
 * Does `round` now and every `everyMs`, in one process at a time: whoever has the duty; the next one takes it when that one is closed, or its lease runs
 * out. `ended`: it is closed, or another process took the duty. `trouble`: what the log says when a round failed; the next one comes.
 */
export function startDutyLoop(
  { everyMs, trouble, ...duty }: Duty & { everyMs: number; trouble: string },
  round: (ended: AbortSignal) => Promise<void>,
): { close: () => Promise<void> } {
  const { log, clock = realTime } = duty;
  const closing = new AbortController();

  async function loop(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await withDuty(duty, (lost) => round(AbortSignal.any([lost, closing.signal])));
      } catch (error) {
        if (!closing.signal.aborted) log.warn({ error }, trouble);
      }
      await clock.sleep(everyMs, closing.signal).catch(() => null);
    }
    await leaveDuty(duty);
  }

  const running = loop();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
    },
  };
}

/** Does `work` if no other process has the duty, and keeps it meanwhile; `lost` tells when another one took it. Null: it has another one. */
export async function withDuty<T>(
  { database, duty, holder, leaseMs, log, clock = realTime }: Duty,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T | null> {
  if (!(await takeDuty(database, duty, { holder, leaseMs }))) return null;
  const lost = new AbortController();
  const lease = keepLease({
    ...{ clock, leaseMs, renew: () => takeDuty(database, duty, { holder, leaseMs }) },
    onLost: () => lost.abort(new Error(`another worker has: ${duty}`)),
    onError: (error) => log.warn({ duty, error }, 'the lease of a duty could not be renewed'),
  });
  try {
    return await work(lost.signal);
  } finally {
    lease.stop();
  }
}

/** Lets another process have it at once; else it does when the lease runs out. */
export async function leaveDuty({ database, duty, holder, log }: Omit<Duty, 'leaseMs'>): Promise<void> {
  await giveUpDuty(database, duty, holder).catch((error: unknown) =>
    log.warn({ duty, error }, 'a duty could not be given to another worker; its lease will run out'),
  );
}
