// All that a simulator goes on with after a restart. Access tokens, counted calls, faults, settings and edits that are spread
// over a time end with the process.
import type { Login } from '../api/login.ts';
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Random } from '../random.ts';
import type { Deliveries, Delivery } from '../webhooks/deliveries.ts';
import type { Events, LoggedEvent } from '../webhooks/events.ts';
import type { Hook, Hooks } from '../webhooks/hooks.ts';
import type { World } from '../world/world.ts';
import { keepRecords, restoreRecords } from './keep-records.ts';
import type { KeptEvent, State } from './state-file.ts';

export type Parts = {
  world: World;
  hooks: Hooks;
  events: Events;
  deliveries: Deliveries;
  login: Login;
  clock: Clock;
  ids: Ids;
  chances: readonly Random[];
};

/** The state at this moment; what happens later does not change it. */
export function keepAll(parts: Parts): State {
  const { world, events } = parts;
  return { ...headOf(parts), records: keepRecords(world), events: events.log().map(keepEvent) };
}

/** Goes on from there; clock, ids and chances are made from it before. Throws when something in it does not fit. */
export function restoreAll({ world, hooks, events, deliveries, login }: Parts, kept: State): void {
  for (const { id, name, toolsOff } of kept.companies)
    world.companies.set(id, { id, name, toolsOff: new Set(toolsOff) });
  for (const { projectId, permitted, toolsOff } of kept.accesses)
    Object.assign(world.access(projectId), { permitted, toolsOff: new Set(toolsOff) });
  for (const { companies, ...client } of kept.clients)
    login.clients.set(client.id, { ...client, companies: new Set(companies) });
  restoreRecords(world, kept.records);
  const known = new Map<string, Hook>();
  for (const { isGone, ...hook } of kept.hooks) {
    known.set(hook.id, hook);
    if (!isGone) hooks.add(hook);
  }
  const log = kept.events.map((event) => restoreEvent(event, known));
  events.goOn(log, kept.eventsEmitted);
  const sent = new Map(log.flatMap((logged) => logged.deliveries).map((delivery) => [delivery.id, delivery]));
  deliveries.goOn(kept.backlogs, (id) => sent.get(id));
}

function headOf({
  world,
  hooks,
  events,
  deliveries,
  login,
  clock,
  ids,
  chances,
}: Parts): Omit<State, 'records' | 'events'> {
  const present = new Set(hooks.all());
  const logged = events.log().flatMap((event) => event.deliveries.map(({ hook }) => hook));
  return {
    clock: { aheadMs: clock.now() - Date.now(), speed: clock.speed() },
    lastIds: ids.last(),
    chances: chances.map((chance) => chance.state()),
    companies: [...world.companies.values()].map((company) => ({ ...company, toolsOff: [...company.toolsOff] })),
    accesses: [...world.accesses()].map(([projectId, { permitted, toolsOff }]) => ({
      ...{ projectId, permitted, toolsOff: [...toolsOff] },
    })),
    clients: [...login.clients.values()].map((client) => ({ ...client, companies: [...client.companies] })),
    hooks: [...present.union(new Set(logged))].map((hook) => ({
      ...hook,
      triggers: [...hook.triggers],
      destinationHeaders: { ...hook.destinationHeaders },
      isGone: !present.has(hook),
    })),
    backlogs: deliveries.backlogs(),
    eventsEmitted: events.count(),
  };
}

function keepEvent({ event, lost, deliveries }: LoggedEvent): KeptEvent {
  return {
    event: { ...event, related: [...event.related] },
    lost,
    deliveries: deliveries.map(({ id, hook, payloadVersion, status, attempts }) => ({
      ...{ id, hookId: hook.id, payloadVersion, status, attempts: [...attempts] },
    })),
  };
}

function restoreEvent({ event, lost, deliveries }: KeptEvent, hooks: ReadonlyMap<string, Hook>): LoggedEvent {
  const restore = ({ hookId, ...delivery }: KeptEvent['deliveries'][number]): Delivery => {
    const hook = hooks.get(hookId);
    if (hook === undefined) throw new Error(`it has no hook ${hookId}`);
    return { ...delivery, hook, event };
  };
  return { event, lost, deliveries: deliveries.map(restore) };
}
