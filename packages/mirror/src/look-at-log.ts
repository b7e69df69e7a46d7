// One look after the other at the logs of a company's hooks: what came of it is noted, and who refuses is left alone.
import {
  allowLooks,
  findRecorded,
  isScopeParked,
  type LookPlace,
  noteDeliveryLook,
  noteFailedLook,
  parkScope,
  wasAnswered,
} from '@procore-mirror/database';
import {
  type HooksApi,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { type LogRead, maybeRecorded, readLog } from './ask/read-log.ts';
import { askCompany, askProjects } from './ask/witness.ts';
import { ScopeParkedError } from './errors.ts';
import { isRefusal } from './plan/judge-failure.ts';
import type { PlannedLook } from './plan/plan-looks.ts';
import type { RepairLoopOptions } from './repair-options.ts';
import { realTime } from './run/clock.ts';
import { usualPace } from './run/fetch-settings.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
/** Whom so many hooks in a row refuse is refused by the rest, too, for now. */
const REFUSALS_IN_A_ROW = 3;
const SHORTEST_REST_MS = 10 * MINUTE_MS;
const LONGEST_REST_MS = 120 * MINUTE_MS;
/** What happened is in Procore's log by then. */
const LOG_LAGS_MS = MINUTE_MS;
const RECORDED_WITHIN_MS = 30_000;
const LOOK_FOR_RECORDED_EVERY_MS = 100;

type Options = Pick<RepairLoopOptions, 'database' | 'client' | 'everyMs' | 'log' | 'handOver' | 'clock'> & {
  hooks: Pick<HooksApi, 'deliveryPages'>;
  companyId: string;
  /** How many calls were made until now. */
  callsMade: () => number;
};

export type LogLooks = {
  /** Makes a look and notes what came of it. False: nothing more is to be asked of the company for now. */
  look: (planned: PlannedLook, signal: AbortSignal) => Promise<boolean>;
  /** Several refused in a row: the rest is left alone for a while. */
  isResting: () => boolean;
};

export function createLogLooks(options: Options): LogLooks {
  const { database, everyMs, log, companyId, callsMade, clock = realTime } = options;
  let refusals: { times: number; sinceMs: number; untilMs: number; reason: string } | null = null;

  const isResting = () => refusals !== null && refusals.times >= REFUSALS_IN_A_ROW && clock.now() < refusals.untilMs;

  async function settle(place: LookPlace, error: unknown, how: { isAsked: boolean; calls: number }): Promise<boolean> {
    const notReached = whyNotReached(error);
    if (notReached !== null && !how.isAsked) {
      log.warn({ ...aboutOf(place), reason: notReached }, 'a log of deliveries could not be read');
      return false;
    }
    const finding = findingOf(error) ?? notReached;
    if (finding === null) throw error;
    // What the probe of a company is answered says nothing of the log.
    const company = { companyId, projectId: null, resource: null };
    if (error instanceof ScopeParkedError || (await isScopeParked(database.pool, company))) {
      if (how.isAsked) await noteFailedLook(database, place, { finding, nextInMs: 0, calls: 0 });
      return how.isAsked;
    }
    await noteFailedLook(database, place, {
      ...{ finding, calls: Math.max(1, how.calls) },
      nextInMs: pauseAfter(error, everyMs),
    });
    log.warn({ ...aboutOf(place), reason: finding }, 'a log of deliveries could not be read');
    await countRefusal(finding);
    return how.isAsked || !isResting();
  }

  async function countRefusal(reason: string): Promise<void> {
    const now = clock.now();
    const { times, sinceMs } = refusals ?? { times: 0, sinceMs: now };
    const restMs = Math.min(Math.max((now - sinceMs) / 2, SHORTEST_REST_MS), LONGEST_REST_MS);
    refusals = { times: times + 1, sinceMs, untilMs: now + restMs, reason };
    if (refusals.times >= REFUSALS_IN_A_ROW) await parkIfRefused();
  }

  /**
   * A company that disconnected the app does not say who we are, either, nor does it list its projects, and answers nothing else. It is parked,
   * and nobody asks it but its probes.
   */
  async function parkIfRefused(): Promise<void> {
    if (await wasAnswered(database, companyId, SHORTEST_REST_MS)) return;
    const failure = await askCompany({ client: options.client, companyId, signal: undefined });
    if (failure?.kind !== 'trouble' || !isRefusal(failure.trouble)) return;
    // A service account may be kept from saying who it is though all is well.
    const projects = await askProjects({ client: options.client, companyId });
    if (projects?.kind !== 'trouble' || !isRefusal(projects.trouble)) return;
    const trouble = { ...failure.trouble, reason: 'not_connected' as const };
    const scope = { companyId, projectId: null, resource: null };
    if (!(await parkScope(database, scope, trouble, usualPace.parking))) return;
    log.warn({ ...scope, reason: trouble.reason, detail: trouble.detail }, 'parked until a probe is answered');
    // It was not their logs that refused.
    await allowLooks(database, companyId, clock.now() - (refusals?.sinceMs ?? clock.now()));
  }

  async function noteRead(place: LookPlace, read: LogRead, signal: AbortSignal): Promise<void> {
    const { handedOver, cut, began, waitingSince, unreadUntil, ...news } = read;
    const areRecorded = await untilRecorded(handedOver, signal);
    const covers =
      areRecorded && place.status === 'any'
        ? { agoMs: clock.now() - began + LOG_LAGS_MS, waitingSince, unreadUntil }
        : null;
    const finding = `its log was not read to its end: ${cut}`;
    await noteDeliveryLook(database, place, {
      ...news,
      agoMs: clock.now() - began,
      covers,
      flaw: cut === null ? null : { finding, nextInMs: DAY_MS },
    });
    tell(place, read);
  }

  function tell(
    place: LookPlace,
    { handedOver, cut, unread, found, pages, oldestEventAt, newestEventAt }: LogRead,
  ): void {
    const about = { ...aboutOf(place), seen: found, pages };
    if (cut !== null) log.warn({ ...about, reason: cut }, 'a log of deliveries could not be read to its end');
    if (unread > 0) log.warn({ ...about, unread }, 'a log of deliveries holds bodies that are no events');
    if (handedOver.length === 0) log.debug(about, 'looked at a log of deliveries');
    else
      log.warn(
        { ...about, events: handedOver.length, oldest: oldestEventAt, newest: newestEventAt },
        "missed events were brought in from Procore's log of deliveries",
      );
  }

  /** What is in the queue is safe; but until it is recorded the next look would take it for missing. */
  async function untilRecorded(events: LogRead['handedOver'], signal: AbortSignal): Promise<boolean> {
    const wanted = events.map(maybeRecorded);
    const giveUpAt = clock.now() + RECORDED_WITHIN_MS;
    while (wanted.length > 0 && clock.now() < giveUpAt) {
      if ((await findRecorded(database.pool, wanted)).size === wanted.length) return true;
      await clock.sleep(LOOK_FOR_RECORDED_EVERY_MS, signal);
    }
    return wanted.length === 0;
  }

  async function look(planned: PlannedLook, signal: AbortSignal): Promise<boolean> {
    const { projectId, hookId, status } = planned;
    const place = { companyId, projectId, hookId, status };
    if (refusals !== null && isResting()) {
      const finding = `not asked, because ${refusals.times} logs in a row were refused: ${refusals.reason}`;
      await noteFailedLook(database, place, { finding, nextInMs: 0, calls: 0 });
      return true;
    }
    const before = callsMade();
    try {
      const read = await readLog({ ...options, look: planned, signal });
      refusals = null;
      await noteRead(place, read, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      return settle(place, error, { isAsked: planned.because === 'asked for', calls: callsMade() - before });
    }
  }

  return { look, isResting };
}

function aboutOf({ companyId, projectId, hookId, status }: LookPlace): Record<string, string | null> {
  return { company_id: companyId, project_id: projectId, hook_id: hookId, status };
}

/** What is to be told of a log that cannot be read; null: it is no answer of Procore's. */
export function findingOf(error: unknown): string | null {
  if (error instanceof ScopeParkedError || error instanceof ProcoreFormatError) return error.message;
  if (!(error instanceof ProcoreResponseError)) return null;
  if (error.status === 403)
    return `${error.message}: the service account needs the permission Webhooks API: Standard in the app's manifest`;
  return error.meaning === 'absent' ? `no log: ${error.message}` : error.message;
}

const NOT_REACHED = 'Procore was not reached: ';

/** Who asked is told; what nobody asked for is tried again soon. */
export function whyNotReached(error: unknown): string | null {
  if (error instanceof ProcoreTokenError && error.isRejected) return `no access token is to be had: ${error.message}`;
  const isNotThere = error instanceof ProcoreUnreachableError || error instanceof ProcoreTokenError;
  return isNotThere ? `${NOT_REACHED}${error.message}` : null;
}

/** Was it because Procore was not reached that a log could not be read, and not because of what it answered? */
export function isNotReached(finding: string): boolean {
  return finding.includes(NOT_REACHED);
}

/** Who says no says so again, for a day; trouble may pass, and who was not reached may be at once. */
function pauseAfter(error: unknown, everyMs: number): number {
  if (whyNotReached(error) !== null) return 0;
  const passes = error instanceof ProcoreResponseError && error.status >= 500;
  return passes ? Math.max(everyMs, SHORTEST_REST_MS) : DAY_MS;
}
