// A company at work, as far as it matters here: what changed when, which hook sent an event of it, and what became of that.
import { type Day, HOUR, isIn, MINUTE, pickFrom } from './draw-day.ts';

export type Place = { projectId: string | null; resource: string };
/** `isSilent`: Procore sends no event of it. */
export type Change = Place & { recordId: string; at: number; version: number; isSilent: boolean };
export type WorldEvent = Change & {
  id: string;
  hookId: string;
  status: 'enqueued' | 'retrying' | 'discarded' | 'delivered';
  /** What its body says of its time: nothing, or nonsense, sometimes. */
  says: 'time' | 'nothing' | 'nonsense';
  isUnreadable: boolean;
  /** Its body names no project, so it becomes a dead letter. */
  isHomeless: boolean;
};
export type WorldHook = { id: string; projectId: string | null; isActive: boolean; triggers: Set<string> };

export const SCOPES: readonly { projectId: string | null; resources: readonly string[] }[] = [
  { projectId: null, resources: ['Badges'] },
  { projectId: '2', resources: ['Notes', 'Papers'] },
  { projectId: '3', resources: ['Notes', 'Papers'] },
];
export const PLACES: readonly Place[] = SCOPES.flatMap(({ projectId, resources }) =>
  resources.map((resource) => ({ projectId, resource })),
);
const RECORDS = 6;
const PAUSE_ENDS_MS = 12 * HOUR;

export const keyOf = ({ projectId, resource }: Place): string => `${projectId ?? ''}/${resource}`;
export const idOf = (one: Place & { recordId: string }): string => `${keyOf(one)}/${one.recordId}`;

export function createWorld(day: Day) {
  const { random } = day;
  const changes: Change[] = [];
  const versions = new Map<string, number>();
  const log: WorldEvent[] = [];
  let hookNumber = 0;
  let eventNumber = 0;
  const hooks = new Map(SCOPES.map((scope) => [scope.projectId, newHook(scope.projectId)]));
  const pause = { since: null as number | null, retryAt: 0, waitMs: MINUTE };
  const harms = [...day.harms].sort((one, other) => one.at - other.at);

  function newHook(projectId: string | null): WorldHook {
    hookNumber += 1;
    const resources = SCOPES.find((scope) => scope.projectId === projectId)?.resources ?? [];
    return { id: `h${hookNumber}`, projectId, isActive: true, triggers: new Set(resources) };
  }

  function edit(at: number): void {
    const place = pickFrom(PLACES as [Place, ...Place[]], random);
    const recordId = String(1 + Math.floor(random() * RECORDS));
    const version = (versions.get(idOf({ ...place, recordId })) ?? 0) + 1;
    versions.set(idOf({ ...place, recordId }), version);
    const change = { ...place, recordId, at, version, isSilent: day.isSilent() };
    changes.push(change);
    if (change.isSilent) return;
    const hook = hooks.get(place.projectId);
    if (hook === undefined || !hook.isActive || !hook.triggers.has(place.resource)) return;
    if (isIn(day.disconnected, at)) return;
    tell(change, hook);
  }

  function tell(change: Change, hook: WorldHook): void {
    eventNumber += 1;
    const odd = day.isCalm ? 1 : random();
    const says = odd < 0.02 ? 'nothing' : odd < 0.04 ? 'nonsense' : 'time';
    const isUnreadable = !day.isCalm && random() < 0.001;
    const isHomeless = !day.isCalm && change.projectId !== null && random() < 0.003;
    const event = { ...change, id: `e${eventNumber}`, hookId: hook.id, isUnreadable, isHomeless };
    log.push({ ...event, status: 'enqueued', says });
  }

  function harmUntil(at: number): void {
    while (harms[0] !== undefined && harms[0].at <= at) harm(harms.shift());
  }

  function harm(done: Day['harms'][number] | undefined): void {
    const place = SCOPES[done?.scope ?? 0];
    const hook = hooks.get(place?.projectId ?? null);
    if (hook === undefined) return;
    if (done?.how === 'disable') hook.isActive = false;
    else if (done?.how === 'delete') hooks.delete(hook.projectId);
    else hook.triggers.delete(place?.resources[0] ?? '');
  }

  function discard(queue: readonly WorldEvent[]): [] {
    for (const event of queue) event.status = 'discarded';
    pause.since = null;
    return [];
  }

  /** No log tells of it, either. */
  function lose(queue: readonly WorldEvent[]): [] {
    for (const event of queue) log.splice(log.indexOf(event), 1);
    pause.since = null;
    return [];
  }

  function pauseAll([tried]: readonly WorldEvent[], at: number): [] {
    pause.since ??= at;
    pause.waitMs = Math.min(2 * pause.waitMs, HOUR);
    pause.retryAt = at + pause.waitMs;
    if (tried !== undefined) tried.status = 'retrying';
    return [];
  }

  /** Delivers what can be; returns what arrived, in an order of its own. */
  function deliver(at: number, isAnswered: boolean): WorldEvent[] {
    const queue = log.filter(({ status }) => status === 'enqueued' || status === 'retrying');
    if (isIn(day.disconnected, at)) return lose(queue);
    if (queue.length === 0) return [];
    if (pause.since !== null && at - pause.since >= PAUSE_ENDS_MS) return discard(queue);
    if (pause.since !== null && at < pause.retryAt) return [];
    if (!isAnswered) return pauseAll(queue, at);
    pause.since = null;
    pause.waitMs = MINUTE;
    const arrived = queue.filter(() => random() > 0.05).toSorted(() => random() - 0.5);
    for (const event of arrived) event.status = 'delivered';
    return arrived;
  }

  return {
    ...{ changes, versions, log, hooks, newHook, deliver },
    /** People work until then. */
    work(from: number, to: number): void {
      const times = Array.from({ length: Math.floor(random() * 4) }, () => from + random() * (to - from)).sort(
        (a, b) => a - b,
      );
      for (const at of times) {
        harmUntil(at);
        edit(at);
      }
      harmUntil(to);
    },
    isReachable: (at: number) => !isIn(day.unreachable, at),
  };
}
