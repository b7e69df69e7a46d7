import { ProcoreFormatError } from '@procore-mirror/procore';

/** Answers that are fine as far as they go, but prove nothing of what they lack. */
export class InDoubtError extends ProcoreFormatError {}

/** The same, where another try would not help: what is missing was refused. */
export class FillIncompleteError extends InDoubtError {}

/** The scope is parked, and its next probe is too far away to wait for: nothing was asked. */
export class ScopeParkedError extends Error {
  override name = 'ScopeParkedError' as const;
}

/** The schedule of comparisons has used up its share of calls: it goes on later. */
export class ProofShareSpentError extends Error {
  override name = 'ProofShareSpentError' as const;
}

/** What differs may be news under way: the comparison goes on when that has had time to come. */
export class ComparisonWaitsError extends Error {
  override name = 'ComparisonWaitsError' as const;
  readonly pauseMs: number;
  constructor(message: string, pauseMs: number) {
    super(message);
    this.pauseMs = pauseMs;
  }
}

/** Another worker has taken the comparison, or it was asked for anew. */
export class ComparisonLostError extends Error {
  override name = 'ComparisonLostError' as const;
}

/** Another worker has taken the backfill: what this one knows of its place counts no more. */
export class FillLostError extends Error {
  override name = 'FillLostError' as const;
}
