// Fills that failed, that go on, and that stand still.
import { counted } from '../plan/fill-in-words.ts';
import { type TimeOfFill, timeOfFill, timeOfFillInWords } from '../plan/time-of-fill.ts';
import type { Facts } from './facts.ts';
import { HOUR, isOlder, optionsFor, scopesInWords } from './in-words.ts';
import { about, type Judged } from './judged.ts';
import { liveWorkers } from './processes.ts';

const STUCK_AFTER = HOUR;
const STUCK_FOR_LONG = 6 * HOUR;

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
      message: `${counted(group.count, 'table')} ${group.count === 1 ? 'is' : 'are'} being filled, ${scopesInWords(group)}${waits}${again}${toGo(facts)}.`,
      ...{ fix: null, until: endOfFill(facts) },
    };
  });
}

/** Nobody is at it, and nothing keeps anybody from it. */
function isStuck(facts: Facts, { isHeld, dueAt }: Facts['openFills'][number]): boolean {
  if (isHeld || !isOlder(dueAt, STUCK_AFTER, facts.now)) return false;
  return (facts.fill?.shortage ?? null) === null && facts.parked.length === 0 && liveWorkers(facts).length > 0;
}

function timeToGo({ fill, budget, now }: Facts): TimeOfFill | null {
  return fill === null ? null : timeOfFill(fill, budget.windows, new Date(now));
}

function toGo(facts: Facts): string {
  const time = timeToGo(facts);
  return time === null ? '' : `; ${timeOfFillInWords(time)}`;
}

function endOfFill(facts: Facts): string | null {
  const time = timeToGo(facts);
  return time === null ? null : new Date(Date.parse(facts.now) + time.ms).toISOString();
}

function judgeToComplete(facts: Facts): Judged[] {
  if (facts.openFills.length > 0) return []; // that tells of it
  return facts.toComplete.map((group) => ({
    ...{ ...about(group), code: 'filling', severity: 'warning' },
    message: `Records of ${counted(group.count, 'table')} are there in part and still to be completed, ${scopesInWords(group)}${toGo(facts)}.`,
    ...{ fix: null, until: endOfFill(facts) },
  }));
}
