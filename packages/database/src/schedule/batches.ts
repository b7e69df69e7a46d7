// The schedule of fetches. A batch is due when the first of its pending records is ready; one worker at a time holds it
// by a lease that runs out when the worker dies. Doing a batch twice is harmless, so a lost lease is, too.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { type Batch, type BatchKey, type ClaimedBatch, isOfBatch, keyValues, type Lane } from './batch.ts';
import { lockCovering, PROBE_ASKS, scopeCovers } from './scopes.ts';

const inLane = (batch: Batch): string => `${isOfBatch(batch)} and lane = $4::mirror.lane`;
const batchValues = (batch: Batch): [string, string | null, string, Lane] => [...keyValues(batch), batch.lane];

export type ClaimOptions = {
  holder: string;
  leaseMs: number;
  /** Batches of one company that the holder takes at most, so that another company finds room. */
  mostPerCompany: number;
  /** Leave all other lanes alone. */
  onlyLive: boolean;
  /** Leave these resources alone, because the holder has enough of them. */
  notResources?: readonly string[];
  /** And these of single companies. */
  notPlaces?: readonly Pick<BatchKey, 'companyId' | 'resource'>[];
};

/**
 * Takes the lease of one due batch, or returns null when none is due. Lanes go in their order; in a lane batches of more worth, and
 * of these those of companies with fewer batches in hand come first, so a flood in one does not hold back another. Detail waits until nothing live is due,
 * but not for longer than half a minute, and not for live batches in hand for ten seconds, whose address may hang. While a window of calls is used up, or a company paused, nothing of it is given out:
 * a batch in hand gathers no more news. Parked scopes are left out until their probe is due; then one batch of them is given out.
 */
export async function claimBatch(database: Database, options: ClaimOptions): Promise<ClaimedBatch | null> {
  const { rows } = await database.pool.query<ClaimedBatch>({
    name: 'claim-batch',
    text: CLAIM_BATCH,
    values: [
      ...[options.holder, options.leaseMs, options.mostPerCompany, options.onlyLive, options.notResources ?? []],
      (options.notPlaces ?? []).map(({ companyId, resource }) => `${companyId}/${resource}`),
    ],
  });
  return rows[0] ?? null;
}

const EVERYTHING_IS_PARKED = '(select true from mirror.scopes where company_id is null)';

// However many batches are due, only the first of each company, lane and worth is looked at: `company` walks along the index
// from one to the next. A candidate stays locked for the moment that this takes, and others pass it over.
const CLAIM_BATCH = `
with recursive company (lane, id, worth) as (
  (select lane, company_id, worth from mirror.batches order by lane, company_id, worth limit 1)
  union all
  select n.lane, n.company_id, n.worth from company c cross join lateral (
    select b.lane, b.company_id, b.worth from mirror.batches b where (b.lane, b.company_id, b.worth) > (c.lane, c.id, c.worth)
    order by b.lane, b.company_id, b.worth limit 1) n
),
in_hand as (
  select company_id, count(*) as batches, count(*) filter (where lease_holder = $1) as ours
  from mirror.batches where lease_until > now() group by company_id
),
first as (
  select b.*, coalesce(h.batches, 0) as in_hand from company c left join in_hand h on h.company_id = c.id
  cross join lateral (
    select b.ctid, b.company_id, b.project_id, b.resource, b.lane, b.worth, b.due_at from mirror.batches b
    where b.lane = c.lane and b.company_id = c.id and b.worth = c.worth and b.due_at <= now()
      and (b.lease_until is null or b.lease_until <= now()) and b.resource <> all($5::text[])
      and b.company_id || '/' || b.resource <> all($6::text[])
      and not exists (select from mirror.scopes s where ${scopeCovers('s', 'b')} and s.probe_at > now())
    order by b.due_at limit 1 for update skip locked
  ) b
  where (c.lane = 'live' or not $4) and coalesce(h.ours, 0) < $3
    and not exists (select from mirror.windows_of(c.id)
      where remaining < 1 and reset_at > now() and known_by not in ('count', 'assumed') and not (known_by = 'probe' and window_name <> 'pause'
        and not exists (select from mirror.first_calls where called_at > now() - interval '2 seconds')))
    and not exists (select from mirror.scopes s
      where (s.company_id is null or s.company_id = c.id) and s.project_id is null and s.resource is null
        and s.probe_at > now())
),
next as (
  select * from first b
  where b.lane <> 'detail' or b.due_at <= now() - interval '30 seconds' or not (
    exists (select from mirror.batches l where l.lane = 'live' and l.lease_until > now()
      and l.served_at > now() - interval '10 seconds' and ${hasWellNews('l')})
    or exists (select from company c cross join lateral (
      select from mirror.batches l
      where l.lane = 'live' and l.company_id = c.id and l.worth = c.worth and l.due_at <= now() + interval '5 seconds'
        and l.resource <> all($5::text[]) and l.company_id || '/' || l.resource <> all($6::text[]) and ${hasWellNews('l')}
      limit 1) as due
    where c.lane = 'live'))
  -- Where everything is parked, companies that are not by themselves go first, and those that had their turn come last.
  order by case when ${EVERYTHING_IS_PARKED} then exists (select from mirror.scopes s
      where s.company_id = b.company_id and s.project_id is null and s.resource is null) end,
    case when ${EVERYTHING_IS_PARKED} then (select max(o.served_at) from mirror.batches o where o.company_id = b.company_id)
      end nulls first,
    b.lane, b.worth, b.in_hand, b.due_at limit 1
),
${lockCovering('next', 'next')},
due as (select coalesce(bool_and(probe_at <= now()), true) as is_due, ${PROBE_ASKS} as asks from covering),
probed as (
  -- Nobody else probes meanwhile. When this worker dies another may after a minute.
  update mirror.scopes s set probe_at = now() + interval '1 minute' from next, due
  where due.is_due and ${scopeCovers('s', 'next')} returning s.resource
)
update mirror.batches b set lease_holder = $1, lease_until = now() + $2::float8 * interval '1 ms', served_at = now()
from next, due where b.ctid = next.ctid and due.is_due
returning b.company_id as "companyId", b.project_id as "projectId", b.resource, b.lane,
  exists (select from probed) as "isProbe", exists (select from probed where resource is null) as "isWideProbe", asks as "probeAsks"`;

/**
 * SQL condition: a record of the batch did not fail yet, no parked scope covers it, and nor is its resource parked elsewhere in the
 * company. One that is tried again and again holds back nobody, nor does what is left alone until its probe, or will be soon.
 */
function hasWellNews(batch: string): string {
  return `not exists (select from mirror.scopes s where ${scopeCovers('s', batch)} and s.probe_at > now())
    and not exists (select from mirror.scopes s where s.company_id = ${batch}.company_id and s.resource = ${batch}.resource)
    and exists (select from mirror.pending p where p.company_id = ${batch}.company_id and p.resource = ${batch}.resource
      and (p.project_id = ${batch}.project_id or (p.project_id is null and ${batch}.project_id is null))
      and p.lane = ${batch}.lane and p.attempts = 0)`;
}

/** Prolongs the lease; false when another worker has taken the batch since. */
export async function renewLease(
  database: Database,
  batch: Batch,
  options: { holder: string; leaseMs: number },
): Promise<boolean> {
  const { rowCount } = await database.pool.query(
    `update mirror.batches set lease_until = now() + $6::float8 * interval '1 ms' where ${inLane(batch)} and lease_holder = $5`,
    [...batchValues(batch), options.holder, options.leaseMs],
  );
  return rowCount === 1;
}

/**
 * Gives the batch back, due again when the first of its pending records is ready (but not before `restMs`), idle when
 * none is left. Locks the batch before it looks, because recording news takes the same lock.
 */
export async function releaseBatch(
  database: Database,
  batch: Batch,
  { holder, restMs }: { holder: string; restMs: number },
): Promise<void> {
  await inTransaction(database, async (client) => {
    const held = await client.query(
      `select from mirror.batches where ${inLane(batch)} and lease_holder = $5 for update`,
      [...batchValues(batch), holder],
    );
    if (held.rowCount === 0) return;
    await client.query(
      `with next as (
          select first.worth, greatest(
              ready_at + case when ready_at > now() - interval '1 s' then mirror.pause_for_news($1::bigint, $4::mirror.lane)
                else interval '0' end,
              now() + $5::float8 * interval '1 ms') as due_at
          from (values (0::smallint), (1)) as worths(worth) cross join lateral (
            select p.worth, ready_at from mirror.pending p
            where ${inLane(batch)} and p.worth = worths.worth order by ready_at limit 1) as first
          order by ready_at > now(), case when ready_at <= now() then first.worth end, ready_at limit 1
        )
        update mirror.batches set lease_holder = null, lease_until = null, due_at = (select due_at from next),
          worth = coalesce((select worth from next), 0),
          first_due_at = (select due_at from next) where ${inLane(batch)}`,
      [...batchValues(batch), restMs],
    );
  });
}

/**
 * Makes due what has pending records and no due time, or one that no rest explains, as after a restore of the database.
 * Returns how many batches.
 */
export async function rescheduleBatches(database: Database): Promise<number> {
  const { rowCount } = await database.pool.query(
    `insert into mirror.batches as b (company_id, project_id, resource, lane, worth, due_at, first_due_at)
      select company_id, project_id, resource, lane, min(worth), min(ready_at), min(ready_at) from mirror.pending
      group by 1, 2, 3, 4 order by 1, 2, 3, 4
      on conflict (company_id, project_id, resource, lane) do update
        set worth = excluded.worth, due_at = excluded.due_at, first_due_at = excluded.first_due_at
      where b.due_at is null or b.due_at > excluded.due_at + interval '1 hour'`,
  );
  return rowCount ?? 0;
}

/** How long news of the batch waits before it is fetched, beyond the usual pause, because calls are short; ms. */
export async function readPauseForNews(client: Queryable, batch: Batch): Promise<number> {
  const { rows } = await client.query<{ ms: number }>(
    'select (extract(epoch from mirror.pause_for_news($1, $2)) * 1000)::float8 as ms',
    [batch.companyId, batch.lane],
  );
  return rows[0]?.ms ?? 0;
}
