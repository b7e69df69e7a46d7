import type { Queryable } from '../connection/queryable.ts';

export type CallWindows = {
  /** The company whose windows they are; null: of all that have none of their own. */
  owner: string | null;
  /** What they allow; null: nothing is known yet. */
  hour: number | null;
  spike: number | null;
  /** Did an answer tell what the hour allows? Else it is assumed. */
  isHourTold: boolean;
  /** Answers came that tell of no limit at all. */
  isUnlimited: boolean;
  /** Calls for news of events, in the hour that runs or the one before, whichever had more. */
  live: number;
  /** The part of a window that backfills leave to others as long as it is new. */
  kept: number;
};

/** The windows that hold for calls of the company, as far as answers told of them. */
export async function readCallWindows(client: Queryable, companyId: string): Promise<CallWindows> {
  // Before the first answer an hour is assumed; one without limits leaves only `unknown`.
  const { rows } = await client.query<CallWindows>(
    `with every as (select * from mirror.windows_of($1)),
        windows as (select * from every where window_name in ('hour', 'spike'))
      select min(company_id)::text as owner, max(call_limit) filter (where window_name = 'hour') as hour,
        max(call_limit) filter (where window_name = 'spike') as spike,
        coalesce(bool_or(window_name = 'hour' and known_by <> 'assumed'), false) as "isHourTold",
        count(*) = 0 and exists (select from every where window_name = 'unknown') as "isUnlimited",
        coalesce((select greatest(sum(u.used_live), sum(u.used_live_before)) from mirror.budget_use u
          where u.window_name = 'hour' and exists (select from mirror.windows_of(u.company_id) w join windows o
            on w.window_name = o.window_name and w.company_id is not distinct from o.company_id)), 0)::int as live,
        (select leaves_beyond from mirror.lane_shares() where lane = 'backfill') as kept
      from windows`,
    [companyId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the windows of a company could not be read');
  return row;
}
