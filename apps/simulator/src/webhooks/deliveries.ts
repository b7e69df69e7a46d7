// Delivers events as Procore does (docs/procore.md: Deliveries). One queue per endpoint:
//
//   sending ──non-2xx, time-out, refused──▶ paused (1 s, 2 s, … 1 h; everything to that endpoint waits)
//      ▲                                      │ time is up: one delivery tries alone
//      └──────────────── 2xx ─────────────────┤
//                                             └─ failing for 12 h: the queue is thrown away, its deliveries discarded
import type { Clock } from '../clock.ts';
import type { Ids } from '../ids.ts';
import type { Random } from '../random.ts';
import type { Settings } from '../settings.ts';
import { eventBody, type PayloadVersion, type SimulatedEvent } from './event-body.ts';
import type { Hook } from './hooks.ts';
import type { Attempt, PostEvent } from './post-event.ts';

export const deliveryStatuses = ['enqueued', 'retrying', 'delivered', 'discarded'] as const;

export type Delivery = {
  readonly id: string;
  readonly hook: Hook;
  readonly event: SimulatedEvent;
  readonly payloadVersion: PayloadVersion;
  status: (typeof deliveryStatuses)[number];
  readonly attempts: (Attempt & { id: string; startedAt: number; completedAt: number })[];
};

/** What is to be delivered at an address, and how that has been going; times in ms. */
type Backlog = {
  url: string;
  queue: { deliveryId: string; readyAt: number }[];
  failingSince: number | null;
  pauseMs: number;
  pausedUntil: number;
};

type Queued = { delivery: Delivery; readyAt: number };

type Endpoint = {
  url: string;
  /** A delivery stands here once, and once more for each duplicate. */
  queue: Queued[];
  inFlight: Set<Queued>;
  failingSince: number | null;
  pauseMs: number;
  pausedUntil: number;
  /** When the endpoint is looked at next without being asked; 0: never. */
  wakeAt: number;
};

export type EndpointReport = {
  url: string;
  waiting: number;
  inFlight: number;
  pausedUntil: string | null;
  failingSince: string | null;
};

export type Deliveries = {
  send: (event: SimulatedEvent, hook: Hook) => Delivery;
  /** Drops what waits for a hook that is gone. */
  forget: (hook: Hook) => void;
  /** Deliveries and duplicates that are not settled yet. */
  outstanding: () => number;
  endpoints: () => EndpointReport[];
  /** What is not settled; deliveries under way stand first in their queue. */
  backlogs: () => Backlog[];
  /** Goes on with deliveries from where an earlier run was, and from what became of them meanwhile. */
  goOn: (backlogs: readonly Backlog[], delivery: (id: string) => Delivery | undefined) => void;
  close: () => Promise<void>;
};

const LONGEST_PAUSE_MS = 3_600_000;
const DISCARD_AFTER_MS = 12 * 3_600_000;
const FIRST_PAUSE_MS = 1000;

type Options = { clock: Clock; random: Random; ids: Ids; settings: () => Settings; post: PostEvent };

export function createDeliveries({ clock, random, ids, settings, post }: Options): Deliveries {
  const endpoints = new Map<string, Endpoint>();
  const stop = new AbortController();
  const atWork = new Set<Promise<void>>();

  return {
    send,
    forget,
    outstanding: () =>
      [...endpoints.values()].reduce((sum, { queue, inFlight }) => sum + queue.length + inFlight.size, 0),
    endpoints: () => [...endpoints.values()].map(report),
    backlogs: () => [...endpoints.values()].map(backlogOf),
    goOn,
    close: async () => {
      stop.abort();
      await Promise.allSettled(atWork);
    },
  };

  function send(event: SimulatedEvent, hook: Hook): Delivery {
    const { payloadVersion } = hook;
    const delivery: Delivery = { id: ids.next(), hook, event, payloadVersion, status: 'enqueued', attempts: [] };
    const endpoint = endpointAt(hook.destinationUrl);
    const copies = random.chance(settings().duplicateShare) ? random.between(2, 5) : 1;
    const readyAt = clock.now() + settings().deliveryDelayMs;
    for (let copy = 0; copy < copies; copy++) endpoint.queue.push({ delivery, readyAt });
    work(endpoint);
    return delivery;
  }

  function forget(hook: Hook): void {
    for (const endpoint of endpoints.values()) {
      const gone = endpoint.queue.filter(({ delivery }) => delivery.hook === hook);
      if (gone.length > 0) endpoint.queue = endpoint.queue.filter(({ delivery }) => delivery.hook !== hook);
      for (const { delivery } of gone) if (delivery.status !== 'delivered') delivery.status = 'discarded';
    }
  }

  function endpointAt(url: string): Endpoint {
    const known = endpoints.get(url);
    if (known !== undefined) return known;
    const made: Endpoint = {
      url,
      queue: [],
      inFlight: new Set(),
      failingSince: null,
      pauseMs: FIRST_PAUSE_MS,
      pausedUntil: 0,
      wakeAt: 0,
    };
    endpoints.set(url, made);
    return made;
  }

  function wakeAt(endpoint: Endpoint, at: number): void {
    const planned = endpoint.wakeAt > clock.now() ? endpoint.wakeAt : Number.POSITIVE_INFINITY;
    if (planned <= at) return;
    endpoint.wakeAt = at;
    track(clock.sleep(at - clock.now(), stop.signal).then(() => work(endpoint)));
  }

  function track(promise: Promise<void>): void {
    const settled = promise.catch(() => undefined).finally(() => atWork.delete(settled));
    atWork.add(settled);
  }

  function work(endpoint: Endpoint): void {
    // An endpoint that fails is tried with one delivery alone.
    const most = endpoint.failingSince === null ? settings().deliveryConcurrency : 1;
    while (!stop.signal.aborted && endpoint.inFlight.size < most && endpoint.pausedUntil <= clock.now()) {
      const next = take(endpoint);
      if (next === undefined) return;
      endpoint.inFlight.add(next);
      track(attempt(endpoint, next));
    }
  }

  function take(endpoint: Endpoint): Queued | undefined {
    const { queue } = endpoint;
    const [first] = queue;
    if (first === undefined) return undefined;
    if (first.readyAt > clock.now()) {
      wakeAt(endpoint, first.readyAt);
      return undefined;
    }
    const overtaking = queue.length > 1 && random.chance(settings().reorderShare);
    const index = overtaking ? random.between(1, Math.min(queue.length - 1, 50)) : 0;
    return index === 0 ? queue.shift() : queue.splice(index, 1)[0];
  }

  async function attempt(endpoint: Endpoint, item: Queued): Promise<void> {
    const { delivery } = item;
    const startedAt = clock.now();
    const outcome = await post({
      url: endpoint.url,
      headers: delivery.hook.destinationHeaders,
      body: JSON.stringify(eventBody(delivery.event, delivery.payloadVersion)),
      timeoutMs: settings().deliveryTimeoutMs,
      signal: stop.signal,
    });
    if (stop.signal.aborted) return;
    endpoint.inFlight.delete(item);
    delivery.attempts.push({ ...outcome, id: ids.next(), startedAt, completedAt: clock.now() });
    if (outcome.success) succeed(endpoint, delivery);
    else fail(endpoint, item);
    work(endpoint);
  }

  function succeed(endpoint: Endpoint, delivery: Delivery): void {
    delivery.status = 'delivered';
    endpoint.failingSince = null;
    endpoint.pauseMs = FIRST_PAUSE_MS;
    endpoint.pausedUntil = 0;
  }

  function fail(endpoint: Endpoint, item: Queued): void {
    if (item.delivery.status !== 'delivered') item.delivery.status = 'retrying';
    endpoint.queue.unshift(item);
    endpoint.failingSince ??= clock.now();
    if (isPastHope(endpoint)) discard(endpoint);
    // Others in flight fail with the first one: that is one failure, not several.
    else if (endpoint.pausedUntil <= clock.now()) pause(endpoint, endpoint.failingSince);
  }

  function pause(endpoint: Endpoint, failingSince: number): void {
    endpoint.pausedUntil = Math.min(clock.now() + endpoint.pauseMs, failingSince + DISCARD_AFTER_MS);
    endpoint.pauseMs = Math.min(endpoint.pauseMs * 2, LONGEST_PAUSE_MS);
    wakeAt(endpoint, endpoint.pausedUntil);
  }

  function discard(endpoint: Endpoint): void {
    for (const { delivery } of endpoint.queue) if (delivery.status !== 'delivered') delivery.status = 'discarded';
    endpoint.queue = [];
    endpoint.failingSince = null;
    endpoint.pauseMs = FIRST_PAUSE_MS;
    endpoint.pausedUntil = 0;
  }

  function backlogOf({ url, queue, inFlight, failingSince, pauseMs, pausedUntil }: Endpoint): Backlog {
    const items = [...inFlight, ...queue].map(({ delivery, readyAt }) => ({ deliveryId: delivery.id, readyAt }));
    return { url, queue: items, failingSince, pauseMs, pausedUntil };
  }

  function goOn(backlogs: readonly Backlog[], deliveryOf: (id: string) => Delivery | undefined): void {
    for (const { url, queue, ...rest } of backlogs) {
      const endpoint = Object.assign(endpointAt(url), rest);
      for (const { deliveryId, readyAt } of queue) {
        const delivery = deliveryOf(deliveryId);
        if (delivery !== undefined) endpoint.queue.push({ delivery, readyAt });
      }
      if (isPastHope(endpoint)) discard(endpoint);
      else wakeAt(endpoint, endpoint.pausedUntil);
    }
  }

  function isPastHope({ failingSince }: Endpoint): boolean {
    return failingSince !== null && clock.now() - failingSince >= DISCARD_AFTER_MS;
  }

  function report({ url, queue, inFlight, pausedUntil, failingSince }: Endpoint): EndpointReport {
    const text = (ms: number | null): string | null => (ms === null || ms === 0 ? null : new Date(ms).toISOString());
    return {
      url,
      waiting: queue.length,
      inFlight: inFlight.size,
      pausedUntil: text(pausedUntil),
      failingSince: text(failingSince),
    };
  }
}
