import type { Database } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { DAY_START, EARLIEST } from './counted.ts';

/**
 * Adds what statements noted to the counts, so that few rows are to be added up; so many `atOnce`, until `signal`. Safe in several processes at once, and at
 * any time.
 */
export async function foldCounts(
  database: Database,
  { atOnce = 20_000, signal }: { atOnce?: number; signal?: AbortSignal } = {},
): Promise<void> {
  for (let taken = atOnce; taken === atOnce && signal?.aborted !== true; ) {
    taken = await inTransaction(database, async (client) => {
      // Before the turn: who empties one of these has it first, too.
      await client.query('lock table mirror.pending, mirror.fetches in access share mode');
      await client.query(`select mirror.take_turn('counts')`);
      const { rows } = await client.query<{ taken: number }>(FOLD, [atOnce]);
      await client.query(FORGET_PERIODS);
      await client.query(FORGET_NOTHING);
      return rows[0]?.taken ?? 0;
    });
  }
}

const add = (summed: string): string => `
  insert into mirror.counts as c (company_id, project_id, resource, kind, part, total, live, parts, failed, lately, last_at, first_seen_at,
    happened_at)
  ${summed}
  on conflict (company_id, project_id, resource, kind, part) do update set total = c.total + excluded.total, live = c.live + excluded.live,
    parts = c.parts + excluded.parts, failed = c.failed + excluded.failed, lately = c.lately + excluded.lately,
    last_at = greatest(c.last_at, excluded.last_at), first_seen_at = excluded.first_seen_at, happened_at = excluded.happened_at`;

// The earliest moments are those of now: changes that are not taken yet say whether they still are.
const FOLD = `
with taken as (
  delete from mirror.count_changes where ctid = any(array(select ctid from mirror.count_changes limit $1)) returning *
),
summed as (
  select company_id, project_id, resource, kind, part, sum(total) as total, sum(live) as live, sum(parts) as parts, sum(failed) as failed,
    coalesce(sum(total) filter (where period >= ${DAY_START}), 0) as lately, max(last_at) as last_at from taken group by 1, 2, 3, 4, 5
),
added as (${add(`
  select company_id, project_id, resource, kind, part, total, live, parts, failed, lately, last_at, ${EARLIEST}
  from (select *, coalesce(project_id, 0) as place from summed where kind = 'pending') c
  union all
  select *, null, null from summed where kind <> 'pending'`)}
),
dated as (
  insert into mirror.count_periods as c (company_id, project_id, resource, kind, part, period, total, failed)
  select company_id, project_id, resource, kind, part, period, sum(total), sum(failed) from taken where period >= ${DAY_START} group by 1, 2, 3, 4, 5, 6
  on conflict (period, company_id, project_id, resource, kind, part) do update set total = c.total + excluded.total,
    failed = c.failed + excluded.failed
)
select count(*)::int as taken from taken`;

const FORGET_PERIODS = `
with past as (
  delete from mirror.count_periods where period < coalesce(${DAY_START}, 'infinity') returning *
)
${add('select company_id, project_id, resource, kind, part, 0, 0, 0, 0, -sum(total), null::timestamptz, null::timestamptz, null::timestamptz from past group by 1, 2, 3, 4, 5')}`;

const FORGET_NOTHING =
  'delete from mirror.counts where total = 0 and live = 0 and parts = 0 and failed = 0 and lately = 0';
