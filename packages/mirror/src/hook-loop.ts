// The worker looks after hooks by itself: of each company one worker at a time lists the projects, hourly and after an event that told of
// them, and looks at the hooks, new scopes first, then the longest unseen. It takes its share of the calls and goes on later.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type Database,
  type DueHook,
  findDueHooks,
  giveUpDuty,
  listLeftCompanies,
  listSecretKeys,
  noteCompanies,
  readHookCalls,
  readProjects,
  readProjectsState,
  takeDuty,
} from '@procore-mirror/database';
import type { ProcoreClient } from '@procore-mirror/procore';
import { tryCalls } from './ask/try-calls.ts';
import { countCalls } from './count-calls.ts';
import { ScopeParkedError } from './errors.ts';
import { heedScopes } from './heed-scopes.ts';
import {
  createHookLooks,
  type HookLooks,
  type KnownOffers,
  PAYLOAD_VERSION,
  type ScopeHooks,
} from './look-at-hooks.ts';
import { hookCallsLeft, isListDue } from './plan/hook-share.ts';
import type { WantedProjects } from './plan/select-projects.ts';
import { usualPace } from './run/fetch-settings.ts';
import { type SelectedProjects, selectCompany } from './select-scopes.ts';

export type HookLoopOptions = {
  database: Database;
  client: ProcoreClient;
  catalogue: Catalogue;
  companyIds: readonly string[];
  projects: WantedProjects;
  resources: readonly string[] | null;
  namespace: string;
  destinationUrl: string;
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
};

/** So many at a time, so that a list of projects that is due does not wait for long. */
const LOOKS_AT_ONCE = 10;
/** Calls of the last moments are counted here, for they are not entered yet. */
const LATELY_MS = 10_000;
const REST_AFTER_FAILURE_MS = 60_000;
const REST_AFTER_REFUSALS_MS = 600_000;
/** Whom so many scopes in a row refuse is refused by the rest, too, for now. */
const REFUSALS_IN_A_ROW = 3;
/** What a project offers may change. */
const OFFERS_LAST_MS = 86_400_000;

/** Starts to look after the hooks of these companies, and of those that left. `close` ends the call under way. */
export function startHookLoop(options: HookLoopOptions): { close: () => Promise<void> } {
  const { database, companyIds, log, lookEveryMs = 2_000 } = options;
  const closing = new AbortController();
  const { signal } = closing;

  async function run(): Promise<void> {
    const found = await untilKnown();
    if (found === null) return;
    const keepsSecret = (key: string) => !found.keys.has(key);
    const companies = new Set([...companyIds, ...found.left]);
    await Promise.all([...companies].map((companyId) => lookAfterCompany(options, { companyId, keepsSecret, signal })));
  }

  /** What was left behind when this process began. A secret that is set later comes from who knows more than this process. */
  async function untilKnown(): Promise<{ left: string[]; keys: ReadonlySet<string> } | null> {
    while (!signal.aborted) {
      try {
        await noteCompanies(database, companyIds);
        return {
          left: await listLeftCompanies(database.pool),
          keys: new Set(await listSecretKeys(database.pool)),
        };
      } catch (error) {
        log.warn({ error }, 'what is known of hooks could not be read; trying again');
        await sleep(lookEveryMs, null, { signal }).catch(() => null);
      }
    }
    return null;
  }

  const running = run();
  return {
    close: async () => {
      closing.abort(new Error('the worker is stopping'));
      await running;
    },
  };
}

type Company = { companyId: string; keepsSecret: (key: string) => boolean; signal: AbortSignal };

async function lookAfterCompany(options: HookLoopOptions, company: Company): Promise<void> {
  const { database, holder, log, leaseMs = 15_000, lookEveryMs = 2_000 } = options;
  const { companyId, signal } = company;
  const duty = `hooks of ${companyId}`;
  const round = createRounds(options, company);
  while (!signal.aborted) {
    let restMs = lookEveryMs;
    try {
      if (await takeDuty(database, duty, { holder, leaseMs }))
        restMs = Math.max(restMs, await withLease(options, duty, round));
    } catch (error) {
      if (!signal.aborted) log.warn({ company_id: companyId, error }, 'hooks could not be looked after; trying again');
      restMs = REST_AFTER_FAILURE_MS;
    }
    await sleep(restMs, null, { signal }).catch(() => null);
  }
  await giveUpDuty(database, duty, holder).catch((error: unknown) =>
    log.warn({ company_id: companyId, error }, 'hooks could not be given to another worker; the lease will run out'),
  );
}

/** Keeps the lease while `work` goes on; who lost it stops. */
async function withLease(
  { database, holder, leaseMs = 15_000, log }: HookLoopOptions,
  duty: string,
  work: (lost: AbortSignal) => Promise<number>,
): Promise<number> {
  const lost = new AbortController();
  const renewal = setInterval(() => {
    takeDuty(database, duty, { holder, leaseMs }).then(
      (isOurs) => isOurs || lost.abort(new Error('another worker looks after these hooks')),
      (error: unknown) => log.warn({ error }, 'the lease of hooks could not be renewed'),
    );
  }, leaseMs / 3);
  try {
    return await work(lost.signal);
  } finally {
    clearInterval(renewal);
  }
}

/** One round: the list of projects if it is due, then some looks. Returns how long to rest at least, ms. */
function createRounds(options: HookLoopOptions, company: Company): (lost: AbortSignal) => Promise<number> {
  const { database, everyMs, projects: wanted, companyIds, onLook, onProjects, log } = options;
  const { companyId } = company;
  const isNamed = companyIds.includes(companyId);
  const made: number[] = [];
  const client = countCalls(
    heedScopes(options.client, {
      ...{ database, parking: usualPace.parking, patienceMs: 0 },
      onWait: (reason) => {
        throw new ScopeParkedError(`Procore is left alone for a while (${reason})`);
      },
    }),
    () => made.push(performance.now()),
  );
  const looksNow = createLooksNow(options, company, client);
  let listAgainAt = 0;
  let refusals = 0;

  async function callsLeft(isSetup: boolean): Promise<number> {
    const { used, hourLimit } = await readHookCalls(database.pool, companyId, LATELY_MS);
    while ((made[0] ?? Number.POSITIVE_INFINITY) < performance.now() - LATELY_MS) made.shift();
    return hookCallsLeft({ used: used + made.length, hourLimit }, isSetup);
  }

  async function listProjects(signal: AbortSignal): Promise<void> {
    const work = () => selectCompany({ client, database, companyId, wanted, signal });
    const tried = await tryCalls(work, { signal, pausesMs: [] });
    if ('done' in tried) return onProjects(companyId, tried.done);
    listAgainAt = performance.now() + REST_AFTER_FAILURE_MS;
    log.warn({ company_id: companyId, reason: tried.refused }, 'the projects of a company could not be listed');
  }

  /** Returns how long the company is to be left alone, ms. */
  async function look(looks: HookLooks, { projectId, isSelected }: DueHook): Promise<number> {
    const place = { companyId, projectId };
    const found = await (isSelected ? looks.apply(place) : looks.leave(place));
    onLook(found);
    refusals = found.trouble === null ? 0 : refusals + 1;
    if (found.isUnreached) return REST_AFTER_FAILURE_MS;
    return refusals >= REFUSALS_IN_A_ROW ? Math.min(REST_AFTER_REFUSALS_MS, everyMs) : 0;
  }

  /** Lists the projects when that is due. False: another process, with other settings, took the company out, and no list put it back yet. */
  async function listIfDue(isShort: boolean, signal: AbortSignal): Promise<boolean> {
    const state = await readProjectsState(database.pool, companyId);
    if (performance.now() >= listAgainAt && (!state.isSelected || isListDue(state, { everyMs, isShort }))) {
      await listProjects(signal);
    }
    return state.isSelected || (await readProjectsState(database.pool, companyId)).isSelected;
  }

  return async (lost) => {
    const signal = AbortSignal.any([lost, company.signal]);
    const isShort = (await callsLeft(false)) <= 0;
    if (isNamed && !(await listIfDue(isShort, signal))) return 0;
    const due = { companyId, payloadVersion: PAYLOAD_VERSION, everyMs, isNamed, limit: LOOKS_AT_ONCE };
    const places = await findDueHooks(database.pool, due);
    const looks = places.length === 0 ? null : await looksNow(signal);
    for (const place of places) {
      signal.throwIfAborted();
      if (looks === null || (await callsLeft(place.isNew)) <= 0) return 0;
      const restMs = await look(looks, place);
      if (restMs > 0) return restMs;
    }
    return 0;
  };
}

/** The looks with the secret as it is now; what projects offer is asked once a day. */
function createLooksNow(
  options: HookLoopOptions,
  { companyId, keepsSecret }: Company,
  client: ProcoreClient,
): (signal: AbortSignal) => Promise<HookLooks> {
  const { database, catalogue, resources, namespace, destinationUrl, secrets } = options;
  let offers: KnownOffers = new Map();
  let offersUntil = 0;
  return async (signal) => {
    if (performance.now() >= offersUntil) {
      offers = new Map();
      offersUntil = performance.now() + OFFERS_LAST_MS;
    }
    const selected = (await readProjects(database.pool, companyId)).filter(({ isSelected }) => isSelected);
    const keys = secrets();
    const [authorization = null, ...accepted] = keys.keys();
    return createHookLooks({
      ...{ client, database, catalogue, resources, namespace, destinationUrl, signal, keepsSecret, offers },
      ...{ authorization, accepted, keys, pausesMs: [] },
      templates: () => selected.map(({ projectId }) => projectId),
    });
  };
}
