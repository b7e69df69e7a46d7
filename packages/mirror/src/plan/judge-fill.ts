// What follows when a fill failed. Pure.
import { ProcoreFormatError } from '@procore-mirror/procore';
import { FillIncompleteError, ScopeParkedError } from '../errors.ts';
import { isRefusal, judgeFailure } from './judge-failure.ts';

/** `readsAnew`: the list that it is in is read from its beginning. */
export type NextTry = { pauseMs: number; isAttempt: boolean; readsAnew: boolean };

const SECOND = 1000;
/** Trouble that passes within some three minutes is waited out; what lasts longer parks its scope, or is this list's own. */
const PAUSES_MS = [2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * SECOND);
/** A page that fails again and again where it goes on may be a bad record's, which is passed over after a page that was answered. */
const READS_ANEW_AFTER = 3;
/** One refusal may be the first that a company makes to everybody; by then that is known. */
const AFTER_REFUSAL = { pauseMs: 8 * SECOND, isAttempt: true, readsAnew: false };
const AT_ONCE = { pauseMs: SECOND, isAttempt: false, readsAnew: false };

/** So many failures in a row, and the next is the last. */
export const MOST_ATTEMPTS = PAUSES_MS.length;

/**
 * When it is tried again, after so many failures in a row before this one. Null: a person has to know of it. `isParked`: its company is
 * left alone, so that it waits with that.
 */
export function judgeFill(
  error: unknown,
  { attempts, isParked }: { attempts: number; isParked: boolean },
): NextTry | null {
  if (error instanceof ScopeParkedError) return AT_ONCE;
  const failure = judgeFailure(error);
  if (failure?.kind === 'limited') return AT_ONCE;
  const isRefused = failure?.kind === 'trouble' && isRefusal(failure.trouble);
  if (!isRefused && !mayPass(error)) return null;
  if (isParked) return AT_ONCE;
  if (!mayPass(error)) return attempts === 0 ? AFTER_REFUSAL : null;
  const pauseMs = PAUSES_MS[attempts];
  return pauseMs === undefined ? null : { pauseMs, isAttempt: true, readsAnew: attempts === READS_ANEW_AFTER };
}

/** May it be answered at another time? What is none of Procore's failures is our own, and may pass, too. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ProcoreFormatError) return !(error instanceof FillIncompleteError);
  const failure = judgeFailure(error);
  return failure === null || (failure.kind === 'trouble' && failure.givesUp === null);
}
