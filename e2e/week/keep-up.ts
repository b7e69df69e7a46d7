// Many projects and few calls: what looking after itself takes of them in some days, and how long hooks and logs go unseen. In virtual time, with
// all loops of a worker and people at work.
import { openVirtualMirror, type VirtualMirror } from './virtual-mirror.ts';

export type KeepUpOptions = { projects: number; callsPerHour: number; days: number; editsPerHour: number };

export type KeptUp = {
  /** Of the calls that Procore allows: what each kind of work took. */
  shares: Record<'all' | 'news' | 'hooks' | 'log' | 'proofs', number>;
  /** The longest time between two looks at the same one, or since the last one, hours. */
  unseen: { hooks: number; logs: number };
  /** Calls that were refused for the limit. */
  limited: number;
  /** Most waits of news until its row was right were shorter, s. */
  newsWaited: number;
};

const HOUR_MS = 3_600_000;
/** Ten hooks are made at a look, so that thousands are made in an hour. */
const SET_UP_LOOK_MS = 10_000;
/** Often enough for the shares of so many calls: ten comparisons are asked for at a look. */
const lookEveryMs = (callsPerHour: number) => Math.min(HOUR_MS / 2, (HOUR_MS * 100) / callsPerHour);

export async function keepUp(options: KeepUpOptions): Promise<KeptUp> {
  const { projects, callsPerHour, days, editsPerHour } = options;
  const simulator = { callsPerHour: 1_000_000, callsPerTenSeconds: null, deliveryConcurrency: 50 };
  await using mirror = await openVirtualMirror({
    simulator,
    projects: [projects],
    sizes: { RFIs: 1 },
    lookEveryMs: lookEveryMs(callsPerHour),
  });
  return await mirror.time.run(liveThrough(mirror, { callsPerHour, days, editsPerHour }));
}

async function liveThrough(
  mirror: VirtualMirror,
  { callsPerHour, days, editsPerHour }: Omit<KeepUpOptions, 'projects'>,
): Promise<KeptUp> {
  const { time, system, companies } = mirror;
  const companyId = companies[0]?.companyId ?? '';
  const scopes = 1 + (companies[0]?.projectIds.length ?? 0);
  mirror.start({ lookEveryMs: SET_UP_LOOK_MS });
  for (const company of companies) await mirror.fill(company);
  const isSetUp = async () => (await countSeen(mirror)) === scopes && (await countFills(mirror)) === 0;
  await mirror.untilSo(isSetUp, 72 * HOUR_MS, 10 * SET_UP_LOOK_MS);
  await mirror.stop();
  mirror.start();
  await time.during(system.control('PATCH', '/control/settings', { callsPerHour }));
  await time.sleep(2 * HOUR_MS); // until that is known
  const from = time.now();
  const until = from + days * 24 * HOUR_MS;
  while (time.now() < until) {
    await time.sleep((2 * HOUR_MS * mirror.random()) / editsPerHour);
    await mirror.edit(companyId);
  }
  const found = await report(mirror, { from, until, allowed: callsPerHour * days * 24 });
  await mirror.stop();
  return found;
}

async function countSeen({ database }: VirtualMirror): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `select count(*)::int as count from mirror.hooks where hook_id is not null and exists (
      select from mirror.delivery_looks l where l.hook_id = hooks.hook_id and l.status in ('any', 'discarded'))`,
  );
  return rows[0]?.count ?? 0;
}

async function countFills({ database }: VirtualMirror): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `select count(*)::int as count from mirror.backfills where state in ('waiting', 'running')`,
  );
  return rows[0]?.count ?? 0;
}

const LOG = `route like '%/deliveries'`;
const HOOKS = `lane = 'upkeep' and resource is null and not ${LOG}`;

async function report(
  { database }: VirtualMirror,
  { from, until, allowed }: { from: number; until: number; allowed: number },
): Promise<KeptUp> {
  const within = `called_at > to_timestamp($1::float8 / 1000) and called_at <= to_timestamp($2::float8 / 1000)`;
  const { rows } = await database.pool.query<Record<'all' | 'news' | 'hooks' | 'log' | 'proofs' | 'limited', number>>(
    `select count(*)::int as all, count(*) filter (where lane in ('live', 'detail', 'repair'))::int as news,
        count(*) filter (where ${HOOKS})::int as hooks, count(*) filter (where ${LOG})::int as log,
        count(*) filter (where lane = 'verify')::int as proofs, count(*) filter (where status = 429)::int as limited
      from mirror.fetches where ${within}`,
    [from, until],
  );
  const [made] = rows;
  if (made === undefined) throw new Error('unreachable: a sum is one row');
  const share = (calls: number) => Number((calls / allowed).toFixed(4));
  const waited = await database.pool.query<{ seconds: number }>(
    `select (percentile_cont(0.95) within group (order by ms) / 1000)::float8 as seconds from virtual_clock.waits
      where is_first and at > to_timestamp($1::float8 / 1000)`,
    [from],
  );
  return {
    shares: {
      ...{ all: share(made.all), news: share(made.news), hooks: share(made.hooks), log: share(made.log) },
      proofs: share(made.proofs),
    },
    unseen: {
      hooks: await longestUnseen(database, 'virtual_clock.hook_looks', { from, until }),
      logs: await longestUnseen(database, 'virtual_clock.log_looks', { from, until }),
    },
    limited: made.limited,
    newsWaited: waited.rows[0]?.seconds ?? 0,
  };
}

/** Hours between two looks at the same place, from the last one before `from` on. */
async function longestUnseen(
  { pool }: VirtualMirror['database'],
  looks: 'virtual_clock.hook_looks' | 'virtual_clock.log_looks',
  { from, until }: { from: number; until: number },
): Promise<number> {
  const { rows } = await pool.query<{ hours: number | null }>(
    `with looks as (select place, at from ${looks} union all
        select distinct place, to_timestamp($2::float8 / 1000) from ${looks}),
      times as (select at, lag(at) over (partition by place order by at) as before from looks
        where at <= to_timestamp($2::float8 / 1000))
      select (extract(epoch from max(at - before)) / 3600)::float8 as hours from times where at > to_timestamp($1::float8 / 1000)`,
    [from, until],
  );
  const hours = rows[0]?.hours;
  if (hours == null) throw new Error(`nothing was looked at in ${looks}`);
  return hours;
}
