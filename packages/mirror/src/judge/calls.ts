// Procore's limits, and news that waits.

import { counted } from '../plan/fill-in-words.ts';
import type { Facts } from './facts.ts';
import { HOUR, isOlder, scopesInWords } from './in-words.ts';
import { about, type Judged } from './judged.ts';
import { oldestMs } from './processes.ts';

const NEWS_FOR_LONG = 2 * HOUR;
/** Of an hour's calls: so many in each of the last three hours mean that they were used up. */
const USED_UP = 0.9;
const EATEN = 0.2;

export function judgeCalls(facts: Facts): Judged[] {
  return [...judgeLimits(facts), ...judgeOthers(facts), ...judgeWaitingNews(facts)];
}

function judgeLimits(facts: Facts): Judged[] {
  const { pauses, waitingNews, now } = facts;
  const waitsForLong = (oldestMs(waitingNews, now) ?? 0) > NEWS_FOR_LONG;
  const windows = emptyWindows(facts).map(({ companyId, limit, endsAt }): Judged => {
    const isLong = waitsForLong && leastCallsOfHour(facts, companyId) >= USED_UP * limit;
    return {
      ...{ ...about({ companyId, projectId: null, resource: null }), code: 'calls-used-up' },
      severity: isLong ? 'error' : 'warning',
      message: `All ${limit} calls of this hour are used${companyId === null ? '' : ` by company ${companyId}`}; there are more at ${clockOf(endsAt)} UTC${isLong ? '. It is so for three hours, and news waits' : ''}.`,
      fix: isLong ? 'ask Procore for a higher limit, or mirror fewer projects or resources' : null,
      until: endsAt,
    };
  });
  const refused = pauses.map(
    ({ companyId, until }): Judged => ({
      ...{ ...about({ companyId, projectId: null, resource: null }), code: 'calls-used-up', severity: 'warning' },
      message: `Procore allows ${companyId === null ? 'us' : `company ${companyId}`} no calls before ${clockOf(until)} UTC.`,
      ...{ fix: null, until },
    }),
  );
  return windows.length > 0 ? windows : refused; // a pause follows from an hour that is used up
}

function emptyWindows({ budget }: Facts): { companyId: string | null; limit: number; endsAt: string }[] {
  return budget.windows.flatMap(({ window, left, limit, endsAt, companyId }) =>
    window === 'hour' && left <= 0 && endsAt !== null ? [{ companyId, limit, endsAt }] : [],
  );
}

/** Of the last three hours the one with the fewest calls, of those who share the window. */
function leastCallsOfHour({ callsByHour }: Facts, companyId: string | null): number {
  const own = callsByHour.filter((row) => companyId === null || row.companyId === companyId);
  return Math.min(...[0, 1, 2].map((hour) => own.reduce((sum, { calls }) => sum + (calls[hour] ?? 0), 0)));
}

function judgeOthers({ budget }: Facts): Judged[] {
  return budget.windows
    .filter(({ window, callsOfOthers, limit }) => window === 'hour' && callsOfOthers > EATEN * limit)
    .map(({ companyId, callsOfOthers, limit, endsAt }) => ({
      ...{ ...about({ companyId, projectId: null, resource: null }), code: 'calls-eaten', severity: 'warning' },
      message: `Others used ${callsOfOthers} of the ${limit} calls of this hour with the same credentials.`,
      fix: 'give the other program an app and a service account of its own',
      until: endsAt,
    }));
}

function judgeWaitingNews(facts: Facts): Judged[] {
  const { waitingNews, now } = facts;
  if (emptyWindows(facts).length > 0 || facts.pauses.length > 0) return [];
  return waitingNews
    .filter(({ since }) => isOlder(since, NEWS_FOR_LONG, now))
    .map((group) => ({
      ...{ ...about(group), code: 'news-waits', severity: 'error' },
      message: `${counted(group.count, 'batch', 'batches')} of news wait though there are calls, of ${scopesInWords(group)}.`,
      fix: 'see that workers run and what they log; more of them, or a higher WORKER_CONCURRENCY, fetch more at once',
    }));
}

function clockOf(moment: string): string {
  return new Date(moment).toISOString().slice(11, 16);
}
