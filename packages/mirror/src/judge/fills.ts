// Fills that failed, that go on, and that stand still.
import { counted } from '../plan/fill-in-words.ts';
import type { Facts } from './facts.ts';
import { HOUR, isOlder, optionsFor, scopesInWords } from './in-words.ts';
import { about, type Judged } from './judged.ts';
import { liveWorkers } from './processes.ts';

const STUCK_AFTER = HOUR;
const STUCK_FOR_LONG = 6 * HOUR;
/** What is left of an hour to a fill beside everything else, roughly. */
const SHARE = 0.8;

export function judgeFills(facts: Facts): Judged[] {
  return [...judgeFailed(facts), ...judgeOpen(facts), ...judgeToComplete(facts)];
}

function judgeFailed({ failedFills }: Facts): Judged[] {
  return failedFills.map((group) => ({
    ...{ ...about(group), code: 'fill-failed', severity: 'error' },
    message: `${counted(group.count, 'table')} could not be filled, ${scopesInWords(group)}${group.detail === null ? '' : `: ${group.detail}`}.`,
    fix: `pnpm mirror backfill${optionsFor(group)}`,
  }));
}

function judgeOpen(facts: Facts): Judged[] {
  return facts.openFills.map((group) => {
    const again =
      group.retried === 0
        ? ''
        : `; ${group.retried} failed and ${group.retried === 1 ? 'is' : 'are'} tried again: ${group.detail}`;
    if (isStuck(facts, group)) {
      return {
        ...{ ...about(group), code: 'fill-stuck', since: group.dueAt },
        severity: isOlder(group.dueAt, STUCK_FOR_LONG, facts.now) ? 'error' : 'warning',
        message: `${counted(group.count, 'table')} wait to be filled and no worker takes them, ${scopesInWords(group)}${again}.`,
        fix: 'see the logs of the workers, and that they mirror these companies and resources',
      };
    }
    const { shortage = null } = facts.fill ?? {};
    const waits = shortage === null ? '' : `; ${shortage.left} of ${shortage.limit} calls of this hour are left for it`;
    return {
      ...{ ...about(group), code: 'filling', severity: 'warning' },
      message: `${counted(group.count, 'table')} ${group.count === 1 ? 'is' : 'are'} being filled, ${scopesInWords(group)}${waits}${again}.`,
      ...{ fix: null, until: endOfFill(facts) },
    };
  });
}

/** Nobody is at it, and nothing keeps anybody from it. */
function isStuck(facts: Facts, { isHeld, dueAt }: Facts['openFills'][number]): boolean {
  if (isHeld || !isOlder(dueAt, STUCK_AFTER, facts.now)) return false;
  return (facts.fill?.shortage ?? null) === null && facts.parked.length === 0 && liveWorkers(facts).length > 0;
}

/** By the calls that it may yet take, and those that an hour has; null: one of them is not known. */
function endOfFill({ fill, budget, now }: Facts): string | null {
  const limits = budget.windows.flatMap(({ window, limit }) => (window === 'hour' ? [limit] : []));
  if (fill === null || limits.length === 0) return null;
  const from = fill.shortage === null ? Date.parse(now) : Math.max(Date.parse(now), Date.parse(fill.shortage.nextAt));
  return new Date(from + (fill.callsToGo / (Math.min(...limits) * SHARE)) * HOUR).toISOString();
}

function judgeToComplete({ toComplete, openFills }: Facts): Judged[] {
  if (openFills.length > 0) return []; // that tells of it
  return toComplete.map((group) => ({
    ...{ ...about(group), code: 'filling', severity: 'warning' },
    message: `Records of ${counted(group.count, 'table')} are there in part and still to be completed, ${scopesInWords(group)}.`,
    fix: null,
  }));
}
