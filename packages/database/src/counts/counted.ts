// What is counted, and by which triggers. Each statement that changes a counted table notes by how much, in its own transaction and
// in rows of its own: nobody waits for a count, whoever writes is counted, and whoever is killed is not.
//
//   statement ──trigger──▶ mirror.count_changes ──a worker, now and then──▶ mirror.counts        a count = the sum of both

import type { Name } from '../migrate/migration-statement.ts';
import { LIVE } from '../rows/look-up.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, tableName } from '../schema/quote.ts';

export type Counted = {
  table: Name;
  /** In `mirror.counts`. NULL resource: of every one. */
  kind: 'row' | 'pending' | 'event' | 'call';
  resource: string | null;
  /** Of its trigger, with its arguments. */
  trigger: { function: string; arguments: readonly string[]; after: readonly ('insert' | 'update' | 'delete')[] };
  /** What a count gives: company_id, project_id, resource, part, total, live, parts, failed, last_at. Null: it is only counted for a day. */
  truth: string | null;
};

/**
 * SQL: from when on what is counted for a day is counted: not before calls were. NULL: none was yet. Events and calls are compared, so
 * they are of the same time.
 */
export const DAY_START = `(
  select greatest(now() - interval '24 hours', date_bin('10 minutes', first_at, '2000-01-01 00:00+00'))
  from (select min(called_at) as first_at from mirror.fetches) f where first_at is not null)`;

/** SQL: all counts, each in parts to be added up. */
export const ALL_COUNTS = `(
  select company_id, project_id, resource, kind, part, total, live, parts, failed, lately, last_at from mirror.counts
  union all
  select company_id, project_id, resource, kind, part, total, live, parts, failed, case when period >= ${DAY_START} then total else 0 end,
    last_at from mirror.count_changes)`;

/** SQL: calls of the last hour, in parts to be added up. */
export const CALLS_OF_HOUR = `(
  select company_id, project_id, resource, total, failed from mirror.count_periods where kind = 'call' and period > now() - interval '1 hour'
  union all
  select company_id, project_id, resource, total, failed from mirror.count_changes where kind = 'call' and period > now() - interval '1 hour')`;

const PENDING: Counted = {
  table: { schema: 'mirror', name: 'pending' },
  kind: 'pending',
  resource: null,
  trigger: { function: 'count_pending', arguments: [], after: ['insert', 'update', 'delete'] },
  truth: `select company_id, project_id, resource, lane::text as part, count(*) as total, 0 as live, count(*) filter (where to_fill) as parts,
    count(*) filter (where attempts > 0) as failed, null::timestamptz as last_at from mirror.pending group by 1, 2, 3, 4`,
};

const EVENTS: Counted = {
  table: { schema: 'mirror', name: 'events' },
  kind: 'event',
  resource: null,
  trigger: { function: 'count_events', arguments: [], after: ['insert', 'delete'] },
  truth: `select company_id, project_id, resource, case when outcome = 'ignored' then coalesce(reason, '') end as part, count(*) as total,
    0 as live, 0 as parts, 0 as failed, max(received_at) as last_at from mirror.events group by 1, 2, 3, 4`,
};

const CALLS: Counted = {
  table: { schema: 'mirror', name: 'fetches' },
  kind: 'call',
  resource: null,
  trigger: { function: 'count_calls', arguments: [], after: ['insert'] },
  truth: null,
};

/** All that is counted of a mirror with these tables. */
export function allCounted(tables: readonly MirroredTable[]): readonly Counted[] {
  return [PENDING, EVENTS, CALLS, ...tables.map(countedRows)];
}

function countedRows(table: MirroredTable): Counted {
  const { name, resource, scope } = table;
  return {
    table: { schema: 'procore', name },
    kind: 'row',
    resource,
    trigger: {
      function: scope === 'project' ? 'count_rows_of_projects' : 'count_rows_of_companies',
      arguments: [resource],
      after: ['insert', 'update', 'delete'],
    },
    truth: `select company_id, ${scope === 'project' ? 'project_id' : 'null::bigint as project_id'}, ${quoteLiteral(resource)} as resource,
    null as part, count(*) as total, count(*) filter (where ${LIVE}) as live, count(*) filter (where ${LIVE} and not _complete) as parts,
    0 as failed, max(_fetched_at) as last_at from ${tableName(table)} group by 1, 2`,
  };
}

/** SQL: the lists of which records are pending, and how many of these a backfill read in part only (`parts`). */
export const PENDING_LISTS = `(
  select company_id, project_id, resource, sum(total) as total, sum(parts) as parts from ${ALL_COUNTS} c
  where kind = 'pending' group by 1, 2, 3 having sum(total) > 0)`;

/** SQL: the earliest moment in a column of the pending records of list `l`; an index begins with it. */
export function earliestPending(column: 'first_seen_at' | 'happened_at'): string {
  // By project, too: of those without one Postgres would sort all, since no index is in the order that it believes to need.
  const one = (isPlace: string): string => `(
    select p.${column} from mirror.pending p where p.company_id = l.company_id and ${isPlace} and p.resource = l.resource
      and p.${column} is not null order by p.project_id, p.${column} limit 1)`;
  return `case when l.project_id is null then ${one('p.project_id is null')} else ${one('p.project_id = l.project_id')} end`;
}
