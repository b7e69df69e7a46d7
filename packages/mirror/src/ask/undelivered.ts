import { type HooksApi, ProcoreResponseError, parseWebhookEvent } from '@procore-mirror/procore';
import { judgeFailure } from '../plan/judge-failure.ts';

export type Undelivered = {
  /** How many there are at least. */
  count: number;
  /** When the oldest event of those that were looked at happened; null: none says so. */
  oldestAt: Date | null;
  /** The log goes on where reading ended, so there may be more, and older ones. */
  isCut: boolean;
};

/** Who is far behind is behind, however far. */
const MOST_LOOKED_AT = 1_000;
const DAY_MS = 86_400_000;
/** The same request would be answered the same: there is nothing to wait for. */
const NO_LOG: readonly string[] = ['absent', 'not understood'];

/**
 * What Procore has yet to deliver to a hook, as its log says: two calls, more where there is more than a page. Null where there is no such
 * log, or none that takes these filters; throws what the client throws otherwise. What is older than a day is thrown away
 * (docs/procore.md: Deliveries).
 */
export async function findUndelivered(
  hooks: Pick<HooksApi, 'deliveries'>,
  options: { companyId: string; projectId: string | null; hookId: string; now: Date; signal: AbortSignal },
): Promise<Undelivered | null> {
  const since = new Date(options.now.getTime() - DAY_MS).toISOString().slice(0, 10);
  let count = 0;
  let oldestMs = Number.POSITIVE_INFINITY;
  let isCut = false;
  const onCut = () => {
    isCut = true;
  };
  try {
    for (const status of ['enqueued', 'retrying'] as const) {
      let left = MOST_LOOKED_AT;
      // The order is not documented, so all of them are looked at.
      for await (const delivery of hooks.deliveries({ ...options, status, since, onCut })) {
        if (left === 0) {
          isCut = true;
          break;
        }
        left -= 1;
        // A server that does not know the filter shows all (docs/procore.md: Filters).
        if (delivery.status.toLowerCase() !== status) continue;
        count += 1;
        oldestMs = Math.min(oldestMs, happenedAt(delivery) ?? Number.POSITIVE_INFINITY);
      }
    }
  } catch (error) {
    if (error instanceof ProcoreResponseError && NO_LOG.includes(error.meaning)) return null;
    throw error;
  }
  return { count, oldestAt: Number.isFinite(oldestMs) ? new Date(oldestMs) : null, isCut };
}

/** Why a hook is to be removed later: Procore has events for it, which would be lost, or cannot be asked. Null: it may go now. */
export async function whyToKeep(
  hooks: Pick<HooksApi, 'deliveries'>,
  options: Parameters<typeof findUndelivered>[1],
): Promise<string | null> {
  const { hookId, signal } = options;
  try {
    const undelivered = await findUndelivered(hooks, options);
    if (undelivered === null) return null;
    const { count, isCut } = undelivered;
    if (count > 0) return `hook ${hookId} goes when the events have been delivered that it still has`;
    return isCut ? `${goesWhenKnown(hookId)}: its log is longer than is read` : null;
  } catch (error) {
    signal.throwIfAborted();
    if (judgeFailure(error) === null || !(error instanceof Error)) throw error;
    return `${goesWhenKnown(hookId)}: ${error.message}`;
  }
}

const goesWhenKnown = (hookId: string) => `hook ${hookId} goes when it is known whether it still has events to deliver`;

/** When it happened, ms since 1970; null: nothing tells. */
export function happenedAt({ id, body }: { id: string; body: string }): number | null {
  const parsed = parseWebhookEvent(body);
  const told = parsed.ok && parsed.event.occurredAt !== null ? Date.parse(parsed.event.occurredAt) : Number.NaN;
  return Number.isNaN(told) ? timeOfUlid(parsed.ok ? parsed.event.id : id) : told;
}

const ULID_DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The first ten characters of a ULID are milliseconds (https://github.com/ulid/spec). */
function timeOfUlid(id: string): number | null {
  if (!/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(id)) return null;
  return [...id.slice(0, 10)].reduce((ms, digit) => ms * 32 + ULID_DIGITS.indexOf(digit), 0);
}
