import { setTimeout as sleep } from 'node:timers/promises';
import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';

const refusals = [ProcoreResponseError, ProcoreFormatError, ProcoreTooLargeError];
const attempts = 5;
const pauseMs = 2_000;

/**
 * Runs `work` with some patience for a Procore that is busy or out of reach. A refusal that concerns this work only is
 * returned, so that the rest can go on; everything else is thrown.
 */
export async function tryCalls<T>(
  work: () => Promise<T>,
  o: { signal: AbortSignal; now?: () => number; sleepMs?: (ms: number) => Promise<unknown> },
): Promise<{ done: T } | { refused: string }> {
  const { signal, now = Date.now, sleepMs = (ms) => sleep(ms, undefined, { signal }) } = o;
  for (let attempt = 1; ; attempt++) {
    try {
      return { done: await work() };
    } catch (error) {
      signal.throwIfAborted();
      if (refusals.some((kind) => error instanceof kind)) return { refused: messageOf(error) };
      const wait = waitFor(error, now());
      if (wait === null) throw error;
      if (attempt === attempts) return { refused: messageOf(error) };
      await sleepMs(wait);
    }
  }
}

function waitFor(error: unknown, now: number): number | null {
  if (error instanceof ProcoreBusyError) return Math.max(0, error.resumeAt - now);
  return error instanceof ProcoreUnreachableError ? pauseMs : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
