import { setTimeout as sleep } from 'node:timers/promises';
import { ProcoreBusyError } from '@procore-mirror/procore';
import { ScopeParkedError } from '../errors.ts';
import { judgeFailure } from '../plan/judge-failure.ts';

/** An outage of two minutes is waited out. */
const PAUSES_MS = [2_000, 4_000, 8_000, 16_000, 32_000, 60_000];

export type Patience = {
  signal: AbortSignal;
  /** How long to wait before each further try. Default: two minutes in all. */
  pausesMs?: readonly number[] | undefined;
  /** Told why the work is tried again, before the pause. */
  onRetry?: ((reason: string) => void) | undefined;
  now?: (() => number) | undefined;
  sleepMs?: ((ms: number) => Promise<unknown>) | undefined;
};

/**
 * Runs `work` with some patience for trouble that may pass. What does not, and concerns this work only, is returned, so that the
 * rest can go on; everything else is thrown.
 */
export async function tryCalls<T>(
  work: () => Promise<T>,
  options: Patience,
): Promise<{ done: T } | { refused: string }> {
  const { signal, pausesMs = PAUSES_MS, now = Date.now, sleepMs = (ms) => sleep(ms, undefined, { signal }) } = options;
  for (const pauseMs of [...pausesMs, null]) {
    try {
      return { done: await work() };
    } catch (error) {
      signal.throwIfAborted();
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      if (pauseMs === null || !refusal.mayPass) return { refused: refusal.message };
      options.onRetry?.(refusal.message);
      await sleepMs(error instanceof ProcoreBusyError ? Math.max(0, error.resumeAt - now()) : pauseMs);
    }
  }
  throw new RangeError('unreachable: the last attempt returns or throws');
}

/** Null: it is none of Procore's failures. */
function refusalOf(error: unknown): { message: string; mayPass: boolean } | null {
  if (error instanceof ScopeParkedError) return { message: error.message, mayPass: false };
  const failure = judgeFailure(error);
  if (failure === null || !(error instanceof Error)) return null;
  const mayPass = failure.kind === 'limited' || (failure.kind === 'trouble' && failure.givesUp === null);
  return { message: error.message, mayPass };
}
