// A Procore of our own: one server with login, REST API, webhooks, and the control behind it.
import { once } from 'node:events';
import http from 'node:http';
import express from 'express';
import { createCalls } from './api/calls.ts';
import { createFaults } from './api/faults.ts';
import { createLimits } from './api/limits.ts';
import { createLogin } from './api/login.ts';
import { createProcoreApi } from './api/procore-api.ts';
import { createAnswerProjectFacts } from './api/project-facts.ts';
import { createAnswerRecords } from './api/records-api.ts';
import { createFindRoute } from './api/routes.ts';
import { createClock } from './clock.ts';
import { type Control, createControl } from './control/control.ts';
import { createControlApi } from './control/control-api.ts';
import { createIds } from './ids.ts';
import { createRandom, type Random } from './random.ts';
import { type SettingsInput, settingsOf } from './settings.ts';
import { openState } from './state/open-state.ts';
import { createDeliveries } from './webhooks/deliveries.ts';
import { createEvents, type Events } from './webhooks/events.ts';
import { createHooks } from './webhooks/hooks.ts';
import { createPoster, type PostEvent } from './webhooks/post-event.ts';
import { createAnswerWebhooks } from './webhooks/webhooks-api.ts';
import { type ApplyEdit, createApplyEdit } from './world/edit-world.ts';
import { createLife } from './world/life.ts';
import { createMaker } from './world/make-record.ts';
import { createSeed, type SeedInput } from './world/seed.ts';
import { createWorld } from './world/world.ts';

export type SimulatorOptions = {
  /** 0, the default: any free port. */
  port?: number;
  host?: string;
  /** The same seed and the same calls give the same company. */
  seed?: number;
  client?: { id: string; secret: string };
  settings?: SettingsInput;
  /** The companies to begin with, unless there is a state to go on from; one small company unless said otherwise. */
  companies?: readonly SeedInput[];
  /** Where the state is kept: a simulator that finds one goes on from it. In memory only when left out. */
  stateFile?: string | undefined;
  /** Told when the state could not be written; it is tried again. */
  onError?: (error: unknown) => void;
};

export type Simulator = { url: string; port: number; control: Control; close: () => Promise<void> };

/** Starts a simulator. Rejects when the port is taken, with ZodError when an option is wrong, with ConfigError when the state cannot be used. */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const stop = new AbortController();
  const { signal } = stop;
  const state = await openState(options.stateFile, { onError: options.onError ?? (() => {}) });
  const { kept } = state;
  const clock = createClock(kept?.clock);
  // Separate sources of chance: how often a fault strikes does not change what people do.
  const chances: Random[] = [];
  const chanceOf = (part: number): Random => {
    const chance = createRandom(kept?.chances[part - 1] ?? (options.seed ?? 1) * 31 + part);
    chances[part - 1] = chance;
    return chance;
  };
  const random = chanceOf(1);
  const ids = createIds({ clock, random: chanceOf(2), after: kept?.lastIds });
  let current = settingsOf(options.settings ?? {});
  const settings = () => current;

  const world = createWorld();
  const hooks = createHooks();
  const poster = createPoster();
  const post: PostEvent = async (event) => {
    const attempt = await poster.post(event);
    state.note();
    return attempt;
  };
  const deliveries = createDeliveries({ clock, random: chanceOf(3), ids, settings, post });
  const events: Events = createEvents({ world, hooks, deliveries, clock, random: chanceOf(4), ids, settings });
  const maker = createMaker({ world, clock, random, ids });
  const edit = createApplyEdit({ world, maker, clock, random, settings, onChange: events.emit });
  const applyEdit: ApplyEdit = (asked) => {
    state.note();
    return edit(asked);
  };
  const life = createLife({ world, applyEdit, clock, random, settings, signal });
  const seed = createSeed({ world, maker, ids, clock, random });
  const login = createLogin({ clock, settings });
  const limits = createLimits({ clock, settings });
  const faults = createFaults({ random: chanceOf(5) });
  const calls = createCalls({ settings });
  const control = createControl({
    ...{ world, clock, ids, applyEdit, life, seed, events, deliveries, hooks, faults, calls, limits, login },
    settings: {
      read: settings,
      change: (change) => {
        current = settingsOf({ ...current, ...change });
        return current;
      },
    },
  });
  const parts = { world, hooks, events, deliveries, login, clock, ids, chances };
  state.restore(parts);
  const { id = 'simulator', secret = 'simulator-secret' } = options.client ?? {};
  control.putClient(id, { secret });
  if (kept === null)
    for (const company of options.companies ?? [{ companyId: '598134325683880' }]) control.seed(company);

  const api = createProcoreApi({
    ...{ world, clock, random: chanceOf(6), login, limits, faults, calls, signal, findRoute: createFindRoute() },
    answerRecords: createAnswerRecords({ world, clock, settings }),
    answerProjectFacts: createAnswerProjectFacts({ world, clock, settings }),
    answerWebhooks: createAnswerWebhooks({ hooks, events, deliveries, clock, ids, settings }),
  });
  const app = express().disable('x-powered-by');
  app.use((request: express.Request, response: express.Response, next: express.NextFunction) => {
    if (request.method !== 'GET') response.once('close', () => state.note());
    next();
  });
  app.use('/control', createControlApi(control));
  app.use(api);
  app.use((error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    if (response.headersSent) response.destroy();
    else response.status(error instanceof RangeError ? 413 : 500).json({ error: String(error) });
  });

  const server = http.createServer(app);
  // Clients keep connections open between calls, as with Procore; an idle one must not be cut at the worst moment.
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, options.host ?? '127.0.0.1');
  await once(server, 'listening');
  await state.start(parts);
  const living = life.live(signal);

  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://${options.host ?? '127.0.0.1'}:${port}`,
    port,
    control,
    close: async () => {
      stop.abort();
      await Promise.all([living, deliveries.close()]);
      poster.close();
      server.close();
      server.closeAllConnections();
      await state.close();
    },
  };
}
