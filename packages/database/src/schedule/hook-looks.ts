// When the hooks of a company are looked at again, and how many calls that may take.
import type { Queryable } from '../connection/queryable.ts';

export type DueHook = {
  projectId: string | null;
  /** Else it left the selection, and its hook is to be removed. */
  isSelected: boolean;
  /** It was not looked at since it is selected. */
  isNew: boolean;
};

/** Where Procore let us not have a hook, it is asked again sooner than a hook is looked at. */
const ASK_AGAIN_MS = 600_000;

/**
 * The scopes of the company whose hooks are to be looked at: those that are new first, then the longest unseen. `isNamed`: the company
 * is to be mirrored, though its projects were not listed yet. `retries`: scopes that could not be looked at, and whether they are to be
 * tried again now; null stands for the company.
 */
export async function findDueHooks(
  client: Queryable,
  options: {
    companyId: string;
    payloadVersion: string;
    everyMs: number;
    isNamed: boolean;
    limit: number;
    retries: ReadonlyMap<string | null, boolean>;
  },
): Promise<DueHook[]> {
  const { companyId, payloadVersion, everyMs, isNamed, limit, retries } = options;
  const { rows } = await client.query<DueHook>(
    `with places as (
        select project_id, is_selected, selected_at, left_at from mirror.selection where company_id = $1
        union all
        select null, true, '-infinity', null
          where $4 and not exists (select from mirror.selection where company_id = $1 and project_id is null)
      ),
      looks as (
        select p.project_id, p.is_selected, h.looked_at,
          p.is_selected and coalesce(h.looked_at < p.selected_at, true) as is_new,
          case when p.is_selected then true else h.hook_id is not null end as has_work,
          not p.is_selected and h.looked_at < p.left_at as has_just_left,
          case when h.hook_id is null and h.finding is not null then least($3::float8, ${ASK_AGAIN_MS}) else $3::float8 end as every_ms
        from places p left join mirror.hooks h on h.company_id = $1 and h.payload_version = $2
          and coalesce(h.project_id, 0) = coalesce(p.project_id, 0)
      )
      select project_id::text as "projectId", is_selected as "isSelected", is_new as "isNew" from looks
        left join unnest($6::bigint[], $7::boolean[]) as r(id, is_due) on coalesce(r.id, 0) = coalesce(project_id, 0)
      where has_work and coalesce(r.is_due, is_new or has_just_left or looked_at <= now() - every_ms * interval '1 ms')
      order by is_new desc, has_just_left desc, looked_at, project_id nulls first limit $5`,
    [companyId, payloadVersion, everyMs, isNamed, limit, [...retries.keys()], [...retries.values()]],
  );
  return rows;
}

type ProjectsState = {
  /** When its projects were last listed, ms ago; null: never. */
  listedMs: number | null;
  /** When an event told of them that no list has followed, or of a new one that no list has shown, ms ago; null: none did. */
  announcedMs: number | null;
  /** False where it was never listed, and where no running worker named it for a while. */
  isSelected: boolean;
  /** How many there are to be mirrored, with the company itself. */
  scopes: number;
};

export async function readProjectsState(client: Queryable, companyId: string): Promise<ProjectsState> {
  const { rows } = await client.query<ProjectsState>(
    `select (extract(epoch from clock_timestamp() - seen_at) * 1000)::float8 as "listedMs",
        (extract(epoch from clock_timestamp() - coalesce(announced_at, (
          select min(e.received_at) from mirror.events e
          where e.received_at > now() - interval '3 minutes' and e.company_id = $1 and lower(e.resource) = 'projects'
            and e.kind = 'create' and not exists (
              select from mirror.selection p where p.company_id = $1 and p.project_id::text = e.record_id)
        ))) * 1000)::float8 as "announcedMs", is_selected as "isSelected",
        (select count(*)::int from mirror.selection where company_id = $1 and is_selected) as scopes
      from mirror.selection where company_id = $1 and project_id is null`,
    [companyId],
  );
  return rows[0] ?? { listedMs: null, announcedMs: null, isSelected: false, scopes: 1 };
}

/** Companies that have hooks of ours and are not selected any more, and that no worker has mirrored for so long, ms. */
export async function listLeftCompanies(client: Queryable, forMs: number): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select distinct company_id::text as id from mirror.selection s where not is_selected and project_id is null
      and not exists (select from mirror.workers w
        where w.seen_at > now() - $1::float8 * interval '1 ms' and s.company_id = any(w.company_ids))
      and exists (select from mirror.hooks h where h.company_id = s.company_id and hook_id is not null)`,
    [forMs],
  );
  return rows.map(({ id }) => id);
}

/** Where nobody tells of limits there may be none; so many calls must have been answered to know. */
const CALLS_WITHOUT_LIMIT = 20;

/**
 * How many calls hooks and lists of projects took in the last hour, but for the last `latelyMs` (a process enters its calls in batches), and
 * how many of all kinds an hour allows: 600 until it is known, and null where answers tell of no limit at all.
 */
export async function readHookCalls(
  client: Queryable,
  companyId: string,
  latelyMs: number,
): Promise<{ used: number; hourLimit: number | null; isTold: boolean }> {
  const { rows } = await client.query<{ used: number; hourLimit: number | null; isTold: boolean }>(
    `with told as (
        select window_name, call_limit from mirror.budget
        where window_name in ('spike', 'hour') and known_by in ('header', 'count') and (company_id is null or company_id = $1)
      ),
      made as (
        select count(*) filter (where lane = 'upkeep' and resource is null and route not like '%/deliveries') as hooks,
          count(*) filter (where status between 200 and 299) as answered
        from mirror.fetches where company_id = $1 and called_at > now() - interval '1 hour'
          and called_at < now() - $2::float8 * interval '1 ms'
      )
      select hooks::int as used, case
          when exists (select from told where window_name = 'hour') then (select min(call_limit) from told where window_name = 'hour')
          when exists (select from told) or answered < ${CALLS_WITHOUT_LIMIT} then 600
        end as "hourLimit", exists (select from told where window_name = 'hour') as "isTold"
      from made`,
    [companyId, latelyMs],
  );
  return rows[0] ?? { used: 0, hourLimit: 600, isTold: false };
}

/** Where most events of the last day came from, first. */
export async function listBusyScopes(client: Queryable): Promise<{ companyId: string; projectId: string | null }[]> {
  const { rows } = await client.query<{ companyId: string; projectId: string | null }>(
    `select company_id::text as "companyId", project_id::text as "projectId" from mirror.events
      where received_at > now() - interval '1 day' group by 1, 2 order by count(*) desc, 1, 2 limit 100`,
  );
  return rows;
}
