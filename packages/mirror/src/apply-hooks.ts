// Procore sends events only where a hook has triggers for them: one hook in the company, one in each project
// (docs/procore.md: Webhooks API). It is looked at with one call, and set right by as few as it takes; who is cut off plans anew.
import type { Catalogue } from '@procore-mirror/catalogue';
import type { HookOffer, HooksApi, WantedTrigger } from '@procore-mirror/procore';
import type { Selection } from './plan/news-of-event.ts';
import {
  changeOf,
  type HookAction,
  hookToKeep,
  needsTriggers,
  planHooks,
  type WantedHook,
  wantedTriggers,
} from './plan/plan-hooks.ts';

export type HookOptions = {
  hooks: HooksApi;
  catalogue: Catalogue;
  selection: Pick<Selection, 'resources'>;
  companyId: string;
  /** null: the company's own hook. */
  projectId: string | null;
  namespace: string;
  destinationUrl: string;
  /** Null: not known, so hooks are not compared with it; none can be made or set right. */
  authorization: string | null;
  /** Format of the bodies; the receiver reads all of them. v4.0 is the one Procore recommends. */
  payloadVersion: 'v2.0' | 'v3.0' | 'v4.0';
  /** What this or another project of the company offers. Without it, and where that does not fit, this scope is asked. */
  offers?: { projectId: string | null; list: readonly HookOffer[] } | undefined;
  signal: AbortSignal;
};

export type ScopePlan = {
  /** What to do, in this order; nothing where all is as it should be. */
  actions: readonly HookAction[];
  /** Resources that are to be mirrored, and of which nothing is offered here. */
  notOffered: readonly string[];
};

export type AppliedHooks = ScopePlan & {
  /** What Procore should have taken, and did not: triggers that it offers, and changes of a hook. */
  refused: readonly string[];
};

type Surveyed = { plan: ScopePlan; wanted: WantedHook; isOwnOffer: boolean };

/** What the hooks of our namespace in this scope lack. Writes nothing. */
export async function planScopeHooks(options: HookOptions): Promise<ScopePlan> {
  return (await survey(options)).plan;
}

/**
 * Makes the hooks of our namespace in this scope as they should be; repeating it changes nothing. `onDone` is told of each action
 * that was carried out, also of those before a call that failed.
 */
export async function applyHooks(
  options: HookOptions & { onDone?: (action: HookAction) => void },
): Promise<AppliedHooks> {
  const { onDone = () => {} } = options;
  const { plan, wanted, isOwnOffer } = await survey(options);
  const refused: WantedTrigger[] = [];
  const changes: string[] = [];
  for (const action of plan.actions) {
    const outcome = await carryOut(options, wanted, action);
    refused.push(...outcome.triggers);
    changes.push(...outcome.changes);
    onDone(without(action, outcome.triggers));
  }
  if (refused.length === 0 || isOwnOffer) {
    return { ...plan, refused: [...changes, ...refused.map(nameOf)] };
  }
  const own = wantedOf(options, await readOffers(options));
  const offered = new Set(own.triggers.offered.map(nameOf));
  const notTaken = refused.map(nameOf).filter((name) => offered.has(name));
  return { actions: plan.actions, notOffered: notOfferedIn(own), refused: [...changes, ...notTaken] };
}

async function survey(options: HookOptions): Promise<Surveyed> {
  const { hooks, namespace, companyId, projectId, signal } = options;
  const scope = { companyId, projectId, signal };
  const offers = options.offers ?? { projectId, list: await readOffers(options) };
  const isOwnOffer = offers.projectId === projectId;
  const wanted = wantedOf(options, offers.list);
  const ours = await hooks.list({ ...scope, namespace });
  const kept = hookToKeep(ours, wanted);
  const triggers =
    kept !== null && needsTriggers(kept, wanted) ? await hooks.listTriggers({ ...scope, hookId: kept.id }) : null;
  const planned = { actions: planHooks(ours, triggers, wanted), notOffered: notOfferedIn(wanted) };
  // Perhaps they were refused before, because this project offers less than the other one.
  if (isOwnOffer || !planned.actions.some((action) => action.do === 'add triggers')) {
    return { plan: planned, wanted, isOwnOffer };
  }
  const own = wantedOf(options, await readOffers(options));
  const plan = { actions: planHooks(ours, triggers, own), notOffered: notOfferedIn(own) };
  return { plan, wanted: own, isOwnOffer: true };
}

/** Names what Procore did not take, though it answered well. */
async function carryOut(
  { hooks, namespace, companyId, projectId, signal }: HookOptions,
  wanted: WantedHook,
  action: HookAction,
): Promise<{ triggers: readonly WantedTrigger[]; changes: readonly string[] }> {
  const scope = { companyId, projectId, signal };
  const all = { triggers: [], changes: [] };
  switch (action.do) {
    case 'create': {
      const { destinationUrl, payloadVersion, authorization } = wanted;
      // Without it nobody could tell Procore's deliveries from others.
      if (authorization === null) throw new RangeError('a hook needs an authorization');
      const hook = await hooks.create({ ...scope, namespace, destinationUrl, payloadVersion, authorization });
      const { refused } = await hooks.addTriggers({ ...scope, hookId: hook.id, triggers: action.triggers });
      return { ...all, triggers: refused };
    }
    case 'patch': {
      const hook = await hooks.patch({ ...scope, hookId: action.hookId, change: action.change });
      const changes = Object.keys(changeOf(hook, wanted) ?? {}).filter((name) => name in action.change);
      return { ...all, changes: changes.map((name) => `${name} of hook ${hook.id}`) };
    }
    case 'add triggers': {
      const { refused } = await hooks.addTriggers({ ...scope, hookId: action.hookId, triggers: action.triggers });
      return { ...all, triggers: refused };
    }
    case 'remove triggers': {
      const triggerIds = action.triggers.map(({ id }) => id);
      const { refused } = await hooks.removeTriggers({ ...scope, hookId: action.hookId, triggerIds });
      return { ...all, changes: refused.map((id) => `removal of trigger ${id}`) };
    }
    case 'remove':
      await hooks.remove({ ...scope, hookId: action.hookId });
      return all;
  }
}

function without(action: HookAction, refused: readonly WantedTrigger[]): HookAction {
  if (action.do !== 'create' && action.do !== 'add triggers') return action;
  return { ...action, triggers: action.triggers.filter((trigger) => !refused.includes(trigger)) };
}

/** What a hook can have triggers for in this scope. */
export function readOffers({ hooks, companyId, projectId, payloadVersion, signal }: HookOptions): Promise<HookOffer[]> {
  return hooks.offers({ companyId, projectId, payloadVersion, signal });
}

function wantedOf(options: HookOptions, offers: readonly HookOffer[]): WantedHook {
  const { catalogue, selection, projectId, destinationUrl, authorization, payloadVersion } = options;
  const of = { scope: projectId === null ? 'company' : 'project', resources: selection.resources } as const;
  return { destinationUrl, authorization, payloadVersion, triggers: wantedTriggers(catalogue, offers, of) };
}

/** Resources of which some events are offered have their news. */
function notOfferedIn({ triggers }: WantedHook): string[] {
  const offered = new Set(triggers.offered.map(({ resource }) => resource.toLowerCase()));
  const names = triggers.notOffered.map(({ resource }) => resource).filter((name) => !offered.has(name.toLowerCase()));
  return [...new Set(names)];
}

function nameOf({ resource, eventType }: WantedTrigger): string {
  return `${resource} ${eventType}`;
}
