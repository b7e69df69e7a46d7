import type { Queryable } from '../connection/queryable.ts';

/** An hour in which backfills have few calls left: how many of how many, and when there are new ones. */
export type Shortage = { companyId: string; limit: number; left: number; nextAt: string };

/** The companies, of these (null: of those that are being filled), that have less than a twentieth of an hour's calls left for backfills, as far as is known. */
export async function readShortages(client: Queryable, companyIds: readonly string[] | null): Promise<Shortage[]> {
  const { rows } = await client.query<Shortage>(
    `select * from (
        select c.id::text as "companyId", b.call_limit as "limit", b.reset_at as "nextAt",
          greatest(0, floor(b.remaining - case when b.window_name = 'pause' then 0 else b.call_limit * s.leaves_beyond * least(1,
            extract(epoch from b.reset_at - now()) / greatest(extract(epoch from b.reset_at - b.opened_at), 1)) end))::int as "left"
        from unnest(coalesce($1::bigint[], array(select distinct company_id from mirror.backfills
          where state in ('waiting', 'running') and request is not null))) as c (id) cross join lateral mirror.windows_of(c.id) b
          join mirror.lane_shares() s on s.lane = 'backfill'
        where b.reset_at > now()
          and ((b.window_name = 'hour' and b.known_by in ('header', 'count', 'assumed')) or (b.window_name = 'pause' and b.remaining < 1))
      ) as windows where "left" < greatest(1, "limit" * 0.05) order by "nextAt" desc`,
    [companyIds],
  );
  return rows;
}

/** Until when one of the companies may make no call of any lane, as far as is known: its hour is used up, or it pauses; null: all may. */
export async function readCallsGone(client: Queryable, companyIds: readonly string[]): Promise<string | null> {
  const { rows } = await client.query<{ until: string | null }>(
    `select max(b.reset_at) as until from unnest($1::bigint[]) as c (id) cross join lateral mirror.windows_of(c.id) b
      where b.reset_at > now() and b.window_name in ('hour', 'pause') and b.remaining < 1`,
    [companyIds],
  );
  return rows[0]?.until ?? null;
}
