// What `/metrics` tells of the whole database beside what the judge goes by. One worker reads it every few seconds.
import type { Queryable } from '../connection/queryable.ts';
import { pendingLanes } from '../counts/counted.ts';
import type { Lane } from '../schedule/batch.ts';

/** Moments are ISO 8601 and those of Postgres; null: there is none. */
export type MetricFacts = {
  /** Lanes in which something waits. `oldestAt`: since when the record that waits longest does. */
  pending: readonly { lane: Lane; records: number; oldestAt: string | null }[];
  /** Scopes that are to have a hook, and hooks that are active. */
  hooks: { wanted: number; active: number };
  /** When the tables whose turn it is next were last proved equal, by any rung, and by their whole lists: the oldest of all companies. */
  proofs: { cheapAt: string | null; listingAt: string | null };
  /** When the last event came by a delivery; null also where none of the newest 10,000 events did. */
  deliveredAt: string | null;
  /** The newest migration of the database. */
  migration: string | null;
};

/** Reads it in one statement. */
export async function readMetricFacts(client: Queryable): Promise<MetricFacts> {
  const { rows } = await client.query<{ facts: string }>(FACTS);
  return JSON.parse(rows[0]?.facts ?? 'null') as MetricFacts; // made by the statement below
}

/** SQL value: of each company the table whose turn comes first, when that was last proved so; of these the oldest. */
const oldestProof = (turn: 'next_cheap_at' | 'next_listing_at', rungs: string) => `(
  select min((select max(p.proved_at) from mirror.proofs p where p.company_id = c.company_id
      and (p.project_id = c.project_id or (p.project_id is null and c.project_id is null)) and p.resource = c.resource
      and p.outcome = 'equal' ${rungs}))
  from (select distinct company_id from mirror.selection) s cross join lateral (
    select company_id, project_id, resource from mirror.comparisons
    where company_id = s.company_id and state in ('done', 'off') order by ${turn} limit 1) c)`;

/** Among so many, so that a mirror that hears of events by logs alone is not read whole. */
const NEWEST_EVENTS = 10_000;

const FACTS = `
select jsonb_build_object(
  'pending', (select coalesce(jsonb_agg(to_jsonb(l)), '[]') from (
    select part as lane, sum(total)::int as records, min(first_seen_at) as "oldestAt" from ${pendingLanes()} p group by part) l),
  'hooks', jsonb_build_object(
    'wanted', (select count(*) from mirror.selection where is_selected and is_active),
    'active', (select count(*) from mirror.hooks where hook_id is not null and status = 'active')),
  'proofs', jsonb_build_object('cheapAt', ${oldestProof('next_cheap_at', '')},
    'listingAt', ${oldestProof('next_listing_at', `and p.rung = 'listing'`)}),
  'deliveredAt', (
    select max(received_at) from (select received_at, via from mirror.events order by received_at desc limit ${NEWEST_EVENTS}) e where via = 'delivery'),
  'migration', (select max(name) from mirror.migrations)
)::text as facts`;

/**
 * Companies whose calls are short now: a window of theirs is used up, Procore gave them a pause, or their batches of news rest so that the hour
 * lasts.
 */
export async function listShortCompanies(client: Queryable): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(
    `select c.id::text as id
      from (select company_id from mirror.selection where project_id is null union select company_id from mirror.budget_use) as c (id)
      where mirror.pause_for_news(c.id, 'live') > interval '0' or exists (
        select from mirror.windows_of(c.id)
        where remaining < 1 and reset_at > now() and (window_name = 'pause' or known_by = 'header'))`,
  );
  return rows.map(({ id }) => id);
}
