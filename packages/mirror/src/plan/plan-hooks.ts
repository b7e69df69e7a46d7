// Desired against actual: what makes the hooks of a company or project as they should be. Pure.
//
//   ours ──none──▶ create
//     └──some──▶ keep one ─▶ patch it ─▶ add triggers ─▶ remove superfluous ones ─▶ remove the others of its payload version
import type { Catalogue } from '@procore-mirror/catalogue';
import {
  type Hook,
  type HookChange,
  type HookOffer,
  type HookTrigger,
  MOST_IN_BULK,
  triggerName,
  type WantedTrigger,
} from '@procore-mirror/procore';
import { isSelected, type Selection } from './news-of-event.ts';

/** How the hook of a company or project should be. */
export type WantedHook = {
  destinationUrl: string;
  /** Null: nobody knows, so it is left as it is. */
  authorization: string | null;
  payloadVersion: string;
  triggers: WantedTriggers;
};

export type WantedTriggers = {
  /** Of what is mirrored, what is offered there. */
  offered: readonly WantedTrigger[];
  /** Of what is mirrored, what is not: it is not asked for, and stays where it is. */
  notOffered: readonly WantedTrigger[];
};

export type HookAction =
  | { do: 'create'; triggers: readonly WantedTrigger[] }
  | { do: 'patch'; hookId: string; change: HookChange }
  | { do: 'add triggers'; hookId: string; triggers: readonly WantedTrigger[] }
  | { do: 'remove triggers'; hookId: string; triggers: readonly HookTrigger[] }
  | { do: 'remove'; hookId: string };

/** What is to be mirrored in a company or project has these events, offered there or not. */
export function wantedTriggers(
  catalogue: Catalogue,
  offers: readonly HookOffer[],
  { scope, resources }: Pick<Selection, 'resources'> & { scope: 'company' | 'project' },
): WantedTriggers {
  // Procore's spelling is sent back to it.
  const spelled = new Map(
    offers.flatMap(({ resource, eventTypes }) =>
      eventTypes.map((eventType) => [triggerName({ resource, eventType }), { resource, eventType }] as const),
    ),
  );
  const mirrored = catalogue.mirrored
    .filter((entry) => entry.scope === scope && isSelected(entry, { resources }))
    .flatMap(({ resource, events }) => events.map((eventType) => ({ resource, eventType })));
  return {
    offered: mirrored.flatMap((trigger) => spelled.get(triggerName(trigger)) ?? []),
    notOffered: mirrored.filter((trigger) => !spelled.has(triggerName(trigger))),
  };
}

/** Which of our hooks is kept; null: there is none. Those of the wanted version go first, then active ones with most triggers. */
export function hookToKeep(
  hooks: readonly Hook[],
  { payloadVersion }: Pick<WantedHook, 'payloadVersion'>,
): Hook | null {
  const rank = (hook: Hook) => [
    hook.payloadVersion === payloadVersion ? 1 : 0,
    hook.status === 'active' ? 1 : 0,
    hook.status === 'active' ? (hook.triggerCount ?? 0) : 0,
  ];
  const better = (one: Hook, other: Hook) => {
    const ranks = rank(other).map((value, at) => value - (rank(one)[at] ?? 0));
    return ranks.find((difference) => difference !== 0) ?? byAge(one.id, other.id);
  };
  return hooks.toSorted(better)[0] ?? null;
}

/** Whether the triggers of the hook must be known to tell what it needs. */
export function needsTriggers(hook: Hook, wanted: WantedHook): boolean {
  return hook.triggerCount !== wanted.triggers.offered.length || changeOf(hook, wanted) !== null;
}

/** What the hook is to have instead of what it has; null: nothing. */
export function changeOf(hook: Hook, wanted: Omit<WantedHook, 'triggers'>): HookChange | null {
  const { authorization, destinationUrl, payloadVersion } = wanted;
  const tail = hook.authorizationTail;
  const isOther = tail === null || (tail !== undefined && authorization?.endsWith(tail) === false);
  const change = {
    ...(hook.status !== 'active' && { status: 'active' as const }),
    ...(!isSameUrl(hook.destinationUrl, destinationUrl) && { destinationUrl }),
    ...(authorization !== null && isOther && { authorization }),
    ...(hook.payloadVersion !== payloadVersion && { payloadVersion }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

/** What to do in a scope, in this order, given our hooks there. `triggers`: those of the hook to keep; null: as many as wanted. */
export function planHooks(
  hooks: readonly Hook[],
  triggers: readonly HookTrigger[] | null,
  wanted: WantedHook,
): HookAction[] {
  const kept = hookToKeep(hooks, wanted);
  if (kept === null) {
    const { offered } = wanted.triggers;
    return offered.length === 0 ? [] : [{ do: 'create', triggers: offered }];
  }
  const change = changeOf(kept, wanted);
  const seconds = hooks.filter((hook) => hook !== kept && hook.payloadVersion === kept.payloadVersion);
  return [
    ...(change === null ? [] : [{ do: 'patch' as const, hookId: kept.id, change }]),
    ...(triggers === null ? [] : planTriggers(kept.id, triggers, wanted.triggers)),
    ...seconds.map(({ id }) => ({ do: 'remove' as const, hookId: id })),
  ];
}

/** How many calls the actions take, as long as nothing is refused. */
export function callsOf(actions: readonly HookAction[]): number {
  const inBulk = (triggers: readonly unknown[]) => Math.ceil(triggers.length / MOST_IN_BULK);
  return actions.reduce((sum, action) => {
    if (action.do === 'create') return sum + 1 + inBulk(action.triggers);
    return sum + ('triggers' in action ? inBulk(action.triggers) : 1);
  }, 0);
}

function planTriggers(hookId: string, actual: readonly HookTrigger[], wanted: WantedTriggers): HookAction[] {
  const present = new Map<string, HookTrigger>();
  for (const trigger of actual) {
    const name = triggerName(trigger);
    if (!present.has(name)) present.set(name, trigger);
  }
  // What is there is offered, whatever a list of another project says.
  const useful = new Set([...wanted.offered, ...wanted.notOffered].map(triggerName));
  const missing = wanted.offered.filter((trigger) => !present.has(triggerName(trigger)));
  const superfluous = actual.filter((trigger) => {
    const name = triggerName(trigger);
    return !useful.has(name) || present.get(name) !== trigger;
  });
  return [
    ...(missing.length === 0 ? [] : [{ do: 'add triggers' as const, hookId, triggers: missing }]),
    ...(superfluous.length === 0 ? [] : [{ do: 'remove triggers' as const, hookId, triggers: superfluous }]),
  ];
}

function isSameUrl(one: string, other: string): boolean {
  return one === other || (URL.canParse(one) && URL.canParse(other) && new URL(one).href === new URL(other).href);
}

/** Ids grow: a shorter one is older. */
function byAge(one: string, other: string): number {
  return one.length - other.length || (one < other ? -1 : 1);
}
