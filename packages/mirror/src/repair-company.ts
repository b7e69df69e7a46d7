// One company's logs of deliveries, a few looks at a time.
import {
  countLogCalls,
  finishRepair,
  type LoggedHook,
  listOpenRepairs,
  listSilentScopes,
  noteMissedSince,
  type OpenRepair,
  readHookCalls,
  readLoggedHooks,
  readReceiverTimes,
  SILENCE_MS,
} from '@procore-mirror/database';
import { createHooksApi } from '@procore-mirror/procore';
import { findUncoveredDays } from './ask/log-reach.ts';
import { countCalls } from './count-calls.ts';
import { leaveParkedAlone } from './heed-scopes.ts';
import { createLogLooks, findingOf, whyNotReached } from './look-at-log.ts';
import { logCallsLeft, turnOfLogMs } from './plan/log-share.ts';
import { missedTimes, type Span } from './plan/missed-times.ts';
import { callsOfRound, isAskedFor, type PlannedLook, planLooks, startOfDay, statusesOf } from './plan/plan-looks.ts';
import type { RepairLoopOptions } from './repair-options.ts';
import { createCallsLately, LATELY_MS } from './run/calls-lately.ts';
import { realTime } from './run/clock.ts';
import { usualPace } from './run/fetch-settings.ts';
import { busiestFirst, watchUndelivered } from './watch-undelivered.ts';

/** Then it looks whether somebody asked meanwhile. */
const LOOKS_AT_ONCE = 20;
/** What is due changes slowly; what somebody asks for is seen at once. */
const PLAN_EVERY_MS = 30_000;
const DAY_MS = 86_400_000;

type State = { hooks: LoggedHook[]; missed: Span[]; nowMs: number };

/** One round: some looks, then what busy hooks say, if that is due. */
export function createRepairRounds(
  options: RepairLoopOptions,
  companyId: string,
): (signal: AbortSignal) => Promise<void> {
  const { database, everyMs, log, clock = realTime } = options;
  const { pool } = database;
  const lately = createCallsLately(clock);
  let callsMade = 0;
  const client = countCalls(leaveParkedAlone(options.client, { database, parking: usualPace.parking, clock }), () => {
    callsMade += 1;
    lately.made();
  });
  const hooks = createHooksApi(client);
  const watch = watchUndelivered({ ...options, hooks, companyId, callsLeft: () => callsLeft('gap') });
  const looks = createLogLooks({ ...options, hooks, companyId, callsMade: () => callsMade });
  let planAt = Number.NEGATIVE_INFINITY;

  async function callsLeft(because: PlannedLook['because']): Promise<number> {
    const [{ hourLimit }, entered] = await Promise.all([
      readHookCalls(pool, companyId, 0),
      countLogCalls(pool, companyId, LATELY_MS),
    ]);
    return logCallsLeft({ used: entered + lately.count(), hourLimit }, because);
  }

  async function readState(): Promise<State> {
    const [known, times] = await Promise.all([readLoggedHooks(pool, companyId), readReceiverTimes(pool)]);
    return { hooks: known, missed: missedTimes(times), nowMs: times.nowMs };
  }

  async function planFrom(state: State, repairs: readonly OpenRepair[]): Promise<PlannedLook[]> {
    const silent = everyMs === 0 ? [] : await listSilentScopes(pool, companyId);
    const places = new Set(silent.map(({ projectId }) => projectId));
    const { hourLimit } = await readHookCalls(pool, companyId, 0);
    const turnMs = turnOfLogMs(callsOfRound(state.hooks), hourLimit);
    const mostCalls = logCallsLeft({ used: 0, hourLimit }, 'whole');
    const planned = planLooks({ ...state, repairs, silent: places, silenceMs: SILENCE_MS, turnMs, mostCalls, everyMs });
    return planned.filter(({ because }) => because === 'asked for' || (everyMs > 0 && !looks.isResting()));
  }

  function isNothingToDo(repairs: readonly OpenRepair[]): boolean {
    return repairs.length === 0 && (everyMs === 0 || clock.now() < planAt);
  }

  /** Makes them, as far as the share of calls reaches; what a person asked for is not held to it. */
  async function makeLooks(planned: readonly PlannedLook[], signal: AbortSignal): Promise<void> {
    const planAgainAt = clock.now() + Math.min(everyMs, PLAN_EVERY_MS);
    if (planned.length <= LOOKS_AT_ONCE) planAt = planAgainAt;
    for (const one of planned.slice(0, LOOKS_AT_ONCE)) {
      signal.throwIfAborted();
      const needed = one.because === 'whole' ? one.calls : 1;
      const isWithin = one.because === 'asked for' || (await callsLeft(one.because)) >= needed;
      if (isWithin && (await looks.look(one, signal))) continue;
      planAt = planAgainAt;
      return;
    }
  }

  /** Ends the repairs that have no look left to wait for. */
  async function finish(repairs: readonly OpenRepair[], signal: AbortSignal): Promise<void> {
    const { hooks: known, missed } = await readState();
    const open = await listOpenRepairs(pool, companyId); // with what the looks came to
    for (const repair of open.filter(({ request }) => repairs.some((one) => one.request === request))) {
      const waits = statusesOf(repair).some((status) => known.some((hook) => isAskedFor(repair, hook, status)));
      if (waits) continue;
      const before = callsMade;
      const olderThanLog = await findOlderThanLog(repair, known, missed, signal);
      const end = { olderThanLog, calls: callsMade - before };
      await finishRepair(database, { request: repair.request, companyId }, end);
      if (olderThanLog.length > 0) log.warn({ company_id: companyId, days: olderThanLog }, OLDER_THAN_LOG);
    }
  }

  async function findOlderThanLog(
    repair: OpenRepair,
    known: readonly LoggedHook[],
    missed: readonly Span[],
    signal: AbortSignal,
  ): Promise<string[]> {
    const sinceMs = startOfDay(repair.sinceMs ?? repair.missedSinceMs ?? repair.requestedMs);
    const days = missed.filter(({ untilMs }) => untilMs >= sinceMs).map((span) => Math.max(span.sinceMs, sinceMs));
    const inPart = known.filter(({ projectId }) => repair.projectId === null || repair.projectId === projectId);
    const places = await busiestFirst(options, companyId, inPart);
    const asked = { hooks, database, companyId, places, days, oldestMs: repair.oldestEventMs, signal };
    return findUncoveredDays(asked)
      .catch((error: unknown) => (whyNotReached(error) === null ? passOverRefusal(error) : null))
      .then((found) => found ?? []);
  }

  async function noteBegin(repairs: readonly OpenRepair[], { hooks: known, missed }: State): Promise<void> {
    for (const { request, missedSinceMs, sinceMs, requestedMs } of repairs) {
      if (missedSinceMs !== null) continue;
      const lookedMs = known.map((hook) => lookedAt(hook) ?? requestedMs - 7 * DAY_MS);
      const owed = missed.filter(({ untilMs }) => untilMs > Math.min(...lookedMs)).map((span) => span.sinceMs);
      await noteMissedSince(database, { request, companyId }, new Date(sinceMs ?? Math.min(requestedMs, ...owed)));
    }
  }

  return async (signal) => {
    const repairs = await listOpenRepairs(pool, companyId);
    if (isNothingToDo(repairs)) return;
    const state = await readState();
    await noteBegin(repairs, state);
    await makeLooks(await planFrom(state, repairs), signal);
    if (repairs.length > 0) await finish(repairs, signal);
    if (!looks.isResting()) await watch(state.hooks, signal).catch(passOverRefusal);
  };
}

const OLDER_THAN_LOG = "deliveries were missed on days that are older than Procore's log of deliveries";

function lookedAt({ looks }: LoggedHook): number | null {
  const known = looks.flatMap(({ status, lookedMs }) =>
    ['any', 'discarded'].includes(status) ? (lookedMs ?? []) : [],
  );
  return known.length === 0 ? null : Math.max(...known);
}

/** What refuses is told by the looks. */
function passOverRefusal(error: unknown): null {
  if (findingOf(error) === null) throw error;
  return null;
}
