// Turns changes of the world into events, hands them to the hooks that asked for them, and keeps the log of both.
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Random } from '../random.ts';
import type { Settings } from '../settings.ts';
import type { EventKind } from '../world/edit-world.ts';
import type { Place, World, WorldRecord } from '../world/world.ts';
import type { Deliveries, Delivery } from './deliveries.ts';
import { namesParent, type SimulatedEvent } from './event-body.ts';
import type { Hooks } from './hooks.ts';

export type LoggedEvent = { event: SimulatedEvent; lost: boolean; deliveries: Delivery[] };

export type Events = {
  /** An event of the record as it is now, or of a place where it was. */
  emit: (record: WorldRecord, kind: EventKind, place?: Place) => void;
  /** Oldest first. */
  log: () => readonly LoggedEvent[];
  /** Events ever emitted, forgotten ones included. */
  count: () => number;
  /** Begins with the log of an earlier run, and its count. */
  goOn: (earlier: readonly LoggedEvent[], emitted: number) => void;
  ofHook: (hookId: string) => Delivery[];
};

/** Settled events are forgotten after a day, or beyond so many, so that a simulator can live for weeks. */
const LOGGED_MS = 86_400_000;
const LONGEST_LOG = 500_000;
const LOOKS_EVERY = 1000;

type Options = {
  world: World;
  hooks: Hooks;
  deliveries: Deliveries;
  clock: Clock;
  random: Random;
  ids: Ids;
  settings: () => Settings;
};

export function createEvents({ world, hooks, deliveries, clock, random, ids, settings }: Options): Events {
  let log: LoggedEvent[] = [];
  let count = 0;

  return {
    emit: (record, kind, place = record.now) => {
      const twins = random.chance(settings().twinShare) ? 2 : 1;
      for (let twin = 0; twin < twins; twin++) announce(record, kind, place);
    },
    log: () => log,
    count: () => count,
    goOn: (earlier, emitted) => {
      log = [...earlier];
      count = emitted;
    },
    ofHook: (hookId) => log.flatMap((entry) => entry.deliveries).filter(({ hook }) => hook.id === hookId),
  };

  function announce(record: WorldRecord, kind: EventKind, place: Place): void {
    const event = describe(record, kind, place);
    const lost = random.chance(settings().lostShare);
    const heard = lost ? [] : hooks.hearing(event);
    count += 1;
    log.push({ event, lost, deliveries: heard.map((hook) => deliveries.send(event, hook)) });
    if (count % LOOKS_EVERY === 0) forget();
  }

  function forget(): void {
    const oldest = new Date(clock.now() - LOGGED_MS).toISOString();
    const surplus = log.length > LONGEST_LOG ? log.length - 0.9 * LONGEST_LOG : 0;
    const isForgotten = ({ event, deliveries: sent }: LoggedEvent, index: number): boolean =>
      (index < surplus || event.occurredAt < oldest) &&
      sent.every(({ status }) => status === 'delivered' || status === 'discarded');
    log = log.filter((logged, index) => !isForgotten(logged, index));
  }

  function describe(
    { entry, companyId, id }: WorldRecord,
    kind: EventKind,
    { projectId, parent }: Place,
  ): SimulatedEvent {
    const users = world.within('Company Users', { companyId });
    const named: readonly string[] = namesParent;
    return {
      ulid: ids.ulid(),
      integerId: ids.event(),
      companyId,
      projectId,
      resource: entry.resource,
      recordId: id,
      kind,
      occurredAt: `${new Date(clock.now()).toISOString().slice(0, 23)}${String(random.between(0, 999)).padStart(3, '0')}Z`,
      userId: users.length === 0 ? '598134325000001' : random.pick(users).id,
      related:
        parent !== null && named.includes(entry.resource) ? [{ id: parent.id, name: parent.entry.resource }] : [],
    };
  }
}
