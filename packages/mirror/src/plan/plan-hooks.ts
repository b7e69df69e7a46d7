// Desired against actual: what makes the hooks of a company or project as they should be. Pure.
//
//   ours ──none──▶ create
//     └──some──▶ keep one ─▶ patch it ─▶ add triggers ─▶ remove superfluous ones ─▶ remove the others
import { createHash } from 'node:crypto';
import type { Catalogue } from '@procore-mirror/catalogue';
import type { HookLapse, RememberedHook } from '@procore-mirror/database';
import {
  type Hook,
  type HookChange,
  type HookOffer,
  type HookTrigger,
  MOST_IN_BULK,
  triggerName,
  type WantedTrigger,
} from '@procore-mirror/procore';
import { LIST_TRIGGERS_EVERY_MS } from './hook-share.ts';
import { isSelected, type Selection } from './news-of-event.ts';

/** How the hook of a company or project should be. */
export type WantedHook = {
  destinationUrl: string;
  /** What a new hook gets, and one that carries none of those accepted. Null: nobody knows. */
  authorization: string | null;
  /** Values that a hook may carry. Null: whatever it carries, it is left as it is. */
  accepted: readonly string[] | null;
  /** We gave the hook that is kept another value, by all we know, even if this ends alike. */
  isOtherKnown?: boolean;
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
  /** A second hook of a scope, or the one of a scope that left the selection. */
  | { do: 'remove'; hookId: string; because: 'second' | 'left' };

/**
 * What was not there until these were done: events of that time were not sent, and no log tells of them. A hook that leads elsewhere, or
 * shows another secret, sends them, and its log has them.
 */
export function lapseOf(actions: readonly HookAction[]): HookLapse {
  const isAll = actions.some(
    (action) => action.do === 'create' || (action.do === 'patch' && action.change.status !== undefined),
  );
  if (isAll) return 'all';
  return [...new Set(actions.flatMap((one) => (one.do === 'add triggers' ? one.triggers.map(resourceOf) : [])))];
}

/** The resources, in lower case, of whose records a hook with these triggers tells all: that they are made, changed and gone. */
export function carriedBy(triggers: readonly WantedTrigger[]): string[] {
  const byResource = Map.groupBy(triggers, resourceOf);
  const tellsAll = (own: readonly WantedTrigger[]) =>
    ['create', 'update', 'delete'].every((kind) => own.some(({ eventType }) => eventType.toLowerCase() === kind));
  return [...byResource].flatMap(([resource, own]) => (tellsAll(own) ? resource : [])).toSorted();
}

const resourceOf = ({ resource }: WantedTrigger) => resource.toLowerCase();

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

/** How a message names a trigger. */
export function nameOfTrigger({ resource, eventType }: WantedTrigger): string {
  return `${resource} ${eventType}`;
}

/** Tells sets of triggers apart: the same for the same ones, in whatever order and spelling. */
export function keyOfTriggers(triggers: readonly WantedTrigger[]): string {
  const names = triggers.map(triggerName).toSorted().join('\n');
  return createHash('sha256').update(names).digest('hex').slice(0, 16);
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

const DAY_MS = 86_400_000;
/** What Procore refused although it offers it is tried again. */
const TRY_REFUSED_EVERY_MS = DAY_MS;

/** Are the triggers of the hook, by all we know, those that were as right as can be when they were last listed? */
function hasKnownTriggers(hook: Hook, known: RememberedHook | null, wanted: WantedHook): boolean {
  if (known === null || known.triggersAgeMs === null) return false;
  const isSame =
    known.hookId === hook.id &&
    hook.triggerCount !== null &&
    known.triggerCount === hook.triggerCount &&
    known.wantedKey === keyOfTriggers(wanted.triggers.offered);
  return isSame && known.triggersAgeMs < (known.refused.length > 0 ? TRY_REFUSED_EVERY_MS : LIST_TRIGGERS_EVERY_MS);
}

/** Whether the triggers of the hook must be listed to tell what it needs. `known`: undefined, nothing is remembered of any hook. */
export function needsTriggers(hook: Hook, known: RememberedHook | null | undefined, wanted: WantedHook): boolean {
  if (changeOf(hook, wanted) !== null) return true;
  if (known !== undefined) return !hasKnownTriggers(hook, known, wanted);
  return hook.triggerCount !== wanted.triggers.offered.length;
}

/** What the hook is to have instead of what it has; null: nothing. */
export function changeOf(hook: Hook, wanted: Omit<WantedHook, 'triggers'>): HookChange | null {
  const { authorization, accepted, destinationUrl, payloadVersion } = wanted;
  const change = {
    ...(hook.status !== 'active' && { status: 'active' as const }),
    ...(!isSameUrl(hook.destinationUrl, destinationUrl) && { destinationUrl }),
    ...(authorization !== null && accepted !== null && carriesOther(hook, accepted, wanted) && { authorization }),
    ...(hook.payloadVersion !== payloadVersion && { payloadVersion }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

function carriesOther(
  { authorizationTail: tail }: Hook,
  accepted: readonly string[],
  { isOtherKnown = false }: Pick<WantedHook, 'isOtherKnown'>,
): boolean {
  if (tail === null || isOtherKnown) return true;
  return tail !== undefined && !accepted.some((value) => value.endsWith(tail));
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
  // Events of one with another payload version come twice, too.
  const seconds = hooks.filter((hook) => hook !== kept);
  return [
    ...(change === null ? [] : [{ do: 'patch' as const, hookId: kept.id, change }]),
    ...(triggers === null ? [] : planTriggers(kept.id, triggers, wanted.triggers)),
    ...seconds.map(({ id }) => ({ do: 'remove' as const, hookId: id, because: 'second' as const })),
  ];
}

/** How many calls the actions take, as long as nothing is refused. */
export function callsOf(actions: readonly HookAction[]): number {
  const inBulk = (triggers: readonly unknown[]) => Math.ceil(triggers.length / MOST_IN_BULK);
  return actions.reduce((sum, action) => {
    if (action.do === 'create') return sum + 1 + inBulk(action.triggers);
    if (action.do === 'patch') return sum + 2; // and a look at what came of it
    if (action.do === 'remove') return sum + 3; // and two at what it has yet to deliver
    return sum + inBulk(action.triggers);
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
