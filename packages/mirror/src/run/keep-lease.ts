import type { Clock } from './clock.ts';

/** Renews a lease three times in its length, until it is told to stop. A renewal that fails is followed by another one. */
export function keepLease(options: {
  clock: Clock;
  leaseMs: number;
  /** Resolves to false when somebody else has it. */
  renew: () => Promise<boolean>;
  onLost: () => void;
  onError: (error: unknown) => void;
}): { stop: () => void } {
  const { clock, leaseMs, renew, onLost, onError } = options;
  const ending = new AbortController();

  async function keep(): Promise<void> {
    while (await clock.sleep(leaseMs / 3, ending.signal).then(isOver, isStopped))
      renew().then((isOurs) => isOurs || onLost(), onError);
  }

  void keep();
  return { stop: () => ending.abort() };
}

const isOver = () => true;
const isStopped = () => false;
