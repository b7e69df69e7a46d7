// `backfill --plan`: asks what there is to fill, and says what that costs.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, readCallWindows, readShortages, type Shortage } from '@procore-mirror/database';
import {
  CAREFUL,
  callsLeftInWords,
  createNeighbours,
  type FetchSettings,
  minutesFor,
  type PlannedBackfill,
  type PlannedBackfills,
  planBackfills,
  type Scope,
  usualPace,
  type Windows,
} from '@procore-mirror/mirror';
import { ProcoreBusyError, ProcoreTokenError, ProcoreUnreachableError } from '@procore-mirror/procore';
import { choosePart } from '../ask-workers.ts';
import { callsOf, type Plan, planAsJson, planInWords } from '../backfill-plan-in-words.ts';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { ServerUnreachableError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { findScopes } from '../find-scopes.ts';
import { counted } from '../output.ts';

/** A stumble is got over; who sits in front of it is told of an outage. */
const PAUSES_MS = [1_000, 3_000];
const SAY_EVERY_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

/** Prints what the backfill of the mirror, or of a part of it, costs. Stores nothing. Throws a UsageError for a part that is not there. */
export async function planBackfill(context: Context, options: PartOptions): Promise<ExitCode> {
  const part = await choosePart(context, options);
  const { catalogue } = part;
  return context.withDatabase(async (database) => {
    const progress = { done: 0, scopes: null };
    const told = tellProgress(context, database, part.companyIds, progress);
    try {
      return await context.withProcore(database, async (client) => {
        const { scopes, unlisted } = await findScopes(context, { client, database, ...part });
        const settings = { ...usualPace, database, client, catalogue, delayMs: 0, random: Math.random };
        const since = performance.now();
        const planned = await ask(context, { ...settings, neighbours: createNeighbours() }, scopes, progress);
        const paceMs = (performance.now() - since) / Math.max(planned.calls, 1);
        const plan = { ...planned, ...(await timeOf(database, planned.backfills, paceMs)), unlisted };
        context.output.result(planAsJson(plan), () => planInWords(plan));
        return unlisted.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
      });
    } finally {
      await told.close();
    }
  });
}

type Progress = { done: number; scopes: number | null };

async function ask(
  context: Context,
  settings: FetchSettings,
  scopes: readonly Scope[],
  progress: Progress,
): Promise<PlannedBackfills> {
  const { signal } = context;
  progress.scopes = scopes.length;
  const onScope = () => {
    progress.done += 1;
  };
  try {
    return await planBackfills({ settings, scopes, signal, pausesMs: PAUSES_MS, now: context.now(), onScope });
  } catch (error) {
    const isNoAnswer = [ProcoreUnreachableError, ProcoreTokenError, ProcoreBusyError].some(
      (kind) => error instanceof kind,
    );
    if (!isNoAnswer || signal.aborted || !(error instanceof Error)) throw error;
    throw new ServerUnreachableError(`Procore does not answer: ${error.message}`, { cause: error.cause });
  }
}

/** Says how far it is every half a minute, and at once when it begins to wait for calls. */
function tellProgress(
  { output }: Context,
  { pool }: Database,
  companyIds: readonly string[],
  progress: Progress,
): { close: () => Promise<void> } {
  const ended = new AbortController();
  let said = { isShort: false, at: performance.now() };
  const look = async () => {
    const [shortage = null] = await readShortages(pool, companyIds).catch(() => []); // the work tells of it
    const isShort = shortage !== null;
    const isNews = isShort && !said.isShort;
    if (isNews || performance.now() - said.at >= SAY_EVERY_MS) {
      const words = progressInWords(progress, shortage);
      if (words !== '') output.note(words);
      said.at = performance.now();
    }
    said = { ...said, isShort };
  };
  const tell = async () => {
    while (!ended.signal.aborted) {
      await look();
      await sleep(LOOK_EVERY_MS, null, { signal: ended.signal }).catch(() => null);
    }
  };
  const telling = tell();
  return {
    close: () => {
      ended.abort();
      return telling;
    },
  };
}

function progressInWords({ done, scopes }: Progress, shortage: Shortage | null): string {
  return [
    ...(scopes === null ? [] : [`${done} of ${counted(scopes, 'scope')} asked`]),
    ...(shortage === null ? [] : [`waits for calls: ${callsLeftInWords(shortage)}`]),
  ].join(' · ');
}

/** How long the calls take: as long as those of the windows that have most to do; without a limit, at the pace of the calls so far. */
async function timeOf(
  database: Database,
  backfills: readonly PlannedBackfill[],
  paceMs: number,
): Promise<Pick<Plan, 'windows' | 'isTold' | 'minutes' | 'shareOfHour'>> {
  const groups = new Map<string | null, { windows: Windows | null; isTold: boolean; calls: number }>();
  for (const [companyId, own] of Map.groupBy(backfills, (one) => one.companyId)) {
    const { owner, hour, spike, isHourTold, isUnlimited, live, kept } = await readCallWindows(database.pool, companyId);
    const windows = { hour: hour ?? CAREFUL.hour, spike: spike ?? CAREFUL.spike, live, kept };
    const calls = (groups.get(owner)?.calls ?? 0) + callsOf(own);
    groups.set(owner, { windows: isUnlimited ? null : windows, isTold: isHourTold || isUnlimited, calls });
  }
  const times = [...groups.values()].map(({ windows, isTold, calls }) =>
    windows === null
      ? { windows, isTold, minutes: (calls * paceMs) / 60_000, shareOfHour: 0 }
      : { windows, isTold, minutes: minutesFor(calls, windows), shareOfHour: calls / windows.hour },
  );
  const nothing = { windows: { ...CAREFUL, live: 0, kept: 0 }, isTold: false, minutes: 0, shareOfHour: 0 };
  return times.toSorted((a, b) => b.minutes - a.minutes)[0] ?? nothing;
}
