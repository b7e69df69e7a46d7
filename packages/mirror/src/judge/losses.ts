// Did the mirror lose anything since a moment? From what was found now, and from what happened meanwhile. Pure.
import type { Completeness, Lately, ReceiverTimes } from '@procore-mirror/database';
import { isReadSince, missedTimes } from '../plan/missed-times.ts';
import type { Finding, FindingCode } from './finding.ts';

/** ISO 8601. `isRead`: the whole log of that time was read, or after it what Procore could not deliver; what we lacked of that is recorded. */
type MissedTime = { since: string; until: string; isRead: boolean };

export type Losses = Omit<Lately, 'logs' | 'undeliveredReadAt'> & {
  /** ISO 8601. */
  since: string;
  /** `nothing known`, and all is looked at; `not known yet`: something waits to be looked at; `something`: rows lack it, until a person or a proof mends that. */
  lost: 'nothing known' | 'not known yet' | 'something';
  /**
   * Codes of the findings that say so; `gap-not-compared`: a time without events of tables that no list shows (`notComparable`); `log-not-read`: of a time
   * in which deliveries may have been missed.
   */
  because: readonly string[];
  /** Times in which no receiver ran, or one took nothing into the queue. */
  missed: readonly MissedTime[];
  /** Null: not asked. */
  complete: Completeness | null;
};

const LACKING: readonly FindingCode[] = [
  ...(['older-than-log', 'table-standing', 'dead-letters', 'differences-left', 'fill-failed'] as const),
  'sandbox-overwritten',
];
const OPEN: readonly FindingCode[] = [
  ...(['queue-unreachable', 'queue-behind', 'worker-silent', 'receiver-silent', 'receiver-refuses'] as const),
  ...(['spool-in-use', 'hook-missing', 'hook-disabled', 'hook-triggers-refused', 'hook-wrong', 'hook-unseen'] as const),
  ...(['hooks-unattended', 'undelivered', 'log-unread', 'scope-parked'] as const),
  ...(['scope-silent', 'company-not-connected', 'dead-letters-retried', 'events-missed'] as const),
];

/** `findings`: those of now. */
export function judgeLosses(asked: {
  since: string;
  findings: readonly Pick<Finding, 'code'>[];
  lately: Lately;
  receivers: ReceiverTimes;
  complete: Completeness | null;
}): Losses {
  const { since, findings, receivers, complete } = asked;
  const { logs, undeliveredReadAt, ...lately } = asked.lately;
  const read = { from: logs?.since ?? null, until: logs?.until ?? null, undeliveredReadAt };
  const missed = missedTimes(receivers)
    .filter(({ untilMs }) => untilMs >= Date.parse(since))
    .map((span) => ({
      since: new Date(span.sinceMs).toISOString(),
      until: new Date(span.untilMs).toISOString(),
      isRead: isReadSince(span, read),
    }));
  const found = (codes: readonly string[]) => codes.filter((code) => findings.some((one) => one.code === code));
  const lacking = [...found(LACKING), ...(lately.notComparable.length === 0 ? [] : ['gap-not-compared'])];
  const open = [...found(OPEN), ...(missed.every(({ isRead }) => isRead) ? [] : ['log-not-read'])];
  const lost = lacking.length > 0 ? 'something' : open.length > 0 ? 'not known yet' : 'nothing known';
  return { since, lost, because: [...lacking, ...open], ...lately, missed, complete };
}
