import { randomUUID } from 'node:crypto';
import { type Database, giveUpDuty, takeDuty } from '@procore-mirror/database';
import { type Clock, realTime } from './run/clock.ts';
import { keepLease } from './run/keep-lease.ts';
import type { Scope } from './scope.ts';

/** Who dies meanwhile is waited for so long; who is at it says so again and again. */
const ALONE_FOR_MS = 30_000;
const ASK_FOR_DUTY_EVERY_MS = 200;

/** Works at the hook of a scope while no other process does: what was planned holds when it is written. */
export async function aloneAtHook<T>(
  database: Database,
  { companyId, projectId }: Pick<Scope, 'companyId' | 'projectId'>,
  signal: AbortSignal,
  work: () => Promise<T>,
  clock: Clock = realTime,
): Promise<T> {
  const duty = `the hook of ${companyId}/${projectId ?? ''}`;
  const lease = { holder: randomUUID(), leaseMs: ALONE_FOR_MS };
  while (!(await takeDuty(database, duty, lease))) await clock.sleep(ASK_FOR_DUTY_EVERY_MS, signal);
  // Calls may wait for their turn.
  const renew = () => takeDuty(database, duty, lease);
  const kept = keepLease({ clock, leaseMs: ALONE_FOR_MS, renew, onLost: () => {}, onError: () => {} });
  try {
    return await work();
  } finally {
    kept.stop();
    await giveUpDuty(database, duty, lease.holder);
  }
}
