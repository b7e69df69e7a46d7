// The mirror as it runs in production: an empty Postgres whose owner is no superuser, a Redis with an append-only file, one receiver and
// two workers. The commands make it whole, whatever is killed meanwhile; kills only take time.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, openDatabase } from '@procore-mirror/database';
import {
  type AppProcess,
  createTestDatabase,
  createTestRedis,
  type System,
  startApp,
  startSystem,
} from '@procore-mirror/testing';
import { afterEach, expect, test } from 'vitest';
import { compareWorld } from './compare-world.ts';

const PROJECTS = 20;
const SIZES = {
  ...{ Locations: 1_240, RFIs: 130, Submittals: 120, Drawings: 150, 'Punch Items': 100, 'Manpower Logs': 60 },
  ...{ 'Purchase Order Contracts': 6, 'Company Vendors': 120, 'Company Users': 60 },
};
const RECORDS = 50_000;
const SEED = 20_261_128;
const LONGEST_MS = 1_500_000;

type Part = 'first worker' | 'second worker' | 'command';
const PARTS = ['first worker', 'second worker', 'command'] as const;

type Call = { kind: string; resource: string | null; path: string; query: string };
/** Files and folders share a list, so that its path names it, not its resource. Project null: of the company, or the call does not say. */
type FillKey = { list: string; project: string | null };

type Stage = {
  system: System;
  database: Database;
  companyId: string;
  projectIds: string[];
  records: number;
  env: Record<string, string>;
};

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function anOwnersDatabase(): Promise<string> {
  const { pool, url, drop } = await createTestDatabase();
  const owner = `owner_${randomBytes(6).toString('hex')}`;
  await pool.query(`create role ${owner} login password 'of the test'`);
  await pool.query(`alter database ${new URL(url).pathname.slice(1)} owner to ${owner}`);
  closing.push(async () => {
    await pool.query(`reassign owned by ${owner} to current_user; drop owned by ${owner}; drop role ${owner}`);
    await drop();
  });
  return Object.assign(new URL(url), { username: owner, password: 'of the test' }).href;
}

async function setStage(): Promise<Stage> {
  const [databaseUrl, queueUrl] = [await anOwnersDatabase(), await createTestRedis()];
  const simulator = { callsPerHour: null, callsPerTenSeconds: null, callsKept: 1_000_000 };
  const system = await startSystem({ databaseUrl, queueUrl, projects: 0, fetchDelayMs: 0, simulator });
  const database = openDatabase({ url: databaseUrl, applicationName: 'test' });
  closing.push(database.close, system.close);
  // Nothing lists these: they come with their events.
  const unlisted = catalogue.mirrored.filter(
    ({ list, parent }) => list?.shared === true || (list === null && parent?.embeddedAs === undefined),
  );
  const sizes = { ...Object.fromEntries(unlisted.map(({ resource }) => [resource, 0])), ...SIZES };
  const world = await system.control<Pick<Stage, 'companyId' | 'projectIds' | 'records'>>(
    ...(['POST', '/control/seed', { projects: PROJECTS, sizes }] as const),
  );
  await system.startIngest({ LOG_LEVEL: 'info' });
  const { clientId, clientSecret, authorization } = system.secrets;
  const env = {
    ...{ DATABASE_URL: databaseUrl, QUEUE_URL: queueUrl, LOG_LEVEL: 'info' },
    ...{ PROCORE_LOGIN_URL: system.simulatorUrl, PROCORE_API_URL: system.simulatorUrl },
    ...{ PROCORE_CLIENT_ID: clientId, PROCORE_CLIENT_SECRET: clientSecret, PROCORE_COMPANY_IDS: world.companyId },
    ...{ WEBHOOK_URL: system.receiverUrl, WEBHOOK_AUTHORIZATION: authorization },
  };
  return { system, database, env, ...world };
}

async function untilEnd(command: AppProcess): Promise<number | null> {
  await expect.poll(command.isRunning, { timeout: LONGEST_MS, interval: 200 }).toBe(false);
  return command.end('SIGTERM');
}

async function run({ env }: Stage, ...args: string[]): Promise<void> {
  const command = startApp('cli', env, { args });
  expect(await untilEnd(command), command.output()).toBe(0);
}

/** A number from 0 to 1, the same in each run of the proof. */
function seeded(): () => number {
  let seed = SEED;
  return () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
}

async function keysOfCalls({ system }: Stage, kind: 'list' | 'show'): Promise<Map<string, Call[]>> {
  const { recent } = await system.control<{ recent: Call[] }>('GET', '/control/calls');
  return Map.groupBy(
    recent.filter((call) => call.kind === kind),
    ({ path, query }) => `${path}?${query}`,
  );
}

/** Whoever looks for projects to select lists the active ones: the command does at each start, and it is no fill. */
function isOfFill({ resource, query }: Call): boolean {
  return resource !== 'Projects' || query.includes('by_status');
}

function fillOf({ resource, path, query }: Call): FillKey {
  const project = /(?:\/projects\/|[?&]project_id=)(\d+)/.exec(`${path}?${query}`)?.[1] ?? null;
  return { list: listOf(resource), project };
}

function listOf(resource: string | null): string {
  return (resource === null ? null : catalogue.get(resource).list?.path) ?? 'no list';
}

/** Fills of a worker that is dead and had them in hand. */
async function inHandOf({ database }: Stage, pid: number): Promise<FillKey[]> {
  const { rows } = await database.pool.query<{ resource: string; project: string | null }>(
    `select resource, project_id::text as project from mirror.backfills
      where state = 'running' and lease_until > now() and split_part(lease_holder, '/', 2) = $1`,
    [String(pid)],
  );
  return rows.map(({ resource, project }) => ({ list: listOf(resource), project }));
}

const seconds = (since: number) => Math.round((performance.now() - since) / 1000);

test.each([0, 20])('with %i kills the mirror becomes equal to the world', async (kills) => {
  const stage = await setStage();
  const { system, database, env, companyId, projectIds, records } = stage;
  expect(projectIds).toHaveLength(PROJECTS);
  expect(records).toBeGreaterThanOrEqual(RECORDS);
  await run(stage, 'migrate');
  await run(stage, 'hooks', 'apply');
  await system.control('DELETE', '/control/calls');
  const began = performance.now();
  const worker = () => system.startWorker({ ...env, ADMIN_PORT: '0' });
  const begin: Record<Part, () => Promise<AppProcess>> = {
    'first worker': worker,
    'second worker': worker,
    command: async () => startApp('cli', env, { args: ['backfill', '--json'] }),
  };
  const running: Record<Part, AppProcess> = {
    'first worker': await worker(),
    'second worker': await worker(),
    command: await begin.command(),
  };

  const random = seeded();
  const cut: FillKey[] = [];
  const killed = { 'first worker': 0, 'second worker': 0, command: 0 };
  const kill = async (part: Part) => {
    await running[part].end('SIGKILL');
    cut.push(...(await inHandOf(stage, running[part].pid)));
    killed[part] += 1;
    running[part] = await begin[part]();
  };
  const count = async (sql: string) => Number((await database.pool.query(`select ${sql} as count`)).rows[0].count);
  const filled = () => count('coalesce((select sum(rows) from mirror.backfills), 0)');
  const pending = () => count('(select count(*) from mirror.pending)');
  const patience = { timeout: LONGEST_MS, interval: 50 };
  const points = Array.from({ length: kills }, () => 0.9 * random()).toSorted((a, b) => a - b);
  for (const point of points) {
    await expect.poll(filled, patience).toBeGreaterThanOrEqual(point * records);
    await sleep(300 * random());
    await kill(PARTS[Math.floor(random() * PARTS.length)] ?? 'command');
  }
  expect(await untilEnd(running.command), running.command.output()).toBe(0);
  const fillSeconds = seconds(began);
  await expect.poll(pending, patience).toBe(0);

  expect((await compareWorld(database, system, { companyIds: [companyId], projectIds })).differences).toEqual([]);
  expect(await count(`(select count(*) from mirror.backfills where state not in ('done', 'off'))`)).toBe(0);
  expect(await count('(select count(*) from mirror.dead_letters)')).toBe(0);
  const [lists, shows] = [await keysOfCalls(stage, 'list'), await keysOfCalls(stage, 'show')];
  const again = [...lists.values()].flatMap((calls) => calls.filter(isOfFill).slice(1));
  const sum = (of: Map<string, Call[]>) => [...of.values()].reduce((total, calls) => total + calls.length, 0);
  console.table({
    ...{ records, kills, ...killed, 'seconds to fill': fillSeconds, seconds: seconds(began) },
    ...{ lists: sum(lists), 'read twice': again.length, 'fills cut off': cut.length },
    ...{ shows: sum(shows), 'shown twice': sum(shows) - shows.size },
  });
  // One page of each fill that was in hand when its worker was killed.
  const byFill = Map.groupBy(again, (call) => JSON.stringify(fillOf(call)));
  const tooOften = [...byFill.values()].filter((calls) => {
    const [fill] = calls.map(fillOf);
    const mayBe = cut.filter(({ list, project }) => list === fill?.list && [null, project].includes(fill.project));
    return calls.length > mayBe.length;
  });
  expect(tooOften).toEqual([]);
});
