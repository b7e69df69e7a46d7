import { ProcoreFormatError } from '@procore-mirror/procore';

/** Answers that are fine as far as they go, but prove nothing of what they lack. */
export class InDoubtError extends ProcoreFormatError {}

/** The scope is parked, and its next probe is too far away to wait for: nothing was asked. */
export class ScopeParkedError extends Error {
  override name = 'ScopeParkedError' as const;
}
