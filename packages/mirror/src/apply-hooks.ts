// Procore sends events only where a hook has triggers for them: one hook in the company, one in each project
// (docs/procore.md: Webhooks API). It is looked at with one call, and set right by as few as it takes; who is cut off plans anew.
import type { Catalogue } from '@procore-mirror/catalogue';
import type { RememberedHook, SeenHook } from '@procore-mirror/database';
import {
  type Hook,
  type HookOffer,
  type HooksApi,
  type HookTrigger,
  ProcoreFormatError,
  triggerName,
  type WantedTrigger,
} from '@procore-mirror/procore';
import { whyToKeep } from './ask/undelivered.ts';
import { InDoubtError } from './errors.ts';
import type { Selection } from './plan/news-of-event.ts';
import {
  carriedBy,
  changeOf,
  type HookAction,
  hookToKeep,
  keyOfTriggers,
  nameOfTrigger,
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
  /** Values that a hook may carry as well; none when left out. Null: whatever it carries, it is left as it is. */
  accepted?: readonly string[] | null | undefined;
  /** The fingerprints of these values, by which it is remembered what a hook was given. */
  keys?: ReadonlyMap<string, string> | undefined;
  /** What is remembered of the hook here; null: nothing. Left out where nothing is remembered of any hook. */
  known?: RememberedHook | null | undefined;
  /** Format of the bodies; the receiver reads all of them. v4.0 is the one Procore recommends. */
  payloadVersion: 'v2.0' | 'v3.0' | 'v4.0';
  /** What this or another project of the company offers. Without it, and where that does not fit, this scope is asked. */
  offers?: Offers | undefined;
  signal: AbortSignal;
};

type Offers = { projectId: string | null; list: readonly HookOffer[] };

export type ScopePlan = {
  /** The hook that is kept; null: there is none. */
  hookId: string | null;
  /** All of ours there, before anything is done, with what Procore shows of their secrets. */
  ours: readonly Pick<Hook, 'id' | 'authorizationTail'>[];
  /** What to do, in this order; nothing where all is as it should be. */
  actions: readonly HookAction[];
  /** Resources that are to be mirrored, and of which nothing is offered here. */
  notOffered: readonly string[];
  /** What Procore should have taken, and did not: triggers that it offers, and changes of a hook. */
  refused: readonly string[];
  /** Why it is not known what is offered here, so that triggers were left as they are; null: it is. */
  doubt: string | null;
};

export type AppliedHooks = ScopePlan & {
  /** What is left for later, and why. */
  waits: string | null;
  /** The hook as it is now, to be remembered. */
  seen: SeenHook;
};

type Surveyed = {
  plan: ScopePlan;
  wanted: WantedHook;
  /** Tells what was wanted as far as the offers told that were given; as before where they told nothing. */
  wantedKey: string | null;
  isOwnOffer: boolean;
  kept: Hook | null;
  /** Those of the hook that is kept; null: as they were. */
  triggers: readonly HookTrigger[] | null;
};

/** What became of an action: what Procore did not take, though it answered well, the hook as it is then, and why nothing was done yet. */
type Outcome = { triggers: readonly WantedTrigger[]; changes: readonly string[]; hook?: Hook; waits?: string };

/** What the hooks of our namespace in this scope lack. Writes nothing. */
export async function planScopeHooks(options: HookOptions): Promise<ScopePlan> {
  return (await survey(options)).plan;
}

/**
 * Makes the hooks of our namespace in this scope as they should be; repeating it changes nothing. `onDone` is told of each action
 * that was carried out, also of those before a call that failed; `onBegin` of what is to be done, before the first call that does it.
 */
export async function applyHooks(
  options: HookOptions & {
    onDone?: (action: HookAction) => void;
    onBegin?: (actions: readonly HookAction[]) => Promise<void>;
  },
): Promise<AppliedHooks> {
  const { onDone = () => {}, onBegin = async () => {} } = options;
  const surveyed = await survey(options);
  const { plan, wanted, isOwnOffer } = surveyed;
  const outcomes: Outcome[] = [];
  await onBegin(plan.actions);
  for (const action of plan.actions) {
    const outcome = await carryOut(options, wanted, action);
    outcomes.push(outcome);
    if (outcome.waits === undefined) onDone(without(action, outcome.triggers));
  }
  const refused = outcomes.flatMap(({ triggers }) => triggers);
  const own = refused.length === 0 || isOwnOffer ? null : await ownWanted(options);
  const offered = own === null ? null : new Set(own.triggers.offered.map(triggerName));
  const changes = outcomes.flatMap((outcome) => outcome.changes);
  const notTaken = [
    ...plan.refused.filter((name) => !isChange(name)),
    ...changes.filter(isChange),
    ...refused.filter((trigger) => offered?.has(triggerName(trigger)) ?? true).map(nameOfTrigger),
  ];
  const notOffered = own === null ? plan.notOffered : notOfferedIn(own);
  const seen = { ...seenAfter(options, surveyed, outcomes), notOffered, refused: notTaken };
  return {
    hookId: seen.hookId,
    ours: plan.ours,
    actions: plan.actions,
    notOffered,
    refused: [...changes.filter((name) => !isChange(name)), ...notTaken],
    doubt: plan.doubt,
    waits: outcomes.find(({ waits }) => waits !== undefined)?.waits ?? null,
    seen,
  };
}

/** The hook as it is after these actions. */
function seenAfter(
  { known, authorization, keys }: HookOptions,
  { plan, wantedKey, kept, triggers }: Surveyed,
  outcomes: readonly Outcome[],
): Omit<SeenHook, 'notOffered' | 'refused'> {
  const hook = outcomes.findLast((outcome) => outcome.hook !== undefined)?.hook ?? kept;
  const refused = outcomes.reduce((sum, outcome) => sum + outcome.triggers.length, 0);
  const change = (kind: 'create' | 'add triggers' | 'remove triggers') =>
    plan.actions.reduce((sum, action) => sum + (action.do === kind ? action.triggers.length : 0), 0);
  const before = kept?.triggerCount ?? triggers?.length ?? null;
  const changed = change('create') + change('add triggers') - refused - change('remove triggers');
  const isNew = plan.actions.some((action) => action.do === 'create');
  const isGiven = isNew || wasSecretSet(plan, outcomes);
  const ofBefore = known != null && known.hookId === hook?.id ? known.secretKey : null;
  return {
    hookId: hook?.id ?? null,
    status: hook?.status ?? null,
    destinationUrl: hook?.destinationUrl ?? null,
    triggerCount: before === null && !isNew ? null : (before ?? 0) + changed,
    wantedKey,
    secretKey: isGiven ? (keys?.get(authorization ?? '') ?? null) : ofBefore,
    hasListedTriggers: isNew || triggers !== null,
    carries: carriedAfter(plan, triggers, outcomes),
  };
}

/** What its triggers tell all of after these actions; null: they were not listed. */
function carriedAfter(
  { actions }: ScopePlan,
  before: readonly HookTrigger[] | null,
  outcomes: readonly Outcome[],
): string[] | null {
  if (before === null && !actions.some((action) => action.do === 'create')) return null;
  const refused = new Set(outcomes.flatMap(({ triggers }) => triggers).map(triggerName));
  const removed = new Set(
    actions.flatMap((one) => (one.do === 'remove triggers' ? one.triggers.map(({ id }) => id) : [])),
  );
  const added = actions.flatMap((one) => (one.do === 'create' || one.do === 'add triggers' ? one.triggers : []));
  return carriedBy([
    ...(before ?? []).filter(({ id }) => !removed.has(id)),
    ...added.filter((trigger) => !refused.has(triggerName(trigger))),
  ]);
}

function wasSecretSet({ actions }: ScopePlan, outcomes: readonly Outcome[]): boolean {
  const isAsked = actions.some((action) => action.do === 'patch' && action.change.authorization !== undefined);
  return isAsked && !outcomes.some(({ changes }) => changes.some((name) => name.startsWith('authorization ')));
}

async function survey(options: HookOptions): Promise<Surveyed> {
  const { hooks, namespace, companyId, projectId, known, signal } = options;
  const scope = { companyId, projectId, signal };
  const asked = options.offers ?? (await unlessInDoubt(() => readOffers(options)));
  const isOwnOffer = 'doubt' in asked || !('projectId' in asked) || asked.projectId === projectId;
  const ours = await hooks.list({ ...scope, namespace });
  if ('doubt' in asked) return surveyWithoutOffers(options, ours, asked.doubt);
  const general = wantedOf(options, asked.list);
  const kept = hookToKeep(ours, general);
  const isOtherKnown = kept !== null && wasGivenAnother(options, kept);
  const wantedKey = keyOfTriggers(general.triggers.offered);
  const needs = kept !== null && needsTriggers(kept, known, { ...general, isOtherKnown });
  const triggers = needs ? await hooks.listTriggers({ ...scope, hookId: kept.id }) : null;
  // What was not offered or was refused before is so still, as long as the triggers need not be looked at.
  const remembered = known != null && kept !== null && triggers === null ? known : null;
  const plan = (wanted: WantedHook): ScopePlan => ({
    hookId: kept?.id ?? null,
    ours,
    actions: planHooks(ours, triggers, { ...wanted, isOtherKnown }),
    notOffered: remembered?.notOffered ?? notOfferedIn(wanted),
    refused: refusedBefore(known, kept, { ...wanted, isOtherKnown }, remembered !== null),
    doubt: null,
  });
  const found = { wanted: general, plan: plan(general), wantedKey, isOwnOffer, kept, triggers };
  // Perhaps they were refused before, because this project offers less than the other one.
  if (isOwnOffer || !found.plan.actions.some((action) => action.do === 'add triggers')) return found;
  const own = await ownWanted(options);
  return own === null ? found : { ...found, wanted: own, plan: plan(own), isOwnOffer: true };
}

/** A hook that is there keeps its triggers and is set right otherwise; where there is none, none is made. Throws the doubt then. */
function surveyWithoutOffers(options: HookOptions, ours: readonly Hook[], doubt: ProcoreFormatError): Surveyed {
  const { known } = options;
  const wanted = wantedOf(options, []);
  const kept = hookToKeep(ours, wanted);
  if (kept === null) throw doubt;
  const isOtherKnown = wasGivenAnother(options, kept);
  const plan = {
    hookId: kept.id,
    ours,
    actions: planHooks(ours, null, { ...wanted, isOtherKnown }),
    notOffered: known?.notOffered ?? [],
    refused: refusedBefore(known, kept, { ...wanted, isOtherKnown }, true),
    doubt: doubt.message,
  };
  return { plan, wanted, wantedKey: known?.wantedKey ?? null, isOwnOffer: true, kept, triggers: null };
}

function nameOfChange(name: string, { id }: Hook): string {
  return `${name} of hook ${id}`;
}

function isChange(refused: string): boolean {
  return / of hook \S+$/.test(refused);
}

/** What Procore did not take when it was last asked: changes that are still to be made, and triggers where those were not listed anew. */
function refusedBefore(
  known: RememberedHook | null | undefined,
  kept: Hook | null,
  wanted: WantedHook,
  withTriggers: boolean,
): string[] {
  const names = kept === null ? [] : Object.keys(changeOf(kept, wanted) ?? {}).map((name) => nameOfChange(name, kept));
  return (known?.refused ?? []).filter((name) => (isChange(name) ? names.includes(name) : withTriggers));
}

/** Is the last value that we gave this hook, as it is remembered, none of those that it may carry? */
function wasGivenAnother({ authorization, accepted = [], keys, known }: HookOptions, hook: Hook): boolean {
  if (keys === undefined || known?.secretKey == null || known.hookId !== hook.id) return false;
  if (authorization === null || accepted === null) return false;
  return ![authorization, ...accepted].some((value) => keys.get(value) === known.secretKey);
}

async function carryOut(
  { hooks, namespace, companyId, projectId, signal }: HookOptions,
  wanted: WantedHook,
  action: HookAction,
): Promise<Outcome> {
  const scope = { companyId, projectId, signal };
  const all = { triggers: [], changes: [] };
  switch (action.do) {
    case 'create': {
      const { destinationUrl, payloadVersion, authorization } = wanted;
      // Without it nobody could tell Procore's deliveries from others.
      if (authorization === null) throw new RangeError('a hook needs an authorization');
      const hook = await hooks.create({ ...scope, namespace, destinationUrl, payloadVersion, authorization });
      const { refused } = await hooks.addTriggers({ ...scope, hookId: hook.id, triggers: action.triggers });
      return { ...all, triggers: refused, hook };
    }
    case 'patch': {
      const answered = await hooks.patch({ ...scope, hookId: action.hookId, change: action.change });
      // Whether a PATCH is carried out is not published (docs/procore.md: Webhooks API), so the hook is looked at afterwards.
      const hook = (await hooks.list({ ...scope, namespace })).find(({ id }) => id === action.hookId) ?? answered;
      const changes = Object.keys(changeOf(hook, wanted) ?? {}).filter((name) => name in action.change);
      return { ...all, changes: changes.map((name) => nameOfChange(name, hook)), hook };
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
    case 'remove': {
      const waits = await whyToKeep(hooks, { companyId, projectId, signal, hookId: action.hookId, now: new Date() });
      if (waits !== null) return { ...all, waits };
      await hooks.remove({ ...scope, hookId: action.hookId });
      return all;
    }
  }
}

function without(action: HookAction, refused: readonly WantedTrigger[]): HookAction {
  if (action.do !== 'create' && action.do !== 'add triggers') return action;
  return { ...action, triggers: action.triggers.filter((trigger) => !refused.includes(trigger)) };
}

/** What a hook can have triggers for in this scope. Throws an InDoubtError where nothing is: no scope is known to be without events. */
export async function readOffers({
  hooks,
  companyId,
  projectId,
  payloadVersion,
  signal,
}: HookOptions): Promise<HookOffer[]> {
  const list = await hooks.offers({ companyId, projectId, payloadVersion, signal });
  if (list.some(({ eventTypes }) => eventTypes.length > 0)) return list;
  const place = projectId === null ? `company ${companyId}` : `project ${projectId}`;
  const issues = ['no resource has events'];
  throw new InDoubtError(`what Procore offers in ${place} is in doubt, so it is asked again`, { issues });
}

/** How the hook should be by what the scope itself offers; null where that is in doubt. */
async function ownWanted(options: HookOptions): Promise<WantedHook | null> {
  const asked = await unlessInDoubt(() => readOffers(options));
  return 'doubt' in asked ? null : wantedOf(options, asked.list);
}

/** Malformed is not empty, and empty is not believed. */
async function unlessInDoubt(
  ask: () => Promise<HookOffer[]>,
): Promise<{ list: readonly HookOffer[] } | { doubt: ProcoreFormatError }> {
  try {
    return { list: await ask() };
  } catch (error) {
    if (error instanceof ProcoreFormatError) return { doubt: error };
    throw error;
  }
}

function wantedOf(options: HookOptions, offers: readonly HookOffer[]): WantedHook {
  const { catalogue, selection, projectId, destinationUrl, authorization, payloadVersion } = options;
  const also = options.accepted === undefined ? [] : options.accepted;
  const accepted = authorization === null || also === null ? null : [authorization, ...also];
  const of = { scope: projectId === null ? 'company' : 'project', resources: selection.resources } as const;
  return { destinationUrl, authorization, accepted, payloadVersion, triggers: wantedTriggers(catalogue, offers, of) };
}

/** Resources of which some events are offered have their news. */
function notOfferedIn({ triggers }: WantedHook): string[] {
  const offered = new Set(triggers.offered.map(({ resource }) => resource.toLowerCase()));
  const names = triggers.notOffered.map(({ resource }) => resource).filter((name) => !offered.has(name.toLowerCase()));
  return [...new Set(names)];
}
