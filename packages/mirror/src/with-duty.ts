import { type Database, giveUpDuty, takeDuty } from '@procore-mirror/database';
import { type Clock, realTime } from './run/clock.ts';
import { keepLease } from './run/keep-lease.ts';

type Log = { warn: (about: object, message: string) => void };

/** Does `work` if no other process has the duty, and keeps it meanwhile; `lost` tells when another one took it. Null: it has another one. */
export async function withDuty<T>(
  {
    database,
    duty,
    holder,
    leaseMs,
    log,
    clock = realTime,
  }: { database: Database; duty: string; holder: string; leaseMs: number; log: Log; clock?: Clock | undefined },
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
export async function leaveDuty({
  database,
  duty,
  holder,
  log,
}: {
  database: Database;
  duty: string;
  holder: string;
  log: Log;
}): Promise<void> {
  await giveUpDuty(database, duty, holder).catch((error: unknown) =>
    log.warn({ duty, error }, 'a duty could not be given to another worker; its lease will run out'),
  );
}
