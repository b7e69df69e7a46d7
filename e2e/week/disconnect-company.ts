// A day in which a company has disconnected the app, lived through in virtual time with all loops of the workers. Another company works on.
import { catalogue } from '@procore-mirror/catalogue';
import { requestVerification } from '@procore-mirror/mirror';
import { compareResource, type Difference, type WorldRecord } from '../whole/compare-world.ts';
import { type Company, openVirtualMirror, type VirtualMirror } from './virtual-mirror.ts';

export type DisconnectOptions = {
  /** What the company does when it disconnects. */
  when: 'begins to be filled' | 'is half filled' | 'is live' | 'has a backlog';
  /** Do its events go on arriving meanwhile? What Procore does is not known; else they are lost, and no log has them. */
  arrives: boolean;
  callsPerHour: number;
  projects: number;
  workers: number;
};

export type Disconnected = {
  /** Calls to it that were made before it was parked, and from its first probe on. */
  callsUntilParked: number;
  callsWhileParked: number;
  /** Calls to it that were refused for the limit, afterwards. */
  limited: number;
  /** From its return until nothing was left to fetch, hours; and the calls that it took. */
  hoursUntilComplete: number;
  callsUntilComplete: number;
  /** Fills that ended as failed. */
  failedFills: number;
  /** How long news of the other company waited until its row was right, on average, s: in that day, and in six hours afterwards. */
  otherWaited: { meanwhile: number; afterwards: number };
  /** What a person was told of, by how often. */
  said: Record<string, number>;
  differences: Difference[];
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const SIZES = { RFIs: 8, Submittals: 6, Locations: 5, 'Punch Items': 5, 'Company Vendors': 6, 'Manpower Logs': 4 };
const EDITS_PER_HOUR = 6;
const BACKLOG = 100;
const FIRST_PAUSE_MS = 20_000;

export async function disconnectCompany(options: DisconnectOptions): Promise<Disconnected> {
  const { callsPerHour, projects, workers } = options;
  const simulator = { callsPerHour, callsPerTenSeconds: 25, deliveryConcurrency: 50 };
  await using mirror = await openVirtualMirror({ simulator, projects: [projects, 2], sizes: SIZES, workers });
  const found = await mirror.time.run(liveThrough(mirror, options));
  return { ...found, said: countLines(mirror.said), differences: await compareAll(mirror) };
}

async function liveThrough(
  mirror: VirtualMirror,
  { when, arrives }: DisconnectOptions,
): Promise<Omit<Disconnected, 'said' | 'differences'>> {
  const { time, companies } = mirror;
  const [own, other] = companies;
  if (own === undefined || other === undefined) throw new Error('there are two companies');
  const ending = new AbortController();
  let isConnected = true;
  const connect = async (connected: boolean) => {
    await time.during(mirror.system.control('PATCH', `/control/companies/${own.companyId}`, { connected }));
    isConnected = connected;
  };
  const untilComplete = () => mirror.untilSo(() => isComplete(mirror, own), DAY_MS);

  mirror.start();
  await mirror.fill(other);
  if (when === 'begins to be filled') await connect(false);
  await mirror.fill(own);
  if (when === 'is half filled')
    await mirror.untilSo(async () => (await leftOf(mirror, own)).shareOfFills < 0.5, DAY_MS, 2_000);
  if (when === 'is live' || when === 'has a backlog') await untilComplete();
  if (when === 'has a backlog') await mirror.edit(own.companyId, { count: BACKLOG });
  await connect(false);
  const leftAt = time.now();
  const working = [
    work(mirror, other, { signal: ending.signal }),
    work(mirror, own, { signal: ending.signal, isLost: () => !arrives && !isConnected }),
  ];
  await time.sleep(DAY_MS);
  const parkedAt = await parkedSince(mirror, own);
  const before = await countCalls(mirror, own, leftAt, parkedAt);
  const probes = await countCalls(mirror, own, parkedAt + FIRST_PAUSE_MS, time.now());
  const meanwhile = await waitOf(mirror, other, leftAt);
  await connect(true);
  const backAt = time.now();
  await untilComplete();
  const isParked = async () =>
    (await mirror.database.pool.query('select from mirror.scopes where company_id = $1', [own.companyId])).rows.length >
    0;
  await mirror.untilSo(async () => !(await isParked()), DAY_MS);
  if (!arrives) await verify(mirror, own);
  await untilComplete();
  const completeAt = time.now();
  const calls = await countCalls(mirror, own, backAt, completeAt);
  await time.sleep(6 * HOUR_MS);
  const afterwards = await waitOf(mirror, other, completeAt);
  ending.abort();
  await Promise.all(working);
  await untilComplete();
  await mirror.stop();
  return {
    callsUntilParked: before.all,
    callsWhileParked: probes.all,
    limited: calls.limited,
    hoursUntilComplete: (completeAt - backAt) / HOUR_MS,
    callsUntilComplete: calls.all,
    failedFills: (await leftOf(mirror, own)).failed,
    otherWaited: { meanwhile, afterwards },
  };
}

/** Has them compare it with Procore, and waits. */
async function verify(mirror: VirtualMirror, company: Company): Promise<void> {
  const task = { rung: 'listing', sample: null, repairs: true, buriesAll: false } as const;
  await requestVerification(mirror.database, { catalogue, scopes: mirror.scopesOf(company), task });
  const isDone = async () => {
    const { rows } = await mirror.database.pool.query<{ left: number }>(
      `select count(*)::int as left from mirror.comparisons where company_id = $1 and state in ('waiting', 'running')`,
      [company.companyId],
    );
    return rows[0]?.left === 0;
  };
  await mirror.untilSo(isDone, DAY_MS);
}

/** People save a record now and then, until the signal. */
async function work(
  mirror: VirtualMirror,
  { companyId }: Company,
  { signal, isLost = () => false }: { signal: AbortSignal; isLost?: () => boolean },
): Promise<void> {
  while (!signal.aborted) {
    await mirror.time.sleep((2 * HOUR_MS * mirror.random()) / EDITS_PER_HOUR, signal).catch(() => null);
    if (!signal.aborted) await mirror.edit(companyId, { isLost: isLost() });
  }
}

type Left = { fills: number; failed: number; shareOfFills: number; pending: number };

/** What is yet to be fetched of it. */
async function leftOf({ database }: VirtualMirror, { companyId }: Company): Promise<Left> {
  const { rows } = await database.pool.query<Left>(
    `select count(*) filter (where state in ('waiting', 'running'))::int as fills,
        count(*) filter (where state = 'failed')::int as failed,
        coalesce(avg((state in ('waiting', 'running'))::int), 0)::float8 as "shareOfFills",
        (select count(*)::int from mirror.pending where company_id = $1) as pending
      from mirror.backfills where company_id = $1`,
    [companyId],
  );
  return rows[0] ?? { fills: 0, failed: 0, shareOfFills: 0, pending: 0 };
}

async function isComplete(mirror: VirtualMirror, company: Company): Promise<boolean> {
  const { fills, pending } = await leftOf(mirror, company);
  return fills === 0 && pending === 0;
}

async function parkedSince({ database }: VirtualMirror, { companyId }: Company): Promise<number> {
  const { rows } = await database.pool.query<{ at: number }>(
    `select (extract(epoch from parked_at) * 1000)::float8 as at from mirror.scopes
      where company_id = $1 and project_id is null and resource is null`,
    [companyId],
  );
  const [parked] = rows;
  if (parked === undefined) throw new Error('the company is not parked');
  return parked.at;
}

async function countCalls(
  { database }: VirtualMirror,
  { companyId }: Company,
  from: number,
  until: number,
): Promise<{ all: number; limited: number }> {
  const { rows } = await database.pool.query<{ all: number; limited: number }>(
    `select count(*)::int as all, count(*) filter (where status = 429)::int as limited from mirror.fetches
      where company_id = $1 and called_at > to_timestamp($2::float8 / 1000) and called_at <= to_timestamp($3::float8 / 1000)`,
    [companyId, from, until],
  );
  return rows[0] ?? { all: 0, limited: 0 };
}

async function waitOf({ database }: VirtualMirror, { companyId }: Company, from: number): Promise<number> {
  const { rows } = await database.pool.query<{ seconds: number }>(
    `select coalesce(avg(ms), 0)::float8 / 1000 as seconds from virtual_clock.waits
      where company_id = $1 and is_first and at > to_timestamp($2::float8 / 1000)`,
    [companyId, from],
  );
  return rows[0]?.seconds ?? 0;
}

async function compareAll({ system, database, companies, resources }: VirtualMirror): Promise<Difference[]> {
  const world = await system.controlLines<WorldRecord>('/control/world');
  const differences: Difference[] = [];
  for (const { companyId } of companies)
    for (const name of resources) {
      const records = world.filter((one) => one.companyId === companyId && one.resource === name);
      differences.push(...(await compareResource(database, catalogue.get(name), records, companyId)));
    }
  return differences;
}

function countLines(said: readonly string[]): Record<string, number> {
  const byMessage = Map.groupBy(said, (line) => line.split(' ').slice(1).join(' ').split(': ')[0] ?? '');
  return Object.fromEntries([...byMessage].map(([message, lines]) => [message, lines.length]));
}
