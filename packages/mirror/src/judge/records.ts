// Scopes that are left alone, records that were given up, and tables that nobody proved.
import type { Group } from '@procore-mirror/database';
import { counted } from '../plan/fill-in-words.ts';
import type { Facts } from './facts.ts';
import { DAY, HOUR, isOlder, optionsFor, scopesInWords } from './in-words.ts';
import { about, type Judged } from './judged.ts';
import { liveWorkers } from './processes.ts';

export function judgeRecords(facts: Facts): Judged[] {
  return [...judgeParked(facts), ...judgeDeadLetters(facts), ...judgeProofs(facts)];
}

const PARKED_FOR_LONG = HOUR;
/** What ends it; the reasons are those of `mirror.scopes`. */
const ENDS: Record<string, (group: Group) => string> = {
  not_connected: ({ companyId }) =>
    `an admin of company ${companyId ?? '(see the message)'} connects the app again (App Management) and keeps its service account; it goes on by itself then`,
  forbidden: () =>
    'give the service account the permission that the message names, or leave the resource out (MIRROR_RESOURCES)',
  unauthorized: () => 'see at Procore that the service account is active and may reach the company',
  no_token: () => 'see the log of the worker that cannot sign in',
};

function judgeParked(facts: Facts): Judged[] {
  const { parked, now } = facts;
  // Workers tell of their login themselves, and who can sign in ends such a row with its next batch.
  const tellsOfLogin = liveWorkers(facts).some(({ report }) => report !== null);
  return parked
    .filter(({ reason }) => !(reason === 'no_token' && tellsOfLogin))
    .map((group) => {
      const { reason, since, count, detail } = group;
      const isGone = reason === 'not_connected';
      const what = isGone
        ? `Procore refuses everything of ${scopesInWords(group)}: the app is not connected there`
        : `${counted(count, 'scope')} ${count === 1 ? 'is' : 'are'} left alone (${reason}): ${scopesInWords(group)}`;
      return {
        ...{ ...about(group), ...(isGone ? { code: 'company-not-connected' } : { code: 'scope-parked' }) },
        severity: isOlder(since, PARKED_FOR_LONG, now) ? 'error' : 'warning',
        message: `${what}${detail === null ? '' : `: ${detail}`}.`,
        fix:
          ENDS[reason]?.(group) ??
          'wait for the next probe; if Procore is well otherwise, show its support the message',
      };
    });
}

function judgeDeadLetters({ deadLetters }: Facts): Judged[] {
  return deadLetters.map((group) => {
    const { reason, count, isRetried, nextTryAt } = group;
    const what = `${counted(count, 'dead letter')} (${reason})`;
    const choice = `--all --reason ${reason}`;
    return isRetried
      ? {
          ...{ ...about(group), code: 'dead-letters-retried', severity: 'warning' },
          message: `${what}, tried again by ${count === 1 ? 'itself' : 'themselves'}, of ${scopesInWords(group)}.`,
          ...{ fix: `pnpm mirror dead-letters list --reason ${reason}`, until: nextTryAt },
        }
      : {
          ...{ ...about(group), code: 'dead-letters', severity: 'error' },
          message: `${what} that nothing tries again, of ${scopesInWords(group)}.`,
          fix: `pnpm mirror dead-letters list --reason ${reason}, then \`dead-letters replay ${choice}\` or \`discard ${choice}\``,
        };
  });
}

/** In rounds. */
const UNPROVED_FOR_LONG = 3;
const LEFT_FOR_LONG = DAY;

function judgeProofs({ unproved, standing, missed, differences, now }: Facts): Judged[] {
  return [
    ...missed.map(
      (group): Judged => ({
        ...{ ...about(group), code: 'events-missed', severity: 'info' },
        message: `For a time no events came of ${scopesInWords(group)}: rows may be wrong until their lists are compared, which workers do next.`,
        fix: `nothing, or at once \`pnpm mirror verify --full --repair${optionsFor(group)}\``,
      }),
    ),
    ...standing.map(
      (group): Judged => ({
        ...{ ...about(group), code: 'table-standing' },
        severity: isOlder(group.since, LEFT_FOR_LONG, now) ? 'error' : 'warning',
        message: `${counted(group.count, 'table')} may lack what changed in a time of which no events came, in what only a call for each record shows, ${scopesInWords(group)}.`,
        fix: `pnpm mirror backfill${optionsFor(group)}`,
      }),
    ),
    ...unproved.map(
      (group): Judged => ({
        ...{ ...about(group), code: 'table-unproved' },
        severity: isOlder(group.since, UNPROVED_FOR_LONG * group.roundMs, now) ? 'error' : 'warning',
        message: `${counted(group.count, 'table')} ${group.count === 1 ? 'was' : 'were'} not proved equal for more than two rounds of proofs, ${scopesInWords(group)}.`,
        fix: `pnpm mirror verify${optionsFor(group)}`,
      }),
    ),
    ...differences.map(
      (group): Judged => ({
        ...{ ...about(group), code: 'differences-left' },
        severity: isOlder(group.since, LEFT_FOR_LONG, now) ? 'error' : 'warning',
        message: `${counted(group.count, 'record')} differ${group.count === 1 ? 's' : ''} from Procore's, of ${scopesInWords(group)}.`,
        fix: `pnpm mirror verify --full --repair${optionsFor(group)}`,
      }),
    ),
  ];
}
