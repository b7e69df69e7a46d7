// Work on one parent after the other, where some may refuse us or fail: these are passed over and remembered, as long as others
// answer. When nothing does, it is not these parents that are to blame.
import type { ParkReason } from '@procore-mirror/database';
import { type Failure, isNotFound, judgeFailure } from '../plan/judge-failure.ts';

export type PassOver = {
  /**
   * Works on one of them, or on a list that names them. `isPassedOver`: something of it may be missing. `end`: the error to end
   * with, because too many failed in a row; null to go on with the next one. Throws what is no failure of this one alone.
   */
  attempt: (of: 'parent' | 'list', work: () => Promise<unknown>) => Promise<Attempt>;
  /** Why something may be missing, in order. */
  troubles: readonly Error[];
  /** Did any parent answer, now or before? */
  hasAnswered: () => boolean;
};

type Attempt = { isPassedOver: boolean; end: Error | null };

/** So much may be lost in a row: a refusal takes one call, a list that fails several, one that hangs a minute. */
const PATIENCE = 10;
/** Null: the trouble is never that of one parent alone. */
const COSTS: Readonly<Record<ParkReason, number | null>> = {
  forbidden: 1,
  failing: 4,
  unreachable: 4,
  slow: 5,
  not_connected: null,
  unauthorized: null,
  no_token: null,
};

/** One for each run: what did not answer in an outage may in the next. `answered`: work on a parent that answered before. */
export function createPassOver(signal: AbortSignal, answered: (() => Promise<unknown>) | null = null): PassOver {
  const troubles: Error[] = [];
  // Lists that answer say nothing of what lists of the parents do.
  const kinds = { parent: kindOf(answered), list: kindOf(null) };

  /** What it cost, and why. An answer that proves nothing is one, and a parent that is gone has nothing to give. */
  async function tried(work: () => Promise<unknown>): Promise<{ cost: number; error: Error | null }> {
    try {
      await work();
      return { cost: 0, error: null };
    } catch (error) {
      const cost = signal.aborted ? null : costOf(judgeFailure(error));
      if (cost === null || !(error instanceof Error)) throw error;
      return { cost, error: isNotFound(error) ? null : error };
    }
  }

  const attempt: PassOver['attempt'] = async (of, work) => {
    const kind = kinds[of];
    const { cost, error } = await tried(work);
    if (error !== null) troubles.push(error);
    if (cost === 0) kind.answered = work;
    kind.patience = cost === 0 ? PATIENCE : kind.patience - cost;
    const isPassedOver = error !== null;
    if (kind.patience > 0) return { isPassedOver, end: null };
    // What answered before is asked again: if it still does, only these are not well.
    const now = kind.answered === null ? { cost, error } : await tried(kind.answered);
    if (now.cost > 0) return { isPassedOver, end: now.error };
    kind.patience = PATIENCE;
    return { isPassedOver, end: null };
  };

  return { attempt, troubles, hasAnswered: () => kinds.parent.answered !== null };
}

function kindOf(answered: (() => Promise<unknown>) | null): { answered: typeof answered; patience: number } {
  return { answered, patience: PATIENCE };
}

/** Where nothing answered, that is not the trouble of single parents. Throws what it was. */
export function insistOnAny({ troubles, hasAnswered }: PassOver): void {
  if (troubles[0] !== undefined && !hasAnswered()) throw troubles[0];
}

/** Null for what is not one parent's: our calls are used up, there is no token, or it is none of Procore's failures. */
function costOf(failure: Failure | null): number | null {
  if (failure === null || failure.kind === 'limited') return null;
  return failure.kind === 'trouble' ? COSTS[failure.trouble.reason] : 0;
}
