// Workers with all their loops in virtual time: the real database, client, budget and simulator, and companies in which people work. What
// the queue does in between is left out: a delivery is recorded when it arrives.
import { catalogue } from '@procore-mirror/catalogue';
import type { Database } from '@procore-mirror/database';
import {
  createNeighbours,
  type FetchSettings,
  recordDelivery,
  requestFills,
  type Scope,
  startFillLoop,
  startHookLoop,
  startProofSchedule,
  startRepairLoop,
  startVerifyLoop,
  usualPace,
} from '@procore-mirror/mirror';
import { type System, startSystem } from '@procore-mirror/testing';
import { type HookReceiver, startHookReceiver } from './hook-receiver.ts';
import { chance, type Random } from './plan-week.ts';
import { createVirtualDatabase } from './virtual-database.ts';
import { connectProcore, followTime } from './virtual-procore.ts';
import { clockOf, createVirtualTime, type VirtualTime } from './virtual-time.ts';
import { startVirtualWorker } from './virtual-worker.ts';

export type VirtualMirrorOptions = {
  /** The simulator's settings (docs/simulator.md). */
  simulator: Record<string, unknown>;
  /** Projects of each company. */
  projects: readonly number[];
  /** What is mirrored, and how many records of each there are in a company, a project or a parent. */
  sizes: Readonly<Record<string, number>>;
  workers?: number;
  /** How often loops look whether something is to be done: each look costs real time, though mostly nothing has changed. */
  lookEveryMs?: number;
};

export type Company = { companyId: string; projectIds: string[] };

export type VirtualMirror = {
  system: System;
  time: VirtualTime;
  database: Database;
  companies: Company[];
  /** Names of what is mirrored. */
  resources: readonly string[];
  random: Random;
  /** What the loops said that a person might read. */
  said: string[];
  /** Brings the simulator's clock to the moment. */
  tellTime: () => Promise<void>;
  /** Starts the loops of all workers. */
  /** `lookEveryMs`: other than usual. */
  start: (own?: { lookEveryMs?: number }) => void;
  /** Its scopes with what is mirrored of each. */
  scopesOf: (company: Company) => Scope[];
  /** Has the workers fill all that is mirrored of it. */
  fill: (company: Company) => Promise<void>;
  /** Somebody saves records of this company, and deliveries arrive a moment later, unless Procore loses them. */
  edit: (companyId: string, options?: { count?: number; isLost?: boolean }) => Promise<void>;
  /** Looks each minute, unless it is to look more often, until it is so. */
  untilSo: (isSo: () => Promise<boolean>, withinMs: number, everyMs?: number) => Promise<void>;
  stop: () => Promise<void>;
  [Symbol.asyncDispose]: () => Promise<void>;
};

/** Nobody dies here. */
const LEASE_MS = 1_000_000_000;
const FETCH_DELAY_MS = 2_000;
const CONCURRENCY = 8;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const QUICKEST_DELIVERY_MS = 300;
const SLOWEST_DELIVERY_MS = 2_500;
const AUTHORIZATION = 'Bearer of-the-hooks';

export async function openVirtualMirror(options: VirtualMirrorOptions): Promise<VirtualMirror> {
  const closing = new AsyncDisposableStack();
  const nowhere = 'postgres://localhost/nowhere'; // of the system, only the simulator is started
  const { simulator, workers = 1, lookEveryMs: usualLookMs = 5 * MINUTE_MS } = options;
  const system = await startSystem({ databaseUrl: nowhere, queueUrl: nowhere, projects: 0, simulator });
  closing.defer(() => system.close());
  const receiver = await startHookReceiver();
  closing.defer(() => receiver.close());
  const nothing = Object.fromEntries(catalogue.mirrored.map(({ resource }) => [resource, 0]));
  const companies: Company[] = [];
  for (const projects of options.projects) {
    const seed = { projects, sizes: { ...nothing, ...options.sizes } };
    companies.push(await system.control<Company>('POST', '/control/seed', seed));
  }
  const { nowMs } = await system.control<{ nowMs: number }>('GET', '/control/clock');
  const time = createVirtualTime(nowMs + HOUR_MS); // the simulator's clock goes on until it is stopped
  const tellTime = await followTime(system, time);
  await tellTime();
  const { database, close } = await createVirtualDatabase(time);
  closing.defer(close);
  const resources = ['Projects', ...Object.keys(options.sizes)];
  const random = chance(1);
  const said: string[] = [];
  const started: Worker[] = [];
  const recording = {
    ...{ database, catalogue, delayMs: FETCH_DELAY_MS, maxWaitMs: usualPace.maxWaitMs },
    selection: { companyIds: null, resources },
  };

  async function record(body: Buffer, via: 'delivery' | 'delivery log'): Promise<void> {
    await recordDelivery(recording, { body, receivedAt: new Date(time.now()), via });
    for (const worker of started) worker.nudge();
  }

  async function arrive(body: Buffer): Promise<void> {
    await time.sleep(QUICKEST_DELIVERY_MS + random() * (SLOWEST_DELIVERY_MS - QUICKEST_DELIVERY_MS));
    await record(body, 'delivery');
  }

  const scopesOf = ({ companyId, projectIds }: Company): Scope[] =>
    [null, ...projectIds].map((projectId) => {
      const scope = projectId === null ? 'company' : 'project';
      return { companyId, projectId, resources: resources.filter((name) => catalogue.get(name).scope === scope) };
    });

  const stop = async () => {
    await Promise.all(started.splice(0).map((worker) => worker.stop()));
  };
  closing.defer(() => time.run(stop()));
  return {
    ...{ system, time, database, companies, resources, random, said, tellTime, stop },
    start: ({ lookEveryMs = usualLookMs } = {}) => {
      for (let number = 1; number <= workers; number += 1) {
        const how = { system, time, database, tellTime, resources, random, said, record, receiver, lookEveryMs };
        started.push(startWorker({ ...how, holder: `worker ${number}`, companies }));
      }
    },
    scopesOf,
    fill: async (company) => {
      await requestFills(database, { catalogue, scopes: scopesOf(company) });
    },
    edit: async (companyId, { count = 1, isLost = false } = {}) => {
      await tellTime();
      const edits = { count, companyId, resources: Object.keys(options.sizes) };
      await time.during(system.control('PATCH', '/control/settings', { lostShare: isLost ? 1 : 0 }));
      await time.during(system.control('POST', '/control/edits', edits));
      await time.during(system.control('GET', '/control/quiet'));
      for (const body of receiver.takeAll()) arrive(body).catch((error: unknown) => time.fail(error));
    },
    untilSo: async (isSo, withinMs, everyMs = MINUTE_MS) => {
      const giveUpAt = time.now() + withinMs;
      while (!(await isSo())) {
        if (time.now() > giveUpAt) throw new Error(`it is not so after ${withinMs} ms`);
        await time.sleep(everyMs);
      }
    },
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

type Worker = { nudge: () => void; stop: () => Promise<void> };

function startWorker(
  options: Pick<
    VirtualMirror,
    'system' | 'time' | 'database' | 'companies' | 'tellTime' | 'resources' | 'random' | 'said'
  > & {
    holder: string;
    receiver: HookReceiver;
    lookEveryMs: number;
    record: (body: Buffer, via: 'delivery log') => Promise<void>;
  },
): Worker {
  const {
    system,
    time,
    database,
    companies,
    tellTime,
    resources,
    random,
    said,
    holder,
    receiver,
    record,
    lookEveryMs,
  } = options;
  const clock = clockOf(time);
  const onError = (error: unknown): void => time.fail(error);
  const nobody = { onCall: () => {}, onAnswer: () => {} };
  const { client, close } = connectProcore({ system, database, time, tellTime, holder, ...nobody, onError });
  const note = (level: string) => (keys: object, message: string) =>
    void said.push(inWords(clock.date(), level, keys, message));
  const log = { debug: () => {}, info: note('info'), warn: note('warn'), error: note('error') };
  const settings: FetchSettings = {
    ...{ database, client, catalogue, delayMs: FETCH_DELAY_MS, random, keepsWalks: true, clock, ...usualPace },
    neighbours: createNeighbours(time.now),
  };
  const canSignIn = async () => true;
  const worker = startVirtualWorker({
    ...{ settings, time, holder, concurrency: CONCURRENCY, onError },
    onReport: (batch, { parked, unparked, error }) => {
      for (const scope of parked) log.warn(scope, 'parked');
      if (unparked > 0) log.info({ ...batch, unparked }, 'answers again');
      if (error !== null) log.warn({ ...batch, error }, 'not whole');
    },
  });
  const own = { database, client, holder, log, clock, leaseMs: LEASE_MS };
  const loops = [
    startFillLoop({
      ...{ settings, holder, resources, log, canSignIn, leaseMs: LEASE_MS },
      ...{ idleMs: lookEveryMs / 5, lookEveryMs },
    }),
    startVerifyLoop({ settings, everyMs: DAY_MS, holder, log, canSignIn, leaseMs: LEASE_MS, idleMs: lookEveryMs / 5 }),
    startProofSchedule({ ...own, catalogue, resources, everyMs: DAY_MS, lookEveryMs }),
    startHookLoop({
      ...{ ...own, catalogue, resources, namespace: 'mirror', projects: 'active', everyMs: HOUR_MS },
      ...{ lookEveryMs, noteEveryMs: lookEveryMs, leaveAfterMs: HOUR_MS },
      companyIds: companies.map(({ companyId }) => companyId),
      destinationUrl: receiver.url,
      secrets: () => new Map([[AUTHORIZATION, 'fingerprint']]),
      onLook: ({ trouble, isLeftAlone, ...place }) =>
        trouble !== null && !isLeftAlone && log.warn(place, `a hook could not be looked after: ${trouble}`),
      onProjects: () => {},
    }),
    startRepairLoop({
      ...{ ...own, everyMs: 15 * MINUTE_MS, lookEveryMs },
      handOver: ({ body }) => record(body, 'delivery log'),
    }),
  ];
  return {
    nudge: worker.nudge,
    stop: async () => {
      await Promise.all([worker.stop(), ...loops.map((loop) => loop.close())]);
      await close();
    },
  };
}

function inWords(at: Date, level: string, keys: object, message: string): string {
  const about = Object.entries(keys).map(
    ([key, value]) => `${key}=${value instanceof Error ? value.message : JSON.stringify(value)}`,
  );
  return `${at.toISOString()} ${level} ${message}: ${about.join(' ')}`;
}
