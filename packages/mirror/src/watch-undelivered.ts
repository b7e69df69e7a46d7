// A pause of Procore's deliveries concerns the whole address, so the busiest hooks tell of it. They are asked while anything hints at one.
import {
  type LoggedHook,
  listBusyScopes,
  listSilentScopes,
  noteUndelivered,
  readReceiverTimes,
  readUndelivered,
} from '@procore-mirror/database';
import { type HooksApi, ProcoreResponseError } from '@procore-mirror/procore';
import { findUndelivered, type Undelivered } from './ask/undelivered.ts';
import { undeliveredHours } from './judge/hooks.ts';
import { downSince, missedTimes } from './plan/missed-times.ts';
import type { RepairLoopOptions } from './repair-options.ts';
import { realTime } from './run/clock.ts';

const MOST_HOOKS = 5;

type Options = Pick<RepairLoopOptions, 'database' | 'everyMs' | 'now' | 'clock'> & {
  hooks: Pick<HooksApi, 'deliveries'>;
  companyId: string;
  /** How many calls the log may still take in this hour. */
  callsLeft: () => Promise<number>;
};

type Known = Omit<Undelivered, 'isCut'>;

/** A hook is asked for two statuses. */
const CALLS_A_HOOK = 2;

/** The same hooks, those first that sent most in the last day. `isBusy`: it is among the five of the whole mirror, or there are no five. */
export async function busiestFirst<T extends { projectId: string | null }>(
  { database }: Pick<Options, 'database'>,
  companyId: string,
  hooks: readonly T[],
): Promise<(T & { isBusy: boolean })[]> {
  const busy = await listBusyScopes(database.pool);
  const rank = ({ projectId }: T) => {
    const at = busy.findIndex((scope) => scope.companyId === companyId && scope.projectId === projectId);
    return at < 0 ? busy.length : at;
  };
  return hooks
    .toSorted((one, other) => rank(one) - rank(other))
    .map((hook) => ({ ...hook, isBusy: rank(hook) < MOST_HOOKS }));
}

/** Asks the busiest hooks what Procore has yet to deliver, if that is due, and notes it; the judge tells of it. */
export function watchUndelivered(
  options: Options,
): (hooks: readonly LoggedHook[], signal: AbortSignal) => Promise<void> {
  const { database, everyMs, companyId, callsLeft, clock = realTime } = options;
  const { now = () => clock.date().getTime() } = options;
  const { pool } = database;

  async function isDue(): Promise<boolean> {
    const [times, before, silent] = await Promise.all([
      readReceiverTimes(pool),
      readUndelivered(pool, companyId),
      listSilentScopes(pool, companyId),
    ]);
    const askedMs = before?.askedMs ?? Number.NEGATIVE_INFINITY;
    if (askedMs > times.nowMs - everyMs) return false;
    if (before !== null && before.count > 0) return true;
    const isDown = downSince(times) !== null;
    return isDown || silent.length > 0 || missedTimes(times).some(({ untilMs }) => untilMs > askedMs);
  }

  /** Of the busiest of these hooks together; where one refuses, has a log too long to tell, or no calls are left, what was known before counts on. */
  async function ask(
    hooks: readonly LoggedHook[],
    before: Awaited<ReturnType<typeof readUndelivered>>,
    signal: AbortSignal,
  ): Promise<Known> {
    const all: Known = { count: 0, oldestAt: null };
    const busy = (await busiestFirst(options, companyId, hooks)).filter(({ isBusy }) => isBusy).slice(0, MOST_HOOKS);
    for (const { hookId, projectId } of busy) {
      const place = { companyId, projectId, hookId, now: new Date(now()), signal };
      const found = (await callsLeft()) < CALLS_A_HOOK ? undefined : await undeliveredOf(place);
      if (found === undefined) {
        add(all, { count: Math.max(0, (before?.count ?? 0) - all.count), oldestAt: asDate(before?.oldestMs ?? null) });
        break;
      }
      if (found !== null) add(all, found);
    }
    return all;
  }

  async function undeliveredOf(place: Parameters<typeof findUndelivered>[1]): Promise<Undelivered | null | undefined> {
    try {
      const found = await findUndelivered(options.hooks, place);
      return found?.isCut && found.count === 0 ? undefined : found;
    } catch (error) {
      if (error instanceof ProcoreResponseError) return undefined; // told by the next look at its log
      throw error;
    }
  }

  function add(all: Known, { count, oldestAt }: Known): void {
    all.count += count;
    if (oldestAt !== null && (all.oldestAt ?? oldestAt) >= oldestAt) all.oldestAt = oldestAt;
  }

  return async (hooks, signal) => {
    if (everyMs === 0 || !(await isDue()) || (await callsLeft()) < CALLS_A_HOOK) return;
    const before = await readUndelivered(pool, companyId);
    const { count, oldestAt } = await ask(hooks, before, signal);
    const alarmHours = oldestAt === null ? 0 : undeliveredHours(now() - oldestAt.getTime());
    await noteUndelivered(database, companyId, { count, oldestAt, alarmHours });
  };
}

const asDate = (ms: number | null) => (ms === null ? null : new Date(ms));
