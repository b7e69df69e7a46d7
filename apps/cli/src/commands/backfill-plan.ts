// `backfill --plan`: asks what there is to fill, and says what that costs.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, readShortages, type Shortage } from '@procore-mirror/database';
import {
  callsLeftInWords,
  createNeighbours,
  type FetchSettings,
  type PlannedBackfill,
  type PlannedBackfills,
  planBackfills,
  type Scope,
  usualPace,
} from '@procore-mirror/mirror';
import { ProcoreBusyError, ProcoreTokenError, ProcoreUnreachableError } from '@procore-mirror/procore';
import { choosePart } from '../ask-workers.ts';
import type { PartOptions } from '../check-part.ts';
import type { Context } from '../context.ts';
import { ServerUnreachableError } from '../errors.ts';
import { type ExitCode, exitCode } from '../exit-code.ts';
import { findScopes } from '../find-scopes.ts';
import { counted } from '../output.ts';
import { type Plan, type PlannedWork, planAsJson, planInWords } from '../plan-in-words.ts';
import { timeOf } from '../time-of-plan.ts';

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
        const works = planned.backfills.map(workOf);
        const plan: Plan = {
          ...{ works, unlisted, kinds: KINDS, ...(await timeOf(database, works, paceMs)) },
          estimate: 'one parent, or the newest 90 days, stand for the others.',
          remark: `Nothing was stored. To find out took ${counted(planned.calls, 'call')}.`,
        };
        context.output.result({ ...planAsJson(plan), calls_to_plan: planned.calls }, () => planInWords(plan));
        return unlisted.length === 0 ? exitCode.fine : exitCode.foundSomethingWrong;
      });
    } finally {
      await told.close();
    }
  });
}

const KINDS = { list_calls: 'lists', shows: 'shows' };

function workOf({ state, listCalls, shows, ...work }: PlannedBackfill): PlannedWork {
  return { ...work, isOff: state === 'off', calls: listCalls + shows, kinds: { list_calls: listCalls, shows } };
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
