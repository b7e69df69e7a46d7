// Whether the mirror goes on from where it was. That of a real Procore and that of a simulated one each remember for themselves.
import type { Remembered } from './data-directory.ts';
import type { Wanted } from './env.ts';

// Procore keeps what it could not deliver for 12 hours (docs/procore.md: Deliveries); an hour to spare.
const COVERED_BY_RETRIES_MS = 11 * 3_600_000;

/** To be remembered: the mirror is complete and runs. */
export function aliveAt({ isReal }: Pick<Wanted, 'isReal'>, now: number): Partial<Remembered> {
  return isReal ? { lastAliveAt: now } : { simulatedLastAliveAt: now };
}

/** Does Procore still hold all that the mirror missed since it last ran? */
export function continues({ isReal }: Pick<Wanted, 'isReal'>, remembered: Remembered, now: number): boolean {
  const last = isReal ? remembered.lastAliveAt : remembered.simulatedLastAliveAt;
  return last !== undefined && now - last < COVERED_BY_RETRIES_MS;
}
