// How a run goes on after each call, and what it found out so far about who is to blame for those that failed.
import type { ProbeAsks, Trouble } from '@procore-mirror/database';
import type { Failure } from '../plan/judge-failure.ts';
import type { FetchCall } from '../plan/plan-fetch.ts';

/** What follows from a call. */
export type Next =
  /** The run makes no more calls; see `BatchReport`. */
  | { kind: 'end'; outcome: 'wait' | 'parked' }
  /** With the others, and these come last. */
  | { kind: 'go on'; also: readonly FetchCall[] }
  /** With the same call once more. */
  | { kind: 'again' }
  /** With this one; the others would fail, too. */
  | { kind: 'instead'; call: FetchCall };

/** How far a run has come in finding out who is to blame. */
export type Progress = {
  /** Has the run yet to find out whether a parked scope answers again? */
  isProbe: () => boolean;
  /** That is a whole company, or everything. */
  readonly isWide: boolean;
  readonly asks: ProbeAsks;
  /** It does not, or somebody else is to tell. */
  probed: () => void;
  /** A call was answered, which ends a probe. Returns whether it is the first. */
  answered: () => boolean;
  failed: (failure: CallFailure) => void;
  /** Those that nobody was blamed for yet, in order. */
  failures: () => readonly CallFailure[];
  /** The same, to be settled now. */
  takeFailures: () => CallFailure[];
  wentWrong: (error: unknown) => void;
  /** What went wrong last; null when nothing did. */
  lastError: () => unknown;
};

export function startProgress(claimed: { isProbe: boolean; isWide: boolean; asks: ProbeAsks }): Progress {
  let { isProbe } = claimed;
  let hasAnswered = false;
  let lastError: unknown = null;
  const failures: CallFailure[] = [];
  const probed = () => {
    isProbe = false;
  };
  return {
    isProbe: () => isProbe,
    isWide: claimed.isWide,
    asks: claimed.asks,
    probed,
    answered: () => {
      if (hasAnswered) return false;
      hasAnswered = true;
      probed();
      return true;
    },
    failed: (failure) => void failures.push(failure),
    failures: () => failures,
    takeFailures: () => failures.splice(0),
    wentWrong: (error) => {
      lastError = error;
    },
    lastError: () => lastError,
  };
}

export type CallFailure = Extract<Failure, { kind: 'trouble' }> & { call: FetchCall };

export const UNKNOWN: Trouble = { reason: 'failing', detail: 'unknown', atLeastMs: 0 };

/** A show of the record, or of the parent that it lives in. */
export function isOfOneRecord({ kind }: FetchCall): boolean {
  return kind === 'show' || kind === 'parent';
}
