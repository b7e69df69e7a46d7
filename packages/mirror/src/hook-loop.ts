// The worker looks after hooks by itself: of each company one worker at a time lists the projects, hourly and after an event that told of
// them, and looks at the hooks, new scopes first, then the longest unseen. It takes its share of the calls and goes on later. A scope that
// cannot be looked at keeps no other from its look: it is tried again with growing pauses.
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type Database,
  type DueHook,
  findDueHooks,
  giveUpDuty,
  isPlaceSelected,
  isRefusedFor,
  listLeftCompanies,
  noteCompanies,
  readHookCalls,
  readProjects,
  readProjectsState,
} from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { tryCalls } from './ask/try-calls.ts';
import { countCalls } from './count-calls.ts';
import { ScopeParkedError } from './errors.ts';
import { leaveParkedAlone } from './heed-scopes.ts';
import {
  createHookLooks,
  type HookLooks,
  type KnownOffers,
  PAYLOAD_VERSION,
  type ScopeHooks,
} from './look-at-hooks.ts';
import { hookCallsLeft, isListDue, listEveryMs, pauseOfLooks } from './plan/hook-share.ts';
import type { WantedProjects } from './plan/select-projects.ts';
import { createCallsLately, LATELY_MS } from './run/calls-lately.ts';
import { type Clock, realTime } from './run/clock.ts';
import { usualPace } from './run/fetch-settings.ts';
import { type SelectedProjects, selectCompany } from './select-scopes.ts';
import { leaveDuty, withDuty } from './with-duty.ts';

export type HookLoopOptions = {
  database: Database;
  client: ProcoreClient;
  catalogue: Catalogue;
  companyIds: readonly string[];
  projects: WantedProjects;
  resources: readonly string[] | null;
  namespace: string;
  /** Null: not known, so hooks are left to others, and only projects are listed. */
  destinationUrl: string | null;
  /** The values that the receiver accepts, newest first, each with its fingerprint, as they are now. */
  secrets: () => ReadonlyMap<string, string>;
  /** How often each hook is looked at, as far as the share of calls reaches, ms. */
  everyMs: number;
  /** Names this process in the leases. */
  holder: string;
  log: { warn: (about: object, message: string) => void };
  /** Told of each scope that was looked at, and of each list of projects. */
  onLook: (found: ScopeHooks) => void;
  onProjects: (companyId: string, found: SelectedProjects) => void;
  /** What a dead worker was at is taken over after this long, ms. */
  leaseMs?: number;
  /** How often it looks whether something is to be done, ms. */
  lookEveryMs?: number;
  /** How often it notes which companies it mirrors, ms. */
  noteEveryMs?: number;
  /** How long no worker must have mirrored a company before it leaves the selection and loses its hooks, ms. */
  leaveAfterMs?: number;
  /** For whoever has a time of their own. */
  clock?: Clock;
};

const NOTE_EVERY_MS = 10_000;
/** Long enough for a worker that starts again. */
const LEAVE_AFTER_MS = 60_000;

/** So many at a time, so that a list of projects that is due does not wait for long. */
const LOOKS_AT_ONCE = 10;
const REST_AFTER_FAILURE_MS = 60_000;
const LONGEST_REST_MS = 600_000;
/** Whom so many scopes in a row refuse is refused by the rest, too, for now, unless the company's own scope says otherwise. */
const REFUSALS_IN_A_ROW = 3;
/** Of a scope that left: what refuses us for good costs a call a day. */
const LEFT_EVERY_MS = 86_400_000;

/** Starts to look after the hooks of these companies, and of those that left. `close` ends the call under way. */
export function startHookLoop(options: HookLoopOptions): { close: () => Promise<void> } {
  const { database, companyIds, destinationUrl, holder, log } = options;
  const { noteEveryMs = NOTE_EVERY_MS, leaveAfterMs = LEAVE_AFTER_MS, clock = realTime } = options;
  const closing = new AbortController();
  const { signal } = closing;
  /** Since when it notes without trouble. */
  let wellSince: number | null = null;

  async function run(): Promise<void> {
    const looked = new Map<string, Promise<void>>();
    while (!signal.aborted) {
      for (const companyId of await knownCompanies()) {
        if (!looked.has(companyId)) looked.set(companyId, lookAfterCompany(options, { companyId, signal }));
      }
      await clock.sleep(noteEveryMs, signal).catch(() => null);
    }
    await Promise.all(looked.values());
  }

  /** Those of this worker, and those that every worker left a while ago and that have hooks. */
  async function knownCompanies(): Promise<readonly string[]> {
    try {
      // Others that have just started, or could not reach the database either, must have had time to note theirs.
      const isSure = wellSince !== null && clock.now() - wellSince >= leaveAfterMs;
      await noteCompanies(database, { holder, companyIds, leaveAfterMs: isSure ? leaveAfterMs : null });
      wellSince ??= clock.now();
      const left = destinationUrl === null ? [] : await listLeftCompanies(database.pool, leaveAfterMs);
      return [...companyIds, ...left];
    } catch (error) {
      wellSince = null;
      if (!signal.aborted) log.warn({ error }, 'what is known of hooks could not be read; trying again');
      return [];
    }
  }

  const running = run();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
    },
  };
}

type Company = { companyId: string; signal: AbortSignal };

async function lookAfterCompany(options: HookLoopOptions, company: Company): Promise<void> {
  const { database, holder, log, leaseMs = 15_000, lookEveryMs = 2_000, clock = realTime } = options;
  const { companyId, signal } = company;
  // Who lists projects only must not keep the others from the hooks.
  const duty = `${options.destinationUrl === null ? 'projects' : 'hooks'} of ${companyId}`;
  const lease = { database, duty, holder, leaseMs, log, clock };
  const round = createRounds(options, company);
  while (!signal.aborted) {
    let restMs = lookEveryMs;
    try {
      const done = await withDuty(lease, async (lost) => ({ roundRestMs: await round(lost) }));
      restMs = Math.max(restMs, done?.roundRestMs ?? 0);
      // Another worker may be told to look more often.
      if (done?.roundRestMs === null) await giveUpDuty(database, duty, holder);
    } catch (error) {
      if (!signal.aborted) log.warn({ company_id: companyId, error }, 'hooks could not be looked after; trying again');
      restMs = REST_AFTER_FAILURE_MS;
    }
    await clock.sleep(restMs, signal).catch(() => null);
  }
  await leaveDuty(lease);
}

/** One round: the list of projects if it is due, then some looks. Returns how long to rest at least, ms; null: no look was due. */
function createRounds(options: HookLoopOptions, company: Company): (lost: AbortSignal) => Promise<number | null> {
  const { database, everyMs, projects: wanted, companyIds, onLook, onProjects, log } = options;
  const { leaveAfterMs = LEAVE_AFTER_MS, clock = realTime } = options;
  const { companyId } = company;
  const isNamed = companyIds.includes(companyId);
  const lately = createCallsLately(clock);
  let callsMade = 0;
  const client = countCalls(leaveParkedAlone(options.client, { database, parking: usualPace.parking, clock }), () => {
    callsMade += 1;
    lately.made();
  });
  const pauses = createPauses(everyMs, clock);
  const looksNow = createLooksNow(options, { ...company, isPaused: pauses.has }, client);
  let listAgainAt = Number.NEGATIVE_INFINITY;
  let listFailures = 0;
  let listCalls = 1;
  let hourLimit: number | null = null;
  let inARow: (string | null)[] = [];
  let rests = 0;

  async function callsLeft(isSetup: boolean): Promise<number> {
    const { used, hourLimit: limit } = await readHookCalls(database.pool, companyId, LATELY_MS);
    hourLimit = limit;
    return hookCallsLeft({ used: used + lately.count(), hourLimit }, isSetup);
  }

  /** `isWaitedFor`: nobody knows its projects yet, or an event told of a new one. */
  async function listProjects(signal: AbortSignal, isWaitedFor: boolean): Promise<void> {
    let isLeftAlone = false;
    const work = () =>
      selectCompany({ client, database, companyId, wanted, signal, clock }).catch((error: unknown) => {
        isLeftAlone = error instanceof ScopeParkedError;
        throw error;
      });
    const before = callsMade;
    const tried = await tryCalls(work, { signal, pausesMs: [] });
    listCalls = Math.max(callsMade - before, 1);
    if ('done' in tried) {
      listFailures = 0;
      return onProjects(companyId, tried.done);
    }
    // What is parked costs nothing, and was told.
    if (!isLeftAlone) listFailures += 1;
    listAgainAt = clock.now() + pauseOfLooks(Math.max(listFailures, 1), isWaitedFor ? LONGEST_REST_MS : everyMs);
    if (!isLeftAlone)
      log.warn({ company_id: companyId, reason: tried.refused }, 'the projects of a company could not be listed');
  }

  async function lookAtOne(looks: HookLooks, { projectId, isSelected }: Omit<DueHook, 'isNew'>): Promise<boolean> {
    const place = { companyId, projectId };
    if (!isSelected && (await isPlaceSelected(database.pool, place))) return true; // it came back meanwhile
    const found = await (isSelected ? looks.apply(place) : looks.leave(place));
    onLook(found);
    pauses.note(found, isSelected);
    return found.trouble === null;
  }

  /** Returns how long the company is to be left alone, ms. */
  async function look(looks: HookLooks, place: DueHook): Promise<number> {
    const isWell = await lookAtOne(looks, place);
    inARow = isWell ? [] : [...inARow, place.projectId];
    if (isWell) rests = 0;
    if (inARow.length < REFUSALS_IN_A_ROW) return 0;
    const isAsked = !isNamed || inARow.includes(null);
    const isCompanyWell = !isAsked && (await lookAtOne(looks, { projectId: null, isSelected: true }));
    inARow = isCompanyWell ? [] : inARow.slice(1);
    rests = isCompanyWell ? 0 : rests + 1;
    return isCompanyWell ? 0 : pauseOfLooks(rests, Math.min(everyMs, LONGEST_REST_MS));
  }

  /** Lists the projects when that is due. False: no worker mirrored the company for a while, and no list put it back yet. */
  async function listIfDue(isShort: boolean, signal: AbortSignal): Promise<boolean> {
    const state = await readProjectsState(database.pool, companyId);
    if (
      clock.now() >= listAgainAt &&
      (!state.isSelected ||
        isListDue(state, { everyMs: listEveryMs({ ...state, listCalls, hourLimit }, everyMs), isShort }))
    ) {
      await listProjects(signal, !state.isSelected || state.announcedMs !== null);
    }
    return state.isSelected || (await readProjectsState(database.pool, companyId)).isSelected;
  }

  async function lookAtDue(signal: AbortSignal): Promise<number | null> {
    const retries = pauses.retries();
    const due = { companyId, payloadVersion: PAYLOAD_VERSION, everyMs, isNamed, limit: LOOKS_AT_ONCE, retries };
    const places = await findDueHooks(database.pool, due);
    if (places.length === 0) return null;
    const looks = await looksNow(signal);
    for (const place of places) {
      signal.throwIfAborted();
      if ((await callsLeft(place.isNew)) <= 0) return isNamed ? 0 : null;
      const restMs = await look(looks, place);
      if (restMs > 0) return restMs;
    }
    return 0;
  }

  return async (lost) => {
    const signal = AbortSignal.any([lost, company.signal]);
    const isShort = (await callsLeft(false)) <= 0;
    if (isNamed && !(await listIfDue(isShort, signal))) return 0;
    if (!isNamed && !(await listLeftCompanies(database.pool, leaveAfterMs)).includes(companyId)) return null;
    return options.destinationUrl === null ? null : lookAtDue(signal);
  };
}

type Pauses = {
  note: (found: ScopeHooks, isSelected: boolean) => void;
  /** Scopes that could not be looked at, and whether the pause of each is over. */
  retries: () => ReadonlyMap<string | null, boolean>;
  has: (projectId: string | null) => boolean;
};

/** Which scopes could not be looked at, or not be settled, and when each is tried again. */
function createPauses(everyMs: number, clock: Clock): Pauses {
  const paused = new Map<string | null, { failures: number; until: number }>();
  return {
    note: ({ projectId, trouble, waits }, isSelected) => {
      if (trouble === null && waits === null) return void paused.delete(projectId);
      const failures = (paused.get(projectId)?.failures ?? 0) + 1;
      const longestMs = trouble === null || isSelected ? everyMs : Math.max(everyMs, LEFT_EVERY_MS);
      paused.set(projectId, { failures, until: clock.now() + pauseOfLooks(failures, longestMs) });
    },
    retries: () => new Map([...paused].map(([projectId, { until }]) => [projectId, clock.now() >= until])),
    has: (projectId) => paused.has(projectId),
  };
}

/** The looks with the secret as it is now; a hook that was given another one keeps it unless the receivers refuse that. */
function createLooksNow(
  options: HookLoopOptions,
  { companyId, isPaused }: Company & { isPaused: (projectId: string) => boolean },
  client: ProcoreClient,
): (signal: AbortSignal) => Promise<HookLooks> {
  const { database, catalogue, resources, namespace, secrets, clock } = options;
  const offers: KnownOffers = new Map();
  return async (signal) => {
    const selected = (await readProjects(database.pool, companyId)).filter(({ isSelected }) => isSelected);
    const keys = secrets();
    const [authorization = null, ...accepted] = keys.keys();
    const [key = ''] = keys.values();
    const keepsSecret = async (other: string) => !(await isRefusedFor(database.pool, key, other));
    const destinationUrl = options.destinationUrl ?? '';
    return createHookLooks({
      ...{ client, database, catalogue, resources, namespace, destinationUrl, signal, keepsSecret, offers, clock },
      ...{ authorization, accepted, keys, pausesMs: [] },
      templates: () => selected.flatMap(({ projectId }) => (isPaused(projectId) ? [] : projectId)),
    });
  };
}
