// What becomes of records whose fetch failed? The one place that turns an error into an outcome.
import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';

export type FailureOutcome =
  /** Procore named a time to come back; costs no attempt. */
  | { outcome: 'wait'; resumeAt: number }
  /** Try these records again after a pause. */
  | { outcome: 'retry'; pauseMs: number }
  /** The record is gone, or not visible to us. */
  | { outcome: 'absent' }
  /** We may not read this; the scope is to be parked if its other records are refused, too. */
  | { outcome: 'refused'; pauseMs: number }
  /** The company refuses a fresh token. */
  | { outcome: 'unauthorized' }
  /** Procore refuses the credentials: nothing can be fetched until somebody mends them. */
  | { outcome: 'stop' }
  /** A person must look. */
  | { outcome: 'dead'; reason: string };

const SECOND = 1000;
const LONGEST_PAUSE_MS = 5 * 60 * SECOND;
const ATTEMPTS_BEFORE_DEAD = 8;

/**
 * Judges the failure of a call for records that failed `attempts` times before. Trouble on the way or at Procore is
 * retried for ever with growing pauses; an answer that makes no sense is, too, but becomes a dead letter in the end.
 */
export function judgeFailure(error: unknown, attempts: number, random: () => number): FailureOutcome {
  const retry = { outcome: 'retry', pauseMs: pauseMs(attempts, random) } as const;
  if (error instanceof ProcoreBusyError) return { outcome: 'wait', resumeAt: error.resumeAt };
  if (error instanceof ProcoreUnreachableError) return retry;
  if (error instanceof ProcoreTokenError) return error.isRejected ? { outcome: 'stop' } : retry;
  if (error instanceof ProcoreFormatError) {
    return attempts < ATTEMPTS_BEFORE_DEAD ? retry : { outcome: 'dead', reason: 'malformed_answer' };
  }
  if (error instanceof ProcoreTooLargeError) {
    return attempts < ATTEMPTS_BEFORE_DEAD ? retry : { outcome: 'dead', reason: 'answer_too_large' };
  }
  if (error instanceof ProcoreResponseError) return judgeStatus(error, attempts, retry);
  return retry;
}

function judgeStatus(
  { status, meaning }: ProcoreResponseError,
  attempts: number,
  retry: { outcome: 'retry'; pauseMs: number },
): FailureOutcome {
  switch (meaning) {
    case 'unauthorized':
      return { outcome: 'unauthorized' };
    case 'refused':
      return { outcome: 'refused', pauseMs: retry.pauseMs };
    case 'absent':
      return { outcome: 'absent' };
    case 'not understood':
      return attempts < 2 ? retry : { outcome: 'dead', reason: `answer_${status}` };
    default:
      return retry;
  }
}

function pauseMs(attempts: number, random: () => number): number {
  const full = Math.min(SECOND * 2 ** Math.min(attempts, 20), LONGEST_PAUSE_MS);
  return Math.round(full * (0.75 + random() / 2));
}
