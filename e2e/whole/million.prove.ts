// What a backlog of a million pending records costs: next to one of a thousand, step by step, and in a worker's memory.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '@procore-mirror/catalogue';
import {
  type Batch,
  type BatchKey,
  claimBatch,
  type Database,
  migrateDatabase,
  openDatabase,
  readPulse,
  readStatus,
  releaseBatch,
  rescheduleBatches,
} from '@procore-mirror/database';
import { createNeighbours, type FetchSettings, fetchBatch, recordDelivery } from '@procore-mirror/mirror';
import { createTestDatabase } from '@procore-mirror/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillPending } from './fill-pending.ts';
import { aBody, type Mirror, startMirror } from './start-mirror.ts';

type Backlog = { database: Database; huge: BatchKey };

const rounds = 15;
const timesPerRound = 20;
const mostTimes = 1.5;
const mostMegabytes = 300;
const minutesOfWork = 3;
/** Kinds of resources that are planned in different ways, in a project with five records of each, in both backlogs. */
const planned = ['RFIs', 'Locations', 'Submittals', 'Punch Items', 'Drawings', 'RFI Replies', 'Work Logs', 'Tasks'];

let mirror: Mirror;
let thousand: Backlog;
let million: Backlog;
let own: BatchKey[];
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  mirror = await startMirror('redis', { projects: 0, simulator: { callsPerHour: 3600, callsPerTenSeconds: 25 } });
  closing.push(mirror.close);
  const batches = await seedCompanies();
  const small = await createTestDatabase();
  closing.push(small.drop);
  await migrateDatabase({ url: small.url, tables: catalogue.tables });
  const database = openDatabase({ url: small.url, applicationName: 'test' });
  closing.push(database.close);
  thousand = { database, huge: batches[0]! };
  million = { database: mirror.database, huge: batches[0]! };
  const last = batches.at(-1)!;
  own = planned.map((resource) => ({ companyId: last.companyId, projectId: '4242', resource }));
  await fillPending(thousand.database, {
    records: 1000,
    batches: batches.slice(0, 300),
    own: { batches: own, each: 5 },
  });
  await fillPending(million.database, { records: 1_000_000, batches, own: { batches: own, each: 5 } });
}, 900_000);

afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

/** Companies and projects that the simulator knows, and every batch that they could have, in no order but one with much first. */
async function seedCompanies(): Promise<BatchKey[]> {
  const sizes = Object.fromEntries(catalogue.mirrored.map(({ resource }) => [resource, 1]));
  const batches: BatchKey[] = [];
  for (let company = 0; company < 4; company += 1) {
    const seeded = { projects: 30, sizes: { ...sizes, Locations: company === 0 ? 200 : 1 } };
    const { companyId, projectIds } = await mirror.system.control<{ companyId: string; projectIds: string[] }>(
      'POST',
      '/control/seed',
      seeded,
    );
    for (const { resource, scope } of catalogue.mirrored) {
      for (const projectId of scope === 'company' ? [null] : projectIds)
        batches.push({ companyId, projectId, resource });
    }
  }
  const order = (batch: BatchKey, index: number) =>
    batch.resource === 'Locations' ? index : 1e6 + ((index * 7919) % 99_991);
  return batches
    .map((batch, index) => ({ batch, at: order(batch, index) }))
    .sort((a, b) => a.at - b.at)
    .map(({ batch }) => batch);
}

test('a million pending records make no step dearer than a thousand do', async () => {
  const { rows } = await million.database.pool.query(
    `select count(*)::int as batches, sum(size)::int as records, max(size)::int as largest, min(size)::int as smallest
      from (select count(*) as size from mirror.pending group by company_id, project_id, resource) as batch`,
  );
  console.table(rows);
  const measured = Object.entries(steps).map(([step, run]) => ({
    step,
    run,
    thousand: [] as number[],
    million: [] as number[],
  }));
  for (let round = 0; round <= rounds; round += 1) {
    for (const { run, thousand: few, million: many } of measured) {
      const [first, second] = [await run(thousand, round), await run(million, round)];
      if (round === 0) continue; // plans and caches are made
      few.push(first);
      many.push(second);
    }
  }
  const table = measured.map(({ step, thousand: few, million: many }) => ({
    step,
    'ms with a thousand': median(few),
    'ms with a million': median(many),
    times: median(many) / median(few),
  }));
  console.table(table.map((row) => rounded(row)));
  for (const { step, times } of table) expect.soft(times, step).toBeLessThanOrEqual(mostTimes);
});

const steps: Record<string, (backlog: Backlog, round: number) => Promise<number>> = {
  'record an event of a new record': (backlog, round) =>
    average((index) => recordEventOf(backlog, own[index % own.length]!, `7${round}00${index}`)),
  'record an event of a pending record': (backlog) =>
    average(async (index) => {
      const batch = own[index % own.length]!;
      const rank = 1 + (index % own.length);
      await recordEventOf(backlog, batch, String(900000000000000 + rank * 100000 + 1 + (index % 5)));
    }),
  'claim a batch': async (backlog) => {
    const claimed: Batch[] = [];
    const ms = await average(async () => claimed.push((await claim(backlog.database))!));
    for (const batch of claimed) await releaseBatch(backlog.database, batch, { holder: 'test', restMs: 0 });
    return ms;
  },
  'release a batch': async (backlog) => {
    const claimed: Batch[] = [];
    for (let n = 0; n < timesPerRound; n += 1) claimed.push((await claim(backlog.database))!);
    return average((index) => releaseBatch(backlog.database, claimed[index]!, { holder: 'test', restMs: 0 }));
  },
  'note and plan a batch': (backlog) =>
    average((index) => planOnly(backlog.database, { ...own[index % own.length]!, lane: 'live' })),
};

/** What is not part of an event's or a batch's way, for the record. */
test('what else looks at pending records', async () => {
  const table: Record<string, unknown>[] = [];
  const others: Record<string, (database: Database) => Promise<unknown>> = {
    'every ten minutes: reschedule': rescheduleBatches,
    'each second in npm start: pulse': ({ pool }) => readPulse(pool),
    'pnpm mirror status': ({ pool }) => readStatus(pool, {}, { isBrief: true }),
    'plan the largest batch': (database) => planOnly(database, { ...million.huge, lane: 'live' }),
  };
  for (const [what, run] of Object.entries(others)) {
    const [few, many] = [thousand, million].map(
      ({ database }) =>
        () =>
          timed(() => run(database)),
    );
    await few!();
    await many!();
    table.push({ what, 'ms with a thousand': await few!(), 'ms with a million': await many!() });
  }
  console.table(table.map((row) => rounded(row)));
  expect(table).toHaveLength(4);
});

test('a worker that fetches from a million pending records takes less than 300 MB', async () => {
  const { system, database } = mirror;
  const worker = await system.startWorker();
  const pid = String((await worker.line('holder')).holder).split('/')[1];
  const before = await countPending(database);
  for (let minute = 1; minute <= minutesOfWork; minute += 1) {
    await sleep(60_000);
    const { total, byStatus } = await system.control<{ total: number; byStatus: object }>('GET', '/control/calls');
    console.log(
      `minute ${minute}: ${total} calls ${JSON.stringify(byStatus)}, ${before - (await countPending(database))} records done, ${await peakMegabytes(pid)} MB at most`,
    );
  }
  expect(worker.isRunning()).toBe(true);
  expect(await countPending(database)).toBeLessThan(before);
  expect(await peakMegabytes(pid)).toBeLessThan(mostMegabytes);
});

async function recordEventOf({ database }: Backlog, batch: BatchKey, recordId: string): Promise<void> {
  const { companyId, projectId, resource } = batch;
  const scope = { company_id: companyId, project_id: projectId, resource_type: resource, resource_id: recordId };
  const recorded = await recordDelivery(
    { database, catalogue, selection: { companyIds: null, resources: null }, delayMs: 0, maxWaitMs: 60_000 },
    { body: Buffer.from(aBody(scope)), receivedAt: new Date() },
  );
  expect(recorded.outcome).toBe('pending');
}

function claim(database: Database): Promise<Batch | null> {
  return claimBatch(database, { holder: 'test', leaseMs: 60_000, mostPerCompany: 1000, onlyLive: false });
}

/** A run up to its first request, which is never made. */
async function planOnly(database: Database, batch: Batch): Promise<void> {
  const ending = new AbortController();
  const refuse = () => {
    ending.abort();
    return new Error('no request is made');
  };
  const client: FetchSettings['client'] = {
    get: () => Promise.reject(refuse()),
    send: () => Promise.reject(refuse()),
    // biome-ignore lint/correctness/useYield: it fails before it would
    pages: async function* () {
      throw refuse();
    },
    clockAheadMs: () => null,
    close: async () => {},
  };
  const settings = {
    database,
    client,
    catalogue,
    delayMs: 0,
    maxWaitMs: 60_000,
    absencePauseMs: 0,
    lateEventsMs: 0,
    pageSize: 1000,
    random: Math.random,
    neighbours: createNeighbours(),
  };
  await fetchBatch({ ...settings, parking: { firstPauseMs: 1000, longestPauseMs: 1000 } }, batch, ending.signal);
  expect(ending.signal.aborted).toBe(true);
}

async function countPending(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>('select count(*)::int as count from mirror.pending');
  return rows[0]?.count ?? 0;
}

async function peakMegabytes(pid: string | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}

async function average(work: (index: number) => Promise<unknown>): Promise<number> {
  const ms = await timed(async () => {
    for (let index = 0; index < timesPerRound; index += 1) await work(index);
  });
  return ms / timesPerRound;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

function rounded(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([key, value]) => [key, typeof value === 'number' ? Number(value.toFixed(2)) : value]),
  );
}
