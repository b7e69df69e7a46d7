// What does a failure speak of, and what follows? The one place that turns errors into trouble, and trouble into pauses.
import type { ParkReason, Trouble } from '@procore-mirror/database';
import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { InDoubtError } from '../errors.ts';

export type Failure =
  /** Our calls are used up; the budget knows until when. */
  | { kind: 'limited' }
  /** It is gone, or not visible to us. */
  | { kind: 'absent' }
  /** The answers are fine, and prove nothing of what they lack. */
  | { kind: 'in doubt' }
  /**
   * One call failed. Whether its record, its resource, its company or everything is to blame, neighbours tell. `givesUp`: if it is the
   * record, when it becomes a dead letter and why; null: tried for ever, because it may pass.
   */
  | { kind: 'trouble'; trouble: Trouble; givesUp: GivesUp | null };

/** Nothing of a place is there: trouble of its own, which proves nothing. */
export const NOTHING_THERE = {
  kind: 'trouble',
  trouble: { reason: 'failing', detail: 'nothing of it is there', atLeastMs: 0 },
  givesUp: null,
} as const satisfies Failure;

type GivesUp = { reason: string; afterFailures: number };

const SECOND = 1000;
/** Of a record. */
export const LONGEST_PAUSE_MS = 2 * 3600 * SECOND;
const SHORTEST_PAUSES_MS: Partial<Record<ParkReason, number>> = {
  forbidden: 5 * SECOND,
  // Each try holds a slot for half as long.
  slow: 60 * SECOND,
};
/** About three minutes: the answer may differ the next time. */
const AFTER_MINUTES = 12;
/** The same request gets the same answer. */
const AFTER_SECONDS = 3;

/** Were we told that we may not? */
export function isRefusal({ reason }: Trouble): boolean {
  return reason === 'forbidden' || reason === 'unauthorized';
}

/** The same, where it is a whole company's: one that refuses all has disconnected the app. */
export function ofCompany(trouble: Trouble): Trouble {
  return trouble.reason === 'forbidden' ? { ...trouble, reason: 'not_connected' } : trouble;
}

/** Is it gone, or not visible to us? */
export function isNotFound(error: unknown): boolean {
  return error instanceof ProcoreResponseError && error.meaning === 'absent';
}

/** What failed; null for an error that is none of a call to Procore. */
export function judgeFailure(error: unknown, now: () => number = Date.now): Failure | null {
  if (error instanceof InDoubtError) return { kind: 'in doubt' };
  if (error instanceof ProcoreTokenError) return troubleOf(error, 'no_token');
  if (error instanceof ProcoreUnreachableError) return troubleOf(error, error.isTimeOut ? 'slow' : 'unreachable');
  if (error instanceof ProcoreFormatError)
    return troubleOf(error, 'failing', { givesUp: { reason: 'malformed_answer', afterFailures: AFTER_MINUTES } });
  if (error instanceof ProcoreTooLargeError)
    return troubleOf(error, 'failing', { givesUp: { reason: 'answer_too_large', afterFailures: AFTER_MINUTES } });
  if (error instanceof ProcoreBusyError) {
    if (error.meaning === 'limited') return { kind: 'limited' };
    return troubleOf(error, 'failing', { atLeastMs: Math.max(0, error.resumeAt - now()) });
  }
  return error instanceof ProcoreResponseError ? judgeStatus(error) : null;
}

function judgeStatus(error: ProcoreResponseError): Failure {
  const givesUp = (afterFailures: number) => ({ reason: `answer_${error.status}`, afterFailures });
  switch (error.meaning) {
    case 'absent':
      return { kind: 'absent' };
    case 'unauthorized':
      return troubleOf(error, 'unauthorized');
    case 'refused':
      return troubleOf(error, 'forbidden', { givesUp: givesUp(AFTER_MINUTES) });
    case 'too large':
      return troubleOf(error, 'failing', { givesUp: givesUp(AFTER_MINUTES) });
    case 'not understood':
      return troubleOf(error, 'failing', { givesUp: givesUp(AFTER_SECONDS) });
    case 'on the way':
      return troubleOf(error, 'unreachable');
    default:
      return troubleOf(error, 'failing');
  }
}

function troubleOf(
  error: Error,
  reason: ParkReason,
  { givesUp = null, atLeastMs = 0 }: { givesUp?: GivesUp | null; atLeastMs?: number } = {},
): Failure {
  return { kind: 'trouble', trouble: { reason, detail: error.message, atLeastMs }, givesUp };
}

/**
 * How long a record waits that failed `attempts` times before, ms: about half as long as it has been failing, so that the end of
 * an outage is seen soon after it.
 */
export function pauseOf({ reason, atLeastMs }: Trouble, attempts: number, random: () => number): number {
  const full = Math.min(SECOND * 1.5 ** attempts, LONGEST_PAUSE_MS);
  const pause = Math.round(full * (0.75 + random() / 2));
  return Math.max(pause, SHORTEST_PAUSES_MS[reason] ?? 0, Math.min(atLeastMs, LONGEST_PAUSE_MS));
}
