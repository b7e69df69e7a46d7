// How a run goes on after each call, and what it found out so far about who is to blame for those that failed.
import type { Trouble } from '@procore-mirror/database';
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
  /** The run has yet to find out whether a parked scope answers again. */
  isProbe: boolean;
  /** That is a whole company, or everything. */
  isWide: boolean;
  hasUnparked: boolean;
  /** Since the last call that was answered. */
  failures: CallFailure[];
  /** What went wrong last. */
  error: unknown;
};

export function startProgress({ isProbe, isWide }: Pick<Progress, 'isProbe' | 'isWide'>): Progress {
  return { isProbe, isWide, hasUnparked: false, failures: [], error: null };
}

export type CallFailure = Extract<Failure, { kind: 'trouble' }> & { call: FetchCall };

export const UNKNOWN: Trouble = { reason: 'failing', detail: 'unknown', atLeastMs: 0 };

/** A show of the record, or of the parent that it lives in. */
export function isOfOneRecord({ kind }: FetchCall): boolean {
  return kind === 'show' || kind === 'parent';
}
