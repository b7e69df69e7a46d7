import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, giveUpDuty, takeDuty } from '@procore-mirror/database';
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
): Promise<T> {
  const duty = `the hook of ${companyId}/${projectId ?? ''}`;
  const lease = { holder: randomUUID(), leaseMs: ALONE_FOR_MS };
  while (!(await takeDuty(database, duty, lease))) await sleep(ASK_FOR_DUTY_EVERY_MS, undefined, { signal });
  // Calls may wait for their turn. A renewal that fails is followed by another one.
  const renewal = setInterval(() => void takeDuty(database, duty, lease).catch(() => false), ALONE_FOR_MS / 3);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await giveUpDuty(database, duty, lease.holder);
  }
}
