// Repairs that somebody asks for: rows of `mirror.repairs`, one for each company; the workers do them.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import type { OpenRepair } from './delivery-looks.ts';

type Part = { companyIds: readonly string[]; projectId: string | null; since: Date | null };

/**
 * Has the workers repair these companies, or a project of one. Who asks for what is under way joins it. Returns the names under which the
 * work is to be found.
 */
export async function requestRepair(database: Database, request: string, part: Part): Promise<string[]> {
  return inTransaction(database, async (client) => {
    await client.query(`select mirror.take_turn('repairs')`);
    const { rows } = await client.query<{ request: string }>(
      `with wanted as (select unnest($2::bigint[]) as company_id),
        open as materialized (
          select r.company_id, r.request from mirror.repairs r join wanted using (company_id) where finished_at is null
            and project_id is not distinct from $3::bigint and since is not distinct from $4::timestamptz
        ),
        begun as (
          insert into mirror.repairs (request, company_id, project_id, since)
            select $1, company_id, $3, $4 from wanted where company_id not in (select company_id from open)
            returning request
        )
        select distinct request from begun union select request from open`,
      [request, part.companyIds, part.projectId, part.since],
    );
    return rows.map((row) => row.request);
  });
}

/** Repairs of the company that are under way, the first one first. */
export async function listOpenRepairs(client: Queryable, companyId: string): Promise<OpenRepair[]> {
  const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
  const { rows } = await client.query<OpenRepair>(
    `select request, project_id::text as "projectId", ${ms('since')} as "sinceMs", ${ms('requested_at')} as "requestedMs",
        ${ms('missed_since')} as "missedSinceMs", ${ms('oldest_event_at')} as "oldestEventMs"
      from mirror.repairs where company_id = $1 and finished_at is null order by requested_at`,
    [companyId],
  );
  return rows;
}

/** Notes since when a repair looks for missed deliveries, unless that was noted before. */
export async function noteMissedSince(
  database: Database,
  { request, companyId }: { request: string; companyId: string },
  since: Date,
): Promise<void> {
  await database.pool.query(
    `update mirror.repairs set missed_since = $3 where request = $1 and company_id = $2 and missed_since is null`,
    [request, companyId, since],
  );
}

/** Was an event of the company recorded before then? */
export async function isEventKnownBefore(client: Queryable, companyId: string, moment: Date): Promise<boolean> {
  const { rows } = await client.query<{ known: boolean }>(
    `select exists (select from mirror.events where received_at < $2 and company_id = $1) as known`,
    [companyId, moment],
  );
  return rows[0]?.known === true;
}

/** Notes that a repair is over, and on which days the log did not reach back to what we missed. */
export async function finishRepair(
  database: Database,
  { request, companyId }: { request: string; companyId: string },
  { olderThanLog, calls }: { olderThanLog: readonly string[]; calls: number },
): Promise<void> {
  await database.pool.query(
    `update mirror.repairs set finished_at = now(), older_than_log = $3, calls = calls + $4 where request = $1 and company_id = $2`,
    [request, companyId, olderThanLog, calls],
  );
}

export type RepairProgress = {
  /** Companies that were asked for, and those that are over. */
  companies: number;
  over: number;
  /** Hooks of theirs, and looks (a hook and a status) that were had since. */
  hooks: number;
  looks: number;
  calls: number;
  found: number;
  newEvents: number;
  unread: number;
  /** Hooks whose log was not to be read, and days that it does not reach back to. */
  unreached: readonly { companyId: string; projectId: string | null; hookId: string; reason: string }[];
  olderThanLog: readonly { companyId: string; day: string }[];
};

/** How far these repairs are. */
export async function readRepairProgress(client: Queryable, requests: readonly string[]): Promise<RepairProgress> {
  const { rows } = await client.query<{ progress: string }>(PROGRESS, [requests]);
  return JSON.parse(rows[0]?.progress ?? 'null') as RepairProgress; // made by the statement below
}

// What a look found stays of later ones only as long as none followed; so what is told of a repair that is over is what was so soon after.
const PROGRESS = `
with part as (select * from mirror.repairs where request = any($1)),
hooks as (
  select distinct h.company_id, h.project_id, h.hook_id, p.requested_at, p.finished_at from mirror.hooks h
  join part p on p.company_id = h.company_id and (p.project_id is null or p.project_id = h.project_id) where h.hook_id is not null
),
looks as (
  select l.* from mirror.delivery_looks l join hooks h using (company_id, hook_id)
  where l.tried_at >= h.requested_at and l.status <> 'any' -- workers have these by themselves
)
select jsonb_build_object(
  'companies', count(*), 'over', count(finished_at), 'hooks', (select count(distinct (company_id, hook_id)) from hooks),
  'looks', (select count(distinct (company_id, hook_id, status)) from looks),
  'calls', coalesce(sum(calls), 0), 'found', coalesce(sum(found), 0), 'newEvents', coalesce(sum(new_events), 0),
  'unread', coalesce(sum(unread), 0),
  'unreached', (select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'projectId', project_id::text,
      'hookId', hook_id, 'reason', reason) order by company_id, project_id nulls first, hook_id), '[]')
    from (select company_id, project_id, hook_id, min(finding) as reason from looks where finding is not null group by 1, 2, 3) u),
  'olderThanLog', (select coalesce(jsonb_agg(distinct jsonb_build_object('companyId', company_id::text, 'day', day)), '[]')
    from part p, unnest(p.older_than_log) as day)
)::text as progress from part`;
