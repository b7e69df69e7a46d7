// What is told of backfills while they are under way, by whoever watches.
import type { Queryable } from '../connection/queryable.ts';
import { pendingLanes } from '../counts/counted.ts';
import type { BatchKey } from '../schedule/batch.ts';

export type BackfillProgress = {
  /** Lists (a resource in a scope) that were asked for, that are over, and of these that could not be filled. */
  lists: number;
  over: number;
  failed: number;
  /** Records that came, and calls that it took. */
  records: number;
  calls: number;
  /** Calls that it may yet take, by what lists took until now. */
  callsToGo: number;
  /** Records of these companies that lists carry in part and that are not shown yet; where no request was named, also when all lists are over. */
  toComplete: number;
  /** Calls of lane `backfill` in an hour, by the last ten minutes; null: there were none, or too few to tell. */
  callsPerHour: number | null;
  /** One that is read now. */
  now: BatchKey | null;
  /** Rows that were buried, because lists lack them. */
  buried: number;
  /** What is to be known of those that are done: what was done without, what lists lack and stays; the first hundred. */
  remarks: readonly (BatchKey & { reason: string })[];
  /** Those that could not be filled, and those that are tried again, with the reason; the first hundred of each. */
  failures: readonly (BatchKey & { reason: string })[];
  retries: readonly (BatchKey & { reason: string })[];
};

/** Of these requests, and of them a part; null stands for all: of every request that is not over. */
export type BackfillPart = {
  requests: readonly string[] | null;
  companyIds?: readonly string[] | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
};

/** How far the backfills are. */
export async function readBackfillProgress(client: Queryable, part: BackfillPart): Promise<BackfillProgress> {
  const { requests, companyIds = null, projectId, resource } = part;
  const { rows } = await client.query<{ progress: string }>(PROGRESS, [requests, companyIds, projectId, resource]);
  return JSON.parse(rows[0]?.progress ?? 'null') as BackfillProgress; // made by the statement below
}

const KEY = `'companyId', company_id::text, 'projectId', project_id::text, 'resource', resource`;
const FIRST_HUNDRED = (
  condition: string,
) => `(select coalesce(jsonb_agg(jsonb_build_object(${KEY}, 'reason', coalesce(detail, ''))), '[]')
    from (select * from part where ${condition} order by company_id, project_id nulls first, position limit 100) as first)`;

/** Fewer of ten minutes tell no pace. */
const CALLS_OF_A_PACE = 10;

const PROGRESS = `
with part as (
  select * from mirror.backfills b
  where b.request = any(coalesce($1::text[], array(
      select distinct request from mirror.backfills where state in ('waiting', 'running') and request is not null)))
    and ($2::bigint[] is null or company_id = any($2)) and ($3::bigint is null or project_id = $3)
    and ($4::text is null or lower(resource) = lower($4))
),
usual as (select greatest(coalesce(avg(calls) filter (where state = 'done'), 1), 1) as calls from part)
select jsonb_build_object(
  'lists', count(*), 'over', count(*) filter (where state not in ('waiting', 'running')),
  'failed', count(*) filter (where state = 'failed'),
  'records', coalesce(sum(rows), 0), 'calls', coalesce(sum(calls), 0),
  'buried', coalesce(sum(buried), 0), 'remarks', ${FIRST_HUNDRED(`state = 'done' and detail is not null`)},
  'callsToGo', coalesce(ceil(sum(case when state not in ('waiting', 'running') then 0
    when total > rows and rows > 0 and calls > 0 then (total - rows) * calls::numeric / rows
    else (select calls from usual) end)), 0),
  'toComplete', (select coalesce(sum(total), 0) from ${pendingLanes(`part = 'backfill'`)} l
    where ($1::text[] is null or company_id in (select company_id from part))
    and ($2::bigint[] is null or company_id = any($2)) and ($3::bigint is null or project_id = $3)
    and ($4::text is null or lower(resource) = lower($4))),
  'callsPerHour', (select case when count(*) >= ${CALLS_OF_A_PACE} and now() - min(called_at) >= interval '1 minute'
      then round(count(*) * 3600 / extract(epoch from now() - min(called_at))) end
    from mirror.fetches where called_at > now() - interval '10 minutes' and lane = 'backfill' and ($2::bigint[] is null or company_id = any($2))),
  'now', (select jsonb_build_object(${KEY}) from part where state = 'running' and lease_until > now()
    order by position, company_id, project_id limit 1),
  'failures', ${FIRST_HUNDRED(`state = 'failed'`)},
  'retries', ${FIRST_HUNDRED(`state in ('waiting', 'running') and attempts > 0`)}
)::text as progress from part`;
