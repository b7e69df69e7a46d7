// Old events and dead letters go in small portions, each a short transaction, so that nobody waits for them.
import type { Database } from '../connection/open-database.ts';
import { inTransaction } from '../connection/transaction.ts';
import { deadLetterId, discardById, SOME_ARE_DEAD } from './dead-letters.ts';

/**
 * Where a pass over old events goes on: what arrived before that moment was looked at, and so many of that moment that stay. `oldest`: of the
 * companies that it met, the first event of each.
 */
export type RetentionPlace = {
  moment: string;
  skip: number;
  oldest: readonly { companyId: string; id: string }[];
};

export const FROM_THE_OLDEST: RetentionPlace = { moment: '-infinity', skip: 0, oldest: [] };

export type RemovedPortion = {
  removed: number;
  /** Where the next portion begins; null: there is none now. */
  next: RetentionPlace | null;
};

/**
 * Removes some of the events that arrived more than `keepDays` days ago, the oldest first. Those stay whose record is pending or a dead letter,
 * those of a company that a repair is at, which compares them with Procore's log, and the oldest of each company, which tells since when we
 * know it.
 */
export async function removeOldEvents(
  { pool }: Database,
  { moment, skip, oldest }: RetentionPlace,
  { keepDays, limit }: { keepDays: number; limit: number },
): Promise<RemovedPortion> {
  const [companyIds, ids] = [oldest.map(({ companyId }) => companyId), oldest.map(({ id }) => id)];
  const { rows } = await pool.query<{
    seen: number;
    removed: number;
    last: string | null;
    oldest: RetentionPlace['oldest'];
  }>(REMOVE_EVENTS, [keepDays, moment, limit, companyIds, ids, skip]);
  const { seen = 0, removed = 0, last = null, oldest: more = [] } = rows[0] ?? {};
  if (seen < limit || last === null) return { removed, next: null };
  const stays = last === moment ? skip + seen - removed : 0;
  return { removed, next: { moment: last, skip: stays, oldest: [...oldest, ...more] } };
}

// Those that arrived in one moment may be of several portions, so a portion begins with that moment, not after it.
const REMOVE_EVENTS = `
with old as materialized (
  select id, company_id, project_id, resource, record_id, received_at from mirror.events
  where received_at < now() - $1::float8 * interval '1 day' and received_at >= $2::timestamptz order by received_at offset $6 limit $3
),
oldest as (
  select distinct on (company_id) company_id, id from old where company_id <> all($4::bigint[]) order by company_id, received_at, id
),
removed as (
  delete from mirror.events e using old o where e.id = o.id and o.id <> all($5::text[]) and o.id not in (select id from oldest)
    and not exists (select from mirror.pending p where p.company_id = o.company_id and p.resource = o.resource and p.record_id = o.record_id)
    and not (coalesce(${SOME_ARE_DEAD}, false) and exists (select from mirror.dead_letters d where d.id = ${deadLetterId('o')}))
    and not exists (select from mirror.repairs r where r.company_id = o.company_id and r.finished_at is null)
  returning e.id
)
select count(*)::int as seen, (select count(*)::int from removed) as removed, max(received_at)::text as last,
  (select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'id', id)), '[]') from oldest) as oldest from old`;

/**
 * Discards some of the dead letters that nothing tries again and that were last seen more than `keepDays` days ago, as an operator would: that
 * what they told of is lacking is remembered. Returns how many. Throws where it would have to wait for more than a second.
 */
export async function discardOldDeadLetters(
  database: Database,
  { keepDays, limit }: { keepDays: number; limit: number },
): Promise<number> {
  return inTransaction(database, async (client) => {
    const { rows } = await client.query<{ id: string }>(OLD_DEAD_LETTERS, [keepDays, limit]);
    if (rows.length === 0) return 0;
    await client.query(`set local lock_timeout = '1s'`);
    const ids = rows.map(({ id }) => id);
    return (await discardById(client, ids)).length;
  });
}

const OLD_DEAD_LETTERS = `select id from mirror.dead_letters d
  where last_seen_at < now() - $1::float8 * interval '1 day' and next_try_at is null
    and not exists (select from mirror.pending p where p.company_id = d.company_id and p.resource = d.resource and p.record_id = d.record_id)
  limit $2 for update skip locked`;
