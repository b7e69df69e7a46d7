// One scope after the other: its hook is looked at or set right, and what was seen is remembered in `mirror.hooks`, where there is a database
// to remember it in.
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type Database,
  noteHook,
  noteHookLapse,
  noteHookTrouble,
  readHook,
  readLeftAge,
  type SeenHook,
} from '@procore-mirror/database';
import {
  createHooksApi,
  type ProcoreClient,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { aloneAtHook } from './alone-at-hook.ts';
import { applyHooks, type HookOptions, planScopeHooks, readOffers, type ScopePlan } from './apply-hooks.ts';
import { type Patience, tryCalls } from './ask/try-calls.ts';
import { ScopeParkedError } from './errors.ts';
import { findLeftHooks, removeLeftHooks } from './leave-scope.ts';
import { type HookAction, lapseOf } from './plan/plan-hooks.ts';
import { type Clock, realTime } from './run/clock.ts';
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
    keepsSecret?: (key: string) => Promise<boolean>;
    /** For whoever has a time of their own. */
    clock?: Clock | undefined;
  };

export type ScopeHooks = {
  companyId: string;
  projectId: string | null;
  /** The hook there; null: there is none, or it is not known. */
  hookId: string | null;
  /** All of ours that a plan found there, with what Procore shows of their secrets. */
  ours: ScopePlan['ours'];
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
  /** It was not asked, because it is parked. */
  isLeftAlone: boolean;
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
const NOTHING = {
  ...{ hookId: null, ours: [], notOffered: [], refused: [], trouble: null, waits: null },
  ...{ isUnreached: false, isLeftAlone: false },
};
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
  carries: null,
};

/** What is offered in each company, and when it is to be asked again (by `Clock.now`); null: none of its projects tells. */
export type KnownOffers = Map<string, { offers: HookOptions['offers'] | null; askAgainAt: number }>;

/**
 * `templates`: the projects of a company, of which one that answers says what the others offer. `offers`: what was asked before, to be
 * kept for further looks.
 */
export function createHookLooks(
  options: LookOptions & { templates: (companyId: string) => readonly string[]; offers?: KnownOffers },
): HookLooks {
  const { client, resources, signal, database, pausesMs, templates, offers = new Map(), ...rest } = options;
  const { keepsSecret = async () => false, clock = realTime, ...how } = rest;
  const hooks = createHooksApi(client);
  const offersOf = createOffers(templates, offers, clock);
  const knownAt = (place: Place) => database && readHook(database.pool, { ...place, payloadVersion: PAYLOAD_VERSION });
  const scopeAt = ({ companyId, projectId }: Place): HookOptions => ({
    ...{ ...how, hooks, companyId, projectId, signal, payloadVersion: PAYLOAD_VERSION, selection: { resources } },
  });
  const withMemory = async (place: Place): Promise<HookOptions> => {
    const known = await knownAt(place);
    const key = known?.secretKey ?? null;
    const isKept = key !== null && ![...(how.keys?.values() ?? [])].includes(key) && (await keepsSecret(key));
    const scope = { ...scopeAt(place), known, ...(isKept && { accepted: null }) };
    return { ...scope, ...(await offersOf(scope)) };
  };
  const leftAt = async (place: Place) => ({ ...scopeAt(place), knownId: (await knownAt(place))?.hookId ?? null });
  const look = async (place: Place, work: Work) => (await lookAt(place, work, { signal, pausesMs })).found;
  const note = (place: Place, news: Parameters<typeof noteHook>[2]) =>
    database && noteHook(database, { ...place, payloadVersion: PAYLOAD_VERSION }, news);

  /** The same, and what could not be done is noted, where it was tried. */
  async function lookAndNote(place: Place, work: Work): Promise<ScopeHooks> {
    const { found, failure } = await lookAt(place, work, { signal, pausesMs });
    const finding = found.trouble ?? found.waits;
    // Of a parked scope and of a worker that cannot sign in others tell.
    const isOfHook = !(failure instanceof ScopeParkedError || failure instanceof ProcoreTokenError);
    if (database && finding !== null && isOfHook)
      await noteHookTrouble(database, { ...found, payloadVersion: PAYLOAD_VERSION }, finding);
    return found;
  }

  /** One process at a time, or each makes a hook where there is none. */
  const alone = <T>(place: Place, work: () => Promise<T>) =>
    database === undefined ? work() : aloneAtHook(database, place, signal, work, clock);

  return {
    plan: (place) =>
      look(place, async (done) => {
        const { hookId, ours, actions, notOffered, refused, doubt } = await planScopeHooks(await withMemory(place));
        for (const action of actions) done(action);
        return { hookId, ours, notOffered, refused, trouble: doubt };
      }),
    apply: (place) =>
      lookAndNote(place, (done) =>
        alone(place, async () => {
          const scope = await withMemory(place);
          const began = performance.now();
          const { hookId, actions, notOffered, refused, seen, doubt, waits } = await applyHooks({
            ...scope,
            onDone: done,
            // Who is cut off after it set something right leaves a hook that looks as if it had been so all the time.
            onBegin: async (planned) => {
              const isMissing = planned.some((action) => action.do === 'create');
              const at = { ...place, payloadVersion: PAYLOAD_VERSION };
              if (database) await noteHookLapse(database, at, { lapsed: lapseOf(planned), isMissing });
            },
          });
          const finding = refused.length === 0 ? null : `Procore does not take ${refused.join(', ')}`;
          await note(place, { seen, finding, lapsed: lapseOf(actions), agoMs: performance.now() - began });
          return { hookId, notOffered, refused, trouble: doubt, waits: waits ?? whyKept(scope) };
        }),
      ),
    planToLeave: (place) =>
      look(place, async (done) => {
        const ours = await findLeftHooks(hooks, await leftAt(place));
        if ('trouble' in ours) return ours;
        for (const { id } of ours) done(removalOf(id));
        return { ours };
      }),
    leave: (place) =>
      lookAndNote(place, async (done) => {
        const left = await leftAt(place);
        const leftMs = (database && (await readLeftAge(database.pool, place))) ?? 0;
        const onRemoved = (hookId: string) => done(removalOf(hookId));
        const stays = await removeLeftHooks(hooks, { ...left, leftMs, onRemoved });
        if (stays === null) await note(place, { seen: NO_HOOK, finding: null, lapsed: 'all', agoMs: 0 });
        return stays ?? NOTHING;
      }),
  };
}

function whyKept({ accepted, known }: HookOptions): string | null {
  if (accepted !== null) return null;
  return `hook ${known?.hookId} was given a value that this process does not know, and keeps it as long as no receiver is known to refuse it`;
}

type Work = (done: (action: HookAction) => void) => Promise<Partial<Omit<ScopeHooks, 'actions'>>>;

function removalOf(hookId: string): HookAction {
  return { do: 'remove', hookId, because: 'left' };
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
  const isLeftAlone = failure instanceof ScopeParkedError;
  const found = { ...NOTHING, companyId, projectId, actions, trouble: tried.refused, isUnreached, isLeftAlone };
  return { found, failure };
}

/** So many projects are asked what they offer before each is asked for itself. */
const MOST_TEMPLATES = 3;
/** What a project offers may change. */
const OFFERS_LAST_MS = 86_400_000;
const ASK_AGAIN_AFTER_MS = 600_000;

/** What to tell a scope of offers: the first project of a company that answers speaks for the others. */
function createOffers(
  templates: (companyId: string) => readonly string[],
  inCompany: KnownOffers,
  clock: Clock,
): (scope: HookOptions) => Promise<Pick<HookOptions, 'offers'>> {
  async function ask(scope: HookOptions): Promise<HookOptions['offers'] | null> {
    for (const projectId of templates(scope.companyId).slice(0, MOST_TEMPLATES)) {
      const tried = await tryCalls(() => readOffers({ ...scope, projectId }), { signal: scope.signal, pausesMs: [] });
      if ('done' in tried) return { projectId, list: tried.done };
    }
    return null;
  }

  return async (scope) => {
    const { companyId, projectId } = scope;
    if (projectId === null) return {};
    const known = inCompany.get(companyId);
    if (known !== undefined && clock.now() < known.askAgainAt) return known.offers ? { offers: known.offers } : {};
    const offers = await ask(scope);
    const lastMs = offers === null ? ASK_AGAIN_AFTER_MS : OFFERS_LAST_MS;
    inCompany.set(companyId, { offers, askAgainAt: clock.now() + lastMs });
    return offers ? { offers } : {};
  };
}
