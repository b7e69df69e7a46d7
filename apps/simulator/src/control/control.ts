// What the person behind the curtain can do: look at the world as it is, change it, order trouble, move the clock.
import type { CallCounts, Calls, RecentCall } from '../api/calls.ts';
import type { Faults } from '../api/faults.ts';
import type { Limits } from '../api/limits.ts';
import type { Login } from '../api/login.ts';
import { type Clock, wholeSeconds } from '../clock.ts';
import { UnknownError } from '../errors.ts';
import type { Ids } from '../ids.ts';
import type { Settings, SettingsInput } from '../settings.ts';
import type { Deliveries } from '../webhooks/deliveries.ts';
import type { Events } from '../webhooks/events.ts';
import type { Hook, Hooks } from '../webhooks/hooks.ts';
import {
  type EventLine,
  eventLines,
  type HookLine,
  hookLine,
  type Summary,
  summarize,
} from '../webhooks/report-deliveries.ts';
import { type ChangeAccess, createChangeAccess } from '../world/change-access.ts';
import type { ApplyEdit } from '../world/edit-world.ts';
import { countWorld, exportWorld, type WorldFilter, type WorldLine } from '../world/export-world.ts';
import type { Life } from '../world/life.ts';
import { createMakeEdits, type MakeEdits } from '../world/make-edits.ts';
import type { Seed } from '../world/seed.ts';
import type { World } from '../world/world.ts';

type ClockReport = { now: string; nowMs: number; speed: number };

export type Control = ChangeAccess & {
  settings: () => Settings;
  /** Changes what is named and leaves the rest; throws ZodError. */
  change: (change: SettingsInput) => Settings;
  clock: () => ClockReport;
  setClock: (change: { speed?: number | undefined; advanceMs?: number | undefined }) => ClockReport;
  edit: MakeEdits;
  /** A company that appears has installed every app, until somebody disconnects one. */
  seed: Seed;
  world: (filter: WorldFilter) => Iterable<WorldLine>;
  counts: () => ReturnType<typeof countWorld>;
  events: (filter: { resource?: string; recordId?: string }) => Iterable<EventLine>;
  deliveries: () => Summary;
  /** Deliveries, duplicates and edits that are still to come. */
  outstanding: () => number;
  hooks: () => HookLine[];
  /** Throws UnknownError. */
  changeHook: (id: string, change: Pick<Hook, 'status'>) => void;
  faults: Faults;
  calls: () => CallCounts & { recent: readonly RecentCall[] };
  resetCalls: () => void;
  /** Forgets the calls counted for the limits. */
  resetLimits: () => void;
};

type Options = {
  world: World;
  clock: Clock;
  ids: Ids;
  applyEdit: ApplyEdit;
  life: Life;
  seed: Seed;
  events: Events;
  deliveries: Deliveries;
  hooks: Hooks;
  faults: Faults;
  calls: Calls;
  limits: Limits;
  login: Login;
  settings: { read: () => Settings; change: (change: SettingsInput) => Settings };
};

export function createControl(options: Options): Control {
  const { world, clock, life, events, deliveries, hooks, faults, calls, limits, login, settings } = options;
  const reportClock = (): ClockReport => ({ now: wholeSeconds(clock.now()), nowMs: clock.now(), speed: clock.speed() });

  return {
    ...createChangeAccess(options),
    settings: settings.read,
    change: settings.change,
    clock: reportClock,
    setClock: ({ speed, advanceMs }) => {
      if (speed !== undefined) clock.setSpeed(speed);
      if (advanceMs !== undefined) clock.advance(advanceMs);
      return reportClock();
    },
    edit: createMakeEdits(options),
    seed: (input) => {
      const fresh = input.companyId === undefined || !world.companies.has(input.companyId);
      const seeded = options.seed(input);
      if (fresh) for (const { companies } of login.clients.values()) companies.add(seeded.companyId);
      return seeded;
    },
    world: (filter) => exportWorld(world, filter),
    counts: () => countWorld(world),
    events: (filter) => eventLines(events, filter),
    deliveries: () => summarize(events, deliveries, life.planned()),
    outstanding: () => deliveries.outstanding() + life.planned(),
    hooks: () => hooks.all().map(hookLine),
    changeHook: (id, { status }) => {
      const hook = hooks.all().find((known) => known.id === id);
      if (hook === undefined) throw new UnknownError(`there is no hook ${id}`);
      hook.status = status;
    },
    faults,
    calls: () => ({ ...calls.counts(), recent: calls.recent() }),
    resetCalls: calls.reset,
    resetLimits: limits.reset,
  };
}
