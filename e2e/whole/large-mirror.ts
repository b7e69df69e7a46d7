// A mirror at work, for proofs of what it costs to tell how it is: filled by SQL, since only its size matters.
import { catalogue } from '@procore-mirror/catalogue';
import { type Database, foldCounts } from '@procore-mirror/database';

export type Size = { rows: number; pending: number; projects: number };

/** Two companies, and so many projects: the odd ones of the first, the even ones of the second; each with every table of the catalogue. */
export async function fillLargeMirror(database: Database, { rows, pending, projects }: Size): Promise<void> {
  const query = (text: string, values: unknown[] = []) => database.pool.query(text, values);
  const each = Math.ceil(rows / catalogue.tables.length);
  for (const { name, scope, idType } of catalogue.tables) {
    await query(`alter table procore.${name} set unlogged`);
    await query(
      `insert into procore.${name} (company_id, ${scope === 'project' ? 'project_id, ' : ''}id, _complete, _fetched_at, _version)
        select 1 + n % 2, ${scope === 'project' ? `1 + n % ${projects}, ` : ''}n::${idType}, n % 100 > 0, now(), 1 from generate_series(1, ${each}) n`,
    );
  }
  const lists = catalogue.tables.map(({ resource, scope }) => [resource, scope === 'project'] as const);
  await query(
    `create table lists as select row_number() over () as rank, 2 - p % 2 as company_id, case when in_project then p end as project_id, resource
      from generate_series(1, ${projects}) p cross join unnest($1::text[], $2::boolean[]) l(resource, in_project) where in_project or p <= 2`,
    [lists.map(([resource]) => resource), lists.map(([, inProject]) => inProject)],
  );
  await query('alter table lists add primary key (rank)');
  await query('analyze lists');
  // A tenth is news of events; the first lists have most.
  await query(`insert into mirror.pending (company_id, project_id, resource, record_id, lane, happened_at, to_fill, first_seen_at, ready_at)
    select company_id, project_id, resource, n::text, case when n % 10 = 0 then 'live' else 'backfill' end::mirror.lane,
      case when n % 10 = 0 then now() - random() * interval '1 hour' end, n % 10 > 0, now() - random() * interval '1 hour', now()
    from lists l
      cross join lateral generate_series(1, (${pending} / 100 * exp(-sqrt(rank) / 5))::int + ${pending} / 2 / (select count(*) from lists)) n`);
  for (const statement of BESIDE) await query(statement);
  await foldCounts(database);
  await query('vacuum analyze');
  // Not folded yet: what changes in ten seconds.
  await query(
    `update mirror.pending set attempts = 1 where record_id = '7' and (company_id, resource) in (select company_id, resource from lists order by random() limit 20)`,
  );
}

/** What a mirror at work has beside: days of events, a week of calls, fills, hooks, and ninety days of proofs. */
const BESIDE = [
  `insert into mirror.batches (company_id, project_id, resource, lane, due_at, first_due_at)
    select company_id, project_id, resource, lane, now() - random() * interval '1 hour', now() - random() * interval '1 hour'
    from lists, unnest('{live, backfill}'::mirror.lane[]) lane`,
  `insert into mirror.events (id, company_id, project_id, resource, record_id, kind, occurred_at, received_at, payload_version, raw, outcome, reason)
    select n::text, company_id, project_id, resource, n::text, 'update', now(), now() - random() * interval '3 days', 'v4.0', '{}',
      case when n % 20 = 0 then 'ignored' else 'pending' end, case when n % 20 = 0 then 'no_known_endpoint' end
    from generate_series(1, 120000) n join lists l on l.rank = 1 + (n::bigint * n) % 4001`,
  `insert into mirror.fetches (called_at, company_id, project_id, resource, lane, route, status, ms)
    select now() - random() * interval '7 days', company_id, project_id, resource, 'live', '/x', 200, 100
    from generate_series(1, 100800) n join lists l on l.rank = 1 + (n::bigint * n) % 4001`,
  `insert into mirror.backfills (company_id, project_id, resource, state, complete_since, complete_before, finished_at)
    select company_id, project_id, resource, 'done', now() - interval '1 day', now() - interval '2 days', now() - interval '1 day' from lists`,
  `insert into mirror.proofs (company_id, project_id, resource, rung, proved_at, as_of, missing, changed, extra, calls, outcome)
    select company_id, project_id, resource, 'listing', at, at, 0, 0, 0, 1, case when random() < 0.01 then 'differs' else 'equal' end
    from lists cross join generate_series(now() - interval '80 days', now(), interval '5 days') at`,
  `insert into mirror.comparisons (company_id, project_id, resource, rung, state, outcome, requested_at, finished_at, next_cheap_at, next_listing_at)
    select company_id, project_id, resource, 'listing', 'done', 'equal', now() - interval '1 hour', now(), now() + interval '1 day', now() + interval '5 days' from lists`,
  `insert into mirror.trigger_sets (key, resources) select 'all', array_agg(distinct resource) from lists`,
  `insert into mirror.selection (company_id, project_id, is_active, is_selected) select distinct company_id, project_id, true, true from lists where project_id is not null`,
  `insert into mirror.hooks (company_id, project_id, payload_version, hook_id, status, good_until, carries_key, looked_at)
    select company_id, project_id, 'v4.0', row_number() over (), 'active', now() - random() * interval '1 hour', 'all', now()
    from (select distinct company_id, project_id from lists) p`,
  `insert into mirror.delivery_looks (company_id, project_id, hook_id, status, covers_from, covers_until)
    select company_id, project_id, hook_id, 'any', now() - interval '80 days', now() - random() * interval '1 hour' from mirror.hooks`,
  `insert into mirror.receivers (id, host, pid, version, started_at, reported_at, report) values ('a', 'a', 1, '1', now(), now(), '{}')`,
  // The app was disconnected for a while.
  `insert into mirror.event_gaps (company_id, project_id, since, until, because, heeded_at)
    select company_id, project_id, now() - interval '9 hours', now() - interval '8 hours', 'disconnected', now() from mirror.hooks`,
];
