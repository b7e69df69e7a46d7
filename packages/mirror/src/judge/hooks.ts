// Hooks, and whether what Procore sends by them comes.
import type { MirrorFacts } from '@procore-mirror/database';
import { counted } from '../plan/fill-in-words.ts';
import type { Facts } from './facts.ts';
import { ageOf, DAY, HOUR, isOlder, MINUTE, scopesInWords } from './in-words.ts';
import { about, type Judged } from './judged.ts';
import { liveWorkers } from './processes.ts';

const APPLY = 'pnpm mirror hooks apply';
/** What a worker could not set right it tries again after a minute, and ever more rarely. */
const TRIED_FOR = 15 * MINUTE;

type HookGroup = MirrorFacts['hooks'][number];

export function judgeHooks(facts: Facts): Judged[] {
  const isTriedAgain = looksAfterHooks(facts);
  return [...facts.hooks.map((group) => judgeHook(group, { now: facts.now, isTriedAgain })), ...judgeUnseen(facts)];
}

/** Does a worker that runs look after hooks? */
function looksAfterHooks(facts: Facts): boolean {
  return liveWorkers(facts).some(({ report }) => report?.looksAfterHooks === true);
}

function judgeHook(group: HookGroup, { now, isTriedAgain }: { now: string; isTriedAgain: boolean }): Judged {
  const { state, count, finding, since } = group;
  const of = `of ${scopesInWords(group)}`;
  const because = finding === null ? '' : `: ${finding}`;
  const isYoung = isTriedAgain && !isOlder(since, TRIED_FOR, now);
  const common = { ...about(group), severity: isYoung ? 'warning' : 'error', fix: APPLY } as const;
  switch (state) {
    case 'missing':
      return {
        ...{ ...common, code: 'hook-missing' },
        message: `${counted(count, 'hook')} ${count === 1 ? 'is' : 'are'} missing, ${of}${because}.`,
      };
    case 'disabled':
      return {
        ...{ ...common, code: 'hook-disabled' },
        message: `${counted(count, 'hook')} ${count === 1 ? 'is' : 'are'} disabled, ${of}${because}.`,
      };
    case 'refused':
      return {
        ...{ ...common, code: 'hook-triggers-refused', severity: 'error' },
        message: `${counted(count, 'hook')} lack${count === 1 ? 's' : ''} triggers, ${of}${because}.`,
      };
    case 'wrong': // what a worker cannot reach, or leaves alone while a secret is replaced, passes; it is active meanwhile
      return {
        ...{ ...common, code: 'hook-wrong', severity: isOlder(since, HOUR, now) ? 'error' : 'warning' },
        message: `${counted(count, 'hook')} could not be looked at or set right, ${of}${because}.`,
      };
  }
}

/** Scopes whose hook nobody looked at: is anybody to? */
function judgeUnseen(facts: Facts): Judged[] {
  const { unseenHooks, rounds, now } = facts;
  const reports = liveWorkers(facts).flatMap(({ report }) => report ?? []);
  if (reports.length === 0) return []; // who would know?
  if (!looksAfterHooks(facts)) {
    return unseenHooks.map((group) => ({
      ...{ ...about(group), code: 'hooks-unattended', severity: 'error' },
      message: `No worker looks after hooks, and nobody made those of ${scopesInWords(group)}.`,
      fix: `set WEBHOOK_URL for the workers, or run \`${APPLY}\``,
    }));
  }
  return unseenHooks.map((group) => {
    const roundMs = rounds.find(({ companyId }) => companyId === group.companyId)?.hooksMs ?? 0;
    return {
      ...{ ...about(group), code: 'hook-unseen' },
      severity: isOlder(group.since, Math.max(HOUR, 2 * roundMs), now) ? 'error' : 'warning',
      message: `${counted(group.count, 'hook')} ${group.count === 1 ? 'was' : 'were'} not looked at yet, of ${scopesInWords(group)}.`,
      fix: APPLY,
    };
  });
}

/** Procore throws an event away after twelve hours: a warning, an error, and a last alarm. */
const UNDELIVERED_STEPS = [2, 6, 11] as const;

/** How many hours of that an event has waited at Procore that was not delivered for so long; 0: of none is to be told. */
export function undeliveredHours(ageMs: number): number {
  return UNDELIVERED_STEPS.findLast((hours) => ageMs >= hours * HOUR) ?? 0;
}

export function judgeNews(facts: Facts): Judged[] {
  const { undelivered, olderThanLog, unreadLogs, silent, now } = facts;
  return [
    ...undelivered.flatMap(({ companyId, count, oldestAt }): Judged[] => {
      const hours = undeliveredHours(ageOf(oldestAt, now) ?? 0);
      if (hours === 0) return [];
      return [
        {
          ...{ ...about({ companyId, projectId: null, resource: null, since: oldestAt }), code: 'undelivered' },
          ...{ severity: hours < 6 ? 'warning' : 'error', step: hours },
          message: `Procore could not deliver ${counted(count, 'event')} of company ${companyId}, and throws them away after 12 hours${hours < 11 ? '' : ', the first within the hour'}.`,
          fix: 'see that the receiver runs, and that WEBHOOK_URL leads to it',
        },
      ];
    }),
    ...olderThanLog.map(
      ({ companyId, foundAt, days }): Judged => ({
        ...{ ...about({ companyId, projectId: null, resource: null, since: foundAt }), code: 'older-than-log' },
        severity: 'error',
        message: `Deliveries of ${days.join(', ')} were missed, and Procore's log does not reach back to them.`,
        fix: `pnpm mirror verify --full --repair --company ${companyId}`,
      }),
    ),
    ...unreadLogs.map(
      (group): Judged => ({
        ...{ ...about(group), code: 'log-unread' },
        severity: group.since !== null && isOlder(group.since, 2 * DAY, now) ? 'error' : 'warning',
        message: `The log of deliveries of ${counted(group.count, 'hook')} could not be read, of ${scopesInWords(group)}: ${group.finding}.`,
        fix: 'give the service account the permission that the message names; then `pnpm mirror repair`',
      }),
    ),
    ...judgeSilentScopes(silent),
  ];
}

function judgeSilentScopes(silent: Facts['silent']): Judged[] {
  if (silent.length === 0) return [];
  const places = silent.map(({ companyId, projectId }) => ({ companyId, projectId, resource: null }));
  const common = <T>(values: readonly T[]) => (new Set(values).size === 1 ? (values[0] ?? null) : null);
  return [
    {
      ...about({
        companyId: common(places.map(({ companyId }) => companyId)),
        projectId: common(places.map(({ projectId }) => projectId)),
        resource: null,
      }),
      ...{ code: 'scope-silent', severity: 'warning' },
      message: `${counted(silent.length, 'scope')} that usually speak${silent.length === 1 ? 's' : ''} sent nothing for three hours: ${scopesInWords({ first: places.slice(0, 3), count: places.length })}.`,
      fix: 'nothing on a holiday; else `pnpm mirror hooks status`',
    },
  ];
}
