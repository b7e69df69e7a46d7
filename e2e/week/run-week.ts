// A week of a company, lived through in minutes: the real simulator, the real database, and of the product all that decides
// which calls are made (recording, batches, plans, budget, client, store). Only time is virtual.
import { catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import { createNeighbours, type FetchSettings, recordDelivery, usualPace } from '@procore-mirror/mirror';
import { type System, startSystem } from '@procore-mirror/testing';
import { compareWorld, type Difference } from '../whole/compare-world.ts';
import { hook } from '../whole/mirror-company.ts';
import { fillMirror, type WorldLine } from './fill-mirror.ts';
import { type HookReceiver, startHookReceiver } from './hook-receiver.ts';
import { chance, planWeek, type Random, type Save } from './plan-week.ts';
import { createVirtualDatabase } from './virtual-database.ts';
import { connectProcore, followTime, type VirtualProcore } from './virtual-procore.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';
import { startVirtualWorker, type VirtualWorker } from './virtual-worker.ts';
import { readWeek, type WeekCalls, type WeekReport } from './week-report.ts';
import { sizes } from './workload.ts';

export type WeekOptions = {
  seed: number;
  projects: number;
  events: number;
  /** What Procore allows. */
  callsPerHour: number;
  /** From Monday. */
  days: number;
  /** Told now and then how far it is, in a line. */
  onProgress: (line: string) => void;
};

export type Week = { report: WeekReport; differences: Difference[]; compared: number };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The company is in the Central time zone: its midnight is six in the morning in UTC. */
const MIDNIGHT_MS = 6 * HOUR_MS;
const FETCH_DELAY_MS = 2000;
const CALLS_PER_TEN_SECONDS = 25;
const READ_LAG_MS = 1000;
const CONCURRENCY = 16;

const SETTING_UP_MS = 2 * HOUR_MS;
const ARRIVAL_GRID_MS = 100;
const REPORT_EVERY_MS = 6 * HOUR_MS;

type Range = readonly [least: number, most: number];
const DELIVERED_AFTER_MS: Range = [300, 2500];
const FURTHER_DELIVERED_AFTER_MS: Range = [500, 5000];

type Company = { companyId: string; projectIds: string[] };
type Stage = {
  system: System;
  time: VirtualTime;
  database: Database;
  procore: VirtualProcore;
  tellTime: () => Promise<void>;
  receiver: HookReceiver;
  company: Company;
  start: number;
  calls: WeekCalls;
  random: Random;
};

/** Lives through the week, goes on until nothing is pending, and compares the mirror with the world. */
export async function runWeek(options: WeekOptions): Promise<Week> {
  const closing: (() => unknown)[] = [];
  try {
    const stage = await setStage(options, closing);
    const { system, time, database, company, start, calls } = stage;
    const records = await stockMirror(stage, options);
    const saves = planWeek({ ...options, projectIds: company.projectIds, records });
    await time.run(live(stage, saves, options));
    const hooked = { companyIds: [company.companyId], projectIds: company.projectIds };
    const compared = await compareWorld(database, system, hooked);
    return { report: await readWeek(database, { calls, start, end: time.now() }), ...compared };
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function setStage(options: WeekOptions, closing: (() => unknown)[]): Promise<Stage> {
  const nowhere = 'postgres://localhost/nowhere'; // of the system, only the simulator is started
  const simulator = { callsPerHour: null, callsPerTenSeconds: null, deliveryConcurrency: 50, readLagMs: READ_LAG_MS };
  const system = await startSystem({ databaseUrl: nowhere, queueUrl: nowhere, projects: 0, simulator });
  closing.push(() => system.close());
  const receiver = await startHookReceiver();
  closing.push(() => receiver.close());
  const company = await system.control<Company>('POST', '/control/seed', { projects: options.projects, sizes });
  const { nowMs } = await system.control<{ nowMs: number }>('GET', '/control/clock');
  const start = mondayAfter(nowMs);
  const time = createVirtualTime(start - SETTING_UP_MS);
  const { database, close } = await createVirtualDatabase(time);
  closing.push(close);
  const calls: WeekCalls = { byResource: new Map(), byHour: new Map(), byStatus: new Map() };
  const onError = (error: unknown): void => time.fail(error);
  const tellTime = await followTime(system, time);
  await tellTime();
  const procore = connectProcore({ system, database, time, tellTime, ...countersOf(calls, time), onError });
  closing.push(() => procore.close());
  return {
    system,
    time,
    database,
    procore,
    tellTime,
    receiver,
    company,
    start,
    calls,
    random: chance(options.seed + 2),
  };
}

/** Fills the mirror with what there is, has events sent to us, and puts the limits in force. */
async function stockMirror(stage: Stage, { callsPerHour }: WeekOptions): Promise<WorldLine[]> {
  const { system, time, database, procore, receiver, company, start, calls } = stage;
  const world = await system.controlLines<WorldLine>(`/control/world?companyId=${company.companyId}`);
  await fillMirror(database, world);
  const deliveries = { ...system, receiverUrl: receiver.url };
  await time.run(hook(deliveries, procore.client, { ...company, payloadVersion: 'v4.0' }));
  await system.control('PATCH', '/control/settings', { callsPerHour, callsPerTenSeconds: CALLS_PER_TEN_SECONDS });
  await time.run(time.until(start));
  calls.byResource.clear();
  calls.byHour.clear();
  return world;
}

/** The week itself, and after it until nothing is pending. */
async function live(stage: Stage, saves: readonly Save[], { onProgress }: WeekOptions): Promise<void> {
  const { time, database, procore, start } = stage;
  const settings = {
    database,
    client: procore.client,
    catalogue,
    delayMs: FETCH_DELAY_MS,
    random: stage.random,
    keepsWalks: true,
    ...usualPace,
    neighbours: createNeighbours(),
  };
  const worker = startVirtualWorker({
    settings,
    time,
    concurrency: CONCURRENCY,
    onReport: ({ resource }, { error }) => {
      if (error !== null) onProgress(`${resource}: ${error}`);
    },
    onError: (error) => time.fail(error),
  });
  const arrivals = createArrivals(stage, settings, worker);
  const reports = reportEveryFewHours(stage, onProgress);
  const people = createPeople(stage, arrivals);
  for (const [at, together] of Map.groupBy(saves, (save) => save.at)) {
    await time.until(start + at);
    await people.save(together);
  }
  while (arrivals.underWay() > 0 || (await countPending(database)) > 0) await time.sleep(60_000);
  reports.stop();
  await worker.stop();
}

type Arrivals = { expect: (body: Buffer, delayMs: Range) => void; underWay: () => number };

/** Lets deliveries arrive when they do in reality: after a moment, some of them several times. */
function createArrivals(
  { time, database, random }: Stage,
  { delayMs, maxWaitMs }: FetchSettings,
  worker: VirtualWorker,
): Arrivals {
  const selection = { companyIds: null, resources: null };
  const recording = { database, catalogue, selection, delayMs, maxWaitMs };
  let underWay = 0;

  async function arrive(body: Buffer, at: number): Promise<void> {
    underWay += 1;
    await time.until(Math.ceil(at / ARRIVAL_GRID_MS) * ARRIVAL_GRID_MS);
    const { outcome, reason } = await recordDelivery(recording, { body, receivedAt: new Date(time.now()) });
    if (outcome === 'dead' || outcome === 'ignored') throw new Error(`an event was ${outcome}: ${reason}`);
    worker.nudge();
    underWay -= 1;
  }

  return {
    underWay: () => underWay,
    expect: (body, [least, most]) => {
      let at = time.now() + least + random() * (most - least);
      for (let copies = copiesOf(random()); copies > 0; copies -= 1) {
        arrive(body, at).catch((error: unknown) => time.fail(error));
        at += 500 + random() * 20_000;
      }
    },
  };
}

/** Most events are delivered once, bursts of up to five deliveries are seen. */
function copiesOf(chance: number): number {
  if (chance < 0.8) return 1;
  return chance < 0.95 ? 2 : 3 + Math.floor((chance - 0.95) * 60);
}

type Made = { events: number; records: { id: string }[] };

/** Makes the saves in the simulator's world and hands on what it sends. */
function createPeople(
  { system, time, tellTime, receiver, company }: Stage,
  arrivals: Arrivals,
): { save: (saves: readonly Save[]) => Promise<void> } {
  const ids = new Map<string, string>();
  const idOf = (id: string): string => ids.get(id) ?? id;
  const place = (save: Save): Record<string, unknown> => ({
    resource: save.resource,
    companyId: company.companyId,
    ...(save.projectId !== null && { projectId: save.projectId }),
  });
  const edit = (save: Save): Record<string, unknown> => {
    if (save.action !== 'create') return { ...place(save), action: save.action, id: idOf(save.id) };
    return {
      ...place(save),
      action: 'create',
      ...(save.parentId !== null && { parentId: idOf(save.parentId) }),
      ...(catalogue.get(save.resource).list?.todayOnly === true && {
        fields: { date: dayOf(time.now(), save.daysBack) },
      }),
    };
  };

  async function make(edits: readonly unknown[], delayMs: Range): Promise<Made> {
    const made = await time.during(system.control<Made>('POST', '/control/edits', { edits }));
    for (const body of await time.during(receiver.take(made.events))) arrivals.expect(body, delayMs);
    return made;
  }

  return {
    save: async (saves) => {
      await tellTime();
      const { records, events } = await make(saves.map(edit), DELIVERED_AFTER_MS);
      if (events !== saves.length) throw new Error(`${saves.length} saves sent ${events} events`);
      for (const [index, save] of saves.entries()) ids.set(save.id, records[index]?.id ?? save.id);
      // Further events of the same save have ids of their own and nothing new to tell.
      const further = saves.flatMap((save) =>
        Array.from({ length: save.events - 1 }, () => ({
          ...place(save),
          action: 'update',
          id: idOf(save.id),
          fields: {},
        })),
      );
      if (further.length > 0) await make(further, FURTHER_DELIVERED_AFTER_MS);
    },
  };
}

function reportEveryFewHours(
  { time, database, start, calls }: Stage,
  onProgress: (line: string) => void,
): { stop: () => void } {
  const stop = new AbortController();
  const began = performance.now();
  const report = async (): Promise<void> => {
    for (let at = start + REPORT_EVERY_MS; ; at += REPORT_EVERY_MS) {
      await time.until(at, stop.signal);
      const { rows } = await database.pool.query<{ events: number }>(
        'select count(*)::int as events from mirror.events',
      );
      const events = rows[0]?.events ?? 0;
      const made = [...calls.byHour.values()].reduce((sum, count) => sum + count, 0);
      onProgress(
        `${new Date(at - MIDNIGHT_MS).toUTCString().slice(0, 3)} ${new Date(at - MIDNIGHT_MS).toISOString().slice(11, 16)}  ` +
          `${events} events, ${made} calls (${(made / Math.max(events, 1)).toFixed(3)}), ` +
          `${await countPending(database)} pending, after ${Math.round((performance.now() - began) / 1000)} s`,
      );
    }
  };
  report().catch((error: unknown) => stop.signal.aborted || time.fail(error));
  return { stop: () => stop.abort() };
}

function countersOf(
  calls: WeekCalls,
  time: VirtualTime,
): Pick<Parameters<typeof connectProcore>[0], 'onCall' | 'onAnswer'> {
  return {
    onCall: (resource, kind) => {
      const counts = calls.byResource.get(resource) ?? { show: 0, list: 0 };
      counts[kind] += 1;
      calls.byResource.set(resource, counts);
    },
    onAnswer: (status) => {
      const hour = Math.floor(time.now() / HOUR_MS);
      calls.byHour.set(hour, (calls.byHour.get(hour) ?? 0) + 1);
      calls.byStatus.set(status, (calls.byStatus.get(status) ?? 0) + 1);
    },
  };
}

async function countPending(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>('select count(*)::int as count from mirror.pending');
  return rows[0]?.count ?? 0;
}

/** The day in the company's time zone. */
function dayOf(at: number, daysBack: number): string {
  return new Date(at - MIDNIGHT_MS - daysBack * DAY_MS).toISOString().slice(0, 10);
}

/** The first Monday, at the company's midnight, that is more than a day away. */
function mondayAfter(now: number): number {
  const day = Math.floor(now / DAY_MS) + 2;
  const MONDAY = 4; // the first of January 1970 was a Thursday
  return (day + ((MONDAY - (day % 7) + 7) % 7)) * DAY_MS + MIDNIGHT_MS;
}
