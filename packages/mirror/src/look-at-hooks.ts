// One scope after the other: its hook is looked at or set right, and what was seen is remembered in `mirror.hooks`, where there is a database
// to remember it in.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type Database,
  giveUpDuty,
  noteHook,
  noteHookTrouble,
  readHook,
  type SeenHook,
  takeDuty,
} from '@procore-mirror/database';
import {
  createHooksApi,
  type Hook,
  type HooksApi,
  type ProcoreClient,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { applyHooks, type HookOptions, planScopeHooks, readOffers } from './apply-hooks.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { findUndelivered } from './ask/undelivered.ts';
import { ScopeParkedError } from './errors.ts';
import type { HookAction } from './plan/plan-hooks.ts';
import type { Scope } from './scope.ts';

type Place = Pick<Scope, 'companyId' | 'projectId'>;

export type LookOptions = Pick<HookOptions, 'namespace' | 'destinationUrl' | 'authorization' | 'accepted' | 'keys'> &
  Pick<Patience, 'signal' | 'pausesMs'> & {
    client: ProcoreClient;
    catalogue: Catalogue;
    resources: readonly string[] | null;
    /** Where what was seen is remembered; without it nothing is. */
    database?: Database;
    /** May a hook keep what it carries, though it was given another value than ours, known by this fingerprint? */
    keepsSecret?: (key: string) => boolean;
  };

export type ScopeHooks = {
  companyId: string;
  projectId: string | null;
  /** The hook there; null: there is none, or it is not known. */
  hookId: string | null;
  /** What was done, or is to be done. */
  actions: readonly HookAction[];
  /** Resources that are to be mirrored, and of which nothing is offered here. */
  notOffered: readonly string[];
  /** What Procore should have taken, and did not. */
  refused: readonly string[];
  /** Why the scope is not as it should be, or not known; null: it is. */
  trouble: string | null;
  /** What is left for later, and why. */
  waits: string | null;
  /** No answer was to be had. */
  isUnreached: boolean;
};

export type HookLooks = {
  /** What the hook there lacks. Writes nothing. */
  plan: (place: Place) => Promise<ScopeHooks>;
  /** Makes the hook there as it should be, and remembers it. */
  apply: (place: Place) => Promise<ScopeHooks>;
  /** The same of a scope that left the selection: its hook is to be removed. */
  planToLeave: (place: Place) => Promise<ScopeHooks>;
  /** Removes it, unless Procore still has events to deliver to it: they would be lost. */
  leave: (place: Place) => Promise<ScopeHooks>;
};

export const PAYLOAD_VERSION = 'v4.0';
/** Who dies meanwhile is waited for so long. */
const ALONE_FOR_MS = 30_000;
const ASK_FOR_DUTY_EVERY_MS = 200;
const NOTHING = { hookId: null, notOffered: [], refused: [], trouble: null, waits: null, isUnreached: false };
const NO_HOOK: SeenHook = {
  hookId: null,
  status: null,
  destinationUrl: null,
  triggerCount: null,
  wantedKey: null,
  secretKey: null,
  notOffered: [],
  refused: [],
  hasListedTriggers: false,
};

/** What is offered in each company; null: none of its projects tells. */
export type KnownOffers = Map<string, HookOptions['offers'] | null>;

/**
 * `templates`: the projects of a company, of which one that answers says what the others offer. `offers`: what was asked before, to be
 * kept for further looks.
 */
export function createHookLooks(
  options: LookOptions & { templates: (companyId: string) => readonly string[]; offers?: KnownOffers },
): HookLooks {
  const { client, resources, signal, database, pausesMs, templates, offers = new Map(), ...rest } = options;
  const { keepsSecret = () => false, ...how } = rest;
  const hooks = createHooksApi(client);
  const offersOf = createOffers(templates, offers);
  const knownAt = (place: Place) => database && readHook(database.pool, { ...place, payloadVersion: PAYLOAD_VERSION });
  const scopeAt = ({ companyId, projectId }: Place): HookOptions => ({
    ...{ ...how, hooks, companyId, projectId, signal, payloadVersion: PAYLOAD_VERSION, selection: { resources } },
  });
  const withMemory = async (place: Place): Promise<HookOptions> => {
    const known = await knownAt(place);
    const key = known?.secretKey ?? null;
    const isKept = key !== null && ![...(how.keys?.values() ?? [])].includes(key) && keepsSecret(key);
    const scope = { ...scopeAt(place), known, ...(isKept && { accepted: null }) };
    return { ...scope, ...(await offersOf(scope)) };
  };
  const look = async (place: Place, work: Work) => (await lookAt(place, work, { signal, pausesMs })).found;
  const note = (place: Place, seen: SeenHook, finding: string | null) =>
    database && noteHook(database, { ...place, payloadVersion: PAYLOAD_VERSION }, { seen, finding });

  /** The same, and what could not be done is noted, unless it was not tried. */
  async function lookAndNote(place: Place, work: Work): Promise<ScopeHooks> {
    const { found, failure } = await lookAt(place, work, { signal, pausesMs });
    const finding = found.trouble ?? found.waits;
    if (database && finding !== null && !found.isUnreached && !(failure instanceof ScopeParkedError))
      await noteHookTrouble(database, { ...found, payloadVersion: PAYLOAD_VERSION }, finding);
    return found;
  }

  /** One process at a time, or each makes a hook where there is none. */
  async function alone<T>({ companyId, projectId }: Place, work: () => Promise<T>): Promise<T> {
    if (database === undefined) return work();
    const duty = `the hook of ${companyId}/${projectId ?? ''}`;
    const holder = randomUUID();
    while (!(await takeDuty(database, duty, { holder, leaseMs: ALONE_FOR_MS })))
      await sleep(ASK_FOR_DUTY_EVERY_MS, undefined, { signal });
    try {
      return await work();
    } finally {
      await giveUpDuty(database, duty, holder);
    }
  }

  return {
    plan: (place) =>
      look(place, async (done) => {
        const { hookId, actions, notOffered, refused } = await planScopeHooks(await withMemory(place));
        for (const action of actions) done(action);
        return { hookId, notOffered, refused };
      }),
    apply: (place) =>
      lookAndNote(place, (done) =>
        alone(place, async () => {
          const { hookId, notOffered, refused, seen } = await applyHooks({
            ...(await withMemory(place)),
            onDone: done,
          });
          await note(place, seen, refused.length === 0 ? null : `Procore does not take ${refused.join(', ')}`);
          return { hookId, notOffered, refused };
        }),
      ),
    planToLeave: (place) =>
      look(place, async (done) => {
        for (const { id } of await oursIn(hooks, scopeAt(place))) done(removalOf(id));
        return NOTHING;
      }),
    leave: (place) =>
      lookAndNote(place, async (done) => {
        const scope = scopeAt(place);
        for (const { id: hookId } of await oursIn(hooks, scope)) {
          const undelivered = await findUndelivered(hooks, { ...scope, hookId, now: new Date() });
          const count = undelivered?.count ?? 0;
          if (count > 0) return { waits: `hook ${hookId} goes when the events have been delivered that it still has` };
          await hooks.remove({ ...scope, hookId });
          done(removalOf(hookId));
        }
        await note(place, NO_HOOK, null);
        return NOTHING;
      }),
  };
}

type Work = (done: (action: HookAction) => void) => Promise<Partial<Omit<ScopeHooks, 'actions'>>>;

function removalOf(hookId: string): HookAction {
  return { do: 'remove', hookId, because: 'left' };
}

/** Our hooks in the scope; none where we may not look any more. */
async function oursIn(hooks: HooksApi, scope: Place & Pick<HookOptions, 'namespace' | 'signal'>): Promise<Hook[]> {
  try {
    return await hooks.list(scope);
  } catch (error) {
    if (error instanceof ProcoreResponseError && ['absent', 'refused'].includes(error.meaning)) return [];
    throw error;
  }
}

async function lookAt(place: Place, work: Work, patience: Patience): Promise<{ found: ScopeHooks; failure: unknown }> {
  const { companyId, projectId } = place;
  const actions: HookAction[] = [];
  let failure: unknown;
  const tried = await tryCalls(
    () =>
      work((action) => actions.push(action)).catch((error: unknown) => {
        failure = error;
        throw error;
      }),
    patience,
  );
  if ('done' in tried) return { found: { ...NOTHING, ...tried.done, companyId, projectId, actions }, failure: null };
  const isUnreached = failure instanceof ProcoreUnreachableError || failure instanceof ProcoreTokenError;
  const found = { ...NOTHING, companyId, projectId, actions, trouble: tried.refused, isUnreached };
  return { found, failure };
}

/** So many projects are asked what they offer before each is asked for itself. */
const MOST_TEMPLATES = 3;

/** What to tell a scope of offers: the first project of a company that answers speaks for the others. */
function createOffers(
  templates: (companyId: string) => readonly string[],
  inCompany: KnownOffers,
): (scope: HookOptions) => Promise<Pick<HookOptions, 'offers'>> {
  async function ask(scope: HookOptions): Promise<HookOptions['offers'] | null> {
    for (const projectId of templates(scope.companyId).slice(0, MOST_TEMPLATES)) {
      try {
        const list = await readOffers({ ...scope, projectId });
        if (list.length > 0) return { projectId, list }; // none at all is no example for others
      } catch (error) {
        if (!(error instanceof ProcoreResponseError)) throw error;
      }
    }
    return null;
  }

  return async (scope) => {
    const { companyId, projectId } = scope;
    if (projectId === null) return {};
    const known = inCompany.get(companyId);
    const offers = known === undefined ? await ask(scope) : known;
    inCompany.set(companyId, offers);
    return offers === null ? {} : { offers };
  };
}
