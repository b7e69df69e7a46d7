// What we gave up on. A body that we could not read stays until it is replayed and read, or discarded. A record has one dead
// letter however often it fails:
//
//   pending ──given up──▶ dead letter ──when due, or replayed──▶ pending, and a dead letter still ──settled──▶ neither
//                              ▲──────────────────given up again──────────────────────┘
//
// A fetch knows of a record what its dead letter knows, a deletion among its news, too; whoever settles the record removes the
// dead letter (`settle-records.ts`).
import type { Database } from '../connection/open-database.ts';
import type { Queryable, Transaction } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import type { BatchKey, NotedRecord } from '../schedule/batch.ts';
import { DISCARDED_LATER } from '../schedule/proofs.ts';
import { happenedAt } from './happened-at.ts';

/** A body that we could not use. */
export type UnreadDelivery = {
  id: string;
  reason: string;
  detail: string;
  raw: string;
  /** What it is about, as far as it says. Ids are decimal text that a bigint holds. */
  about: { companyId: string | null; projectId: string | null; resource: string; recordId: string } | null;
  /** As for `LoggedEvent`. */
  occurredAt: string | null;
  receivedAt: Date;
  via: string;
};

/** Keeps a body that we could not use. The same one again counts as another attempt. Returns whether it is new. */
export async function keepUnreadDelivery(client: Queryable, letter: UnreadDelivery): Promise<boolean> {
  const { id, reason, detail, raw, about, occurredAt, receivedAt, via } = letter;
  const { rows } = await client.query<{ is_new: boolean }>(
    `insert into mirror.dead_letters as d (id, kind, reason, detail, raw, company_id, project_id, resource, record_id, happened_at)
      values ($1, 'delivery', $2, $3, $4, $5, $6, $7, $8, ${happenedAt('$9::timestamptz', '$10::timestamptz', '$11::text')})
      on conflict (id) do update set happened_at = least(d.happened_at, excluded.happened_at), attempts = d.attempts + 1, last_seen_at = now(), reason = excluded.reason,
        detail = excluded.detail
      returning xmax = 0 as is_new`,
    [
      ...[id, reason, withoutNul(detail), raw],
      ...[about?.companyId, about?.projectId, about?.resource, about?.recordId, occurredAt, receivedAt, via],
    ],
  );
  return rows[0]?.is_new === true;
}

/**
 * Turns pending records into dead letters, each with the newest event that told of it. News that came since stays pending.
 * Each is to be tried again after the times `retryAfterMs`, beginning anew when there was news since it was given up before.
 * Returns those that had no dead letter yet.
 */
export async function giveUpRecords(
  database: Database,
  key: BatchKey,
  records: readonly Pick<NotedRecord, 'id' | 'generation'>[],
  why: { reason: string; detail: string; retryAfterMs: readonly number[] },
): Promise<{ id: string; recordId: string }[]> {
  const { rows } = await database.pool.query<{ id: string; recordId: string; isNew: boolean }>(
    `with given_up as (
        delete from mirror.pending p using unnest($4::text[], $5::bigint[]) as f(record_id, generation)
        where p.company_id = $1 and p.project_id is not distinct from $2::bigint and p.resource = $3
          and p.record_id = f.record_id and p.generation = f.generation
        returning p.*
      )
      insert into mirror.dead_letters as d (id, kind, company_id, project_id, resource, record_id, reason, detail, raw,
        attempts, next_try_at, event_id, occurred_at, delete_seen, delete_occurred_at, parent_id, happened_at, to_fill)
      select ${deadLetterId('g')}, 'record', g.company_id, g.project_id, g.resource, g.record_id, $6, $7,
        coalesce(e.raw::text, to_jsonb(g)::text), g.attempts + 1, now() + $8::float8 * interval '1 ms', g.event_id,
        g.occurred_at, g.delete_seen, g.delete_occurred_at, g.parent_id, g.happened_at, g.to_fill
      from given_up g left join mirror.events e on e.id = g.event_id order by 1
      on conflict (id) do update set attempts = d.attempts + excluded.attempts, last_seen_at = now(),
        reason = excluded.reason, detail = excluded.detail,
        raw = case when ${HAD_NEWS} then excluded.raw else d.raw end, tries = case when ${HAD_NEWS} then 0 else d.tries end,
        next_try_at = case when ${HAD_NEWS} then excluded.next_try_at else d.next_try_at end, 
        event_id = coalesce(excluded.event_id, d.event_id),
        occurred_at = greatest(d.occurred_at, excluded.occurred_at), delete_seen = d.delete_seen or excluded.delete_seen,
        delete_occurred_at = greatest(d.delete_occurred_at, excluded.delete_occurred_at),
        happened_at = least(d.happened_at, excluded.happened_at), to_fill = d.to_fill or excluded.to_fill,
        parent_id = coalesce(excluded.parent_id, d.parent_id)
      returning d.id, d.record_id as "recordId", xmax = 0 as "isNew"`,
    [
      key.companyId,
      key.projectId,
      key.resource,
      records.map(({ id }) => id),
      records.map(({ generation }) => generation),
      why.reason,
      withoutNul(why.detail),
      why.retryAfterMs[0] ?? null,
    ],
  );
  return rows.filter(({ isNew }) => isNew).map(({ id, recordId }) => ({ id, recordId }));
}

const HAD_NEWS = 'coalesce(excluded.event_id <> d.event_id, d.event_id is null and excluded.event_id is not null)';

/** SQL: the id of the dead letter that a record has, if it has one. No body has such an id. */
export function deadLetterId(record: string): string {
  return `concat_ws('/', ${record}.company_id, ${record}.project_id, ${record}.resource, ${record}.record_id)`;
}

/** Mostly there are no dead letters; asked first, this keeps a statement from looking for that of each record. */
export const SOME_ARE_DEAD = '(select true from mirror.dead_letters limit 1)';

/** A record with a dead letter. */
export type GivenUpRecord = BatchKey & { id: string; recordId: string };

const RECORD_COLUMNS = `id, company_id::text as "companyId", project_id::text as "projectId", resource, record_id as "recordId"`;

/**
 * Takes records that are due to be tried again out of the schedule, the longest-waiting first, and puts the next try of each
 * in it. Leaves out those that are pending already: they are being tried. Part of the caller's transaction, which marks the
 * others pending. Two processes never take the same.
 */
export async function takeDueTries(
  client: Transaction,
  { limit, retryAfterMs }: { limit: number; retryAfterMs: readonly number[] },
): Promise<GivenUpRecord[]> {
  const { rows } = await client.query<GivenUpRecord>(
    `with due as (
        select id from mirror.dead_letters where next_try_at <= now() order by next_try_at limit $1 for update skip locked
      ),
      taken as (
        update mirror.dead_letters d set tries = d.tries + 1,
          -- Counted from when it was given up, but not soon after a try that came late.
          next_try_at = case when ($2::float8[])[d.tries + 2] is not null then greatest(
            now() + ($2::float8[])[1] * interval '1 ms',
            d.next_try_at + (($2::float8[])[d.tries + 2] - ($2::float8[])[d.tries + 1]) * interval '1 ms') end
        from due where d.id = due.id returning d.*
      )
      select ${RECORD_COLUMNS} from taken t where not exists (select from mirror.pending p
        where p.company_id = t.company_id and p.project_id is not distinct from t.project_id and p.resource = t.resource
          and p.record_id = t.record_id)`,
    [limit, retryAfterMs],
  );
  return rows;
}

/** How long until the first try is due, ms; less than 0 when one is. Null: none is to come. */
export async function timeToFirstTry(client: Queryable): Promise<number | null> {
  const { rows } = await client.query<{ ms: number | null }>(
    'select (extract(epoch from min(next_try_at) - now()) * 1000)::float8 as ms from mirror.dead_letters',
  );
  return rows[0]?.ms ?? null;
}

/** Which dead letters are meant: these, or all that fit. */
export type DeadLetterChoice = {
  ids?: readonly string[] | undefined;
  companyId?: string | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
  reason?: string | undefined;
};

/** SQL condition with the parameters $1 to $5. */
export const IS_CHOSEN = `($1::text[] is null or id = any($1)) and ($2::bigint is null or company_id = $2)
  and ($3::bigint is null or project_id = $3) and ($4::text is null or lower(resource) = lower($4))
  and ($5::text is null or reason = $5)`;

export function choiceValues({ ids, companyId, projectId, resource, reason }: DeadLetterChoice): unknown[] {
  return [ids, companyId, projectId, resource, reason];
}

type Portion = { after: string; limit: number };

/** Records among the chosen dead letters, in the order of their ids, beginning after one. */
export async function findGivenUp(
  client: Queryable,
  choice: DeadLetterChoice,
  { after, limit }: Portion,
): Promise<GivenUpRecord[]> {
  const { rows } = await client.query<GivenUpRecord>(
    `select ${RECORD_COLUMNS} from mirror.dead_letters where ${IS_CHOSEN} and kind = 'record' and id > $6 order by id limit $7`,
    [...choiceValues(choice), after, limit],
  );
  return rows;
}

/** Bodies among the chosen dead letters, in the order of their ids, beginning after one. */
export async function findUnread(
  client: Queryable,
  choice: DeadLetterChoice,
  { after, limit }: Portion,
): Promise<{ id: string; raw: string; firstSeenAt: string }[]> {
  const { rows } = await client.query<{ id: string; raw: string; firstSeenAt: string }>(
    `select id, raw, first_seen_at as "firstSeenAt" from mirror.dead_letters
      where ${IS_CHOSEN} and kind = 'delivery' and id > $6 order by id limit $7`,
    [...choiceValues(choice), after, limit],
  );
  return rows;
}

/**
 * Forgets the chosen dead letters and returns their ids. What is pending of them stays pending. That what they told of is lacking, unless it
 * is pending, is remembered until a proof shows otherwise.
 */
export async function discardDeadLetters(database: Database, choice: DeadLetterChoice): Promise<string[]> {
  return inTransaction(database, (client) => discard(client, choice));
}

/** The same of these, in a transaction of the caller's. */
export async function discardById(client: Transaction, ids: readonly string[]): Promise<string[]> {
  return discard(client, { ids });
}

async function discard(client: Transaction, choice: DeadLetterChoice): Promise<string[]> {
  // Comparisons that end meanwhile know of it (`addProof`).
  await client.query('lock table mirror.proofs in share row exclusive mode');
  const { rows } = await client.query<{ id: string }>(DISCARD, choiceValues(choice));
  return rows.map(({ id }) => id);
}

// A comparison leaves out a record that waits or was given up, whenever it is made; but it does not know of a body that nobody could read, so one that began
// after that came shows what it told of.

const DISCARD = `
with discarded as (delete from mirror.dead_letters where ${IS_CHOSEN} returning *),
returned as (
  update mirror.pending p set happened_at = least(p.happened_at, d.happened_at), to_fill = p.to_fill or d.to_fill from discarded d
  where d.kind = 'record' and p.company_id = d.company_id and p.project_id is not distinct from d.project_id
    and p.resource = d.resource and p.record_id = d.record_id
  returning d.id
),
unfilled as (
  update mirror.backfills b set complete_since = null, complete_before = null from discarded d
  where d.to_fill and d.id not in (select id from returned) and b.company_id = d.company_id and b.project_id is not distinct from d.project_id and b.resource = d.resource
),
lacking as (
  insert into mirror.event_gaps (company_id, project_id, resource, since, until, because)
  select coalesce(d.company_id, h.company_id), case when d.company_id is null then h.project_id else d.project_id end, lower(d.resource),
    min(d.happened_at), max(case d.kind when 'record' then clock_timestamp() else d.last_seen_at end) + interval '10 seconds', 'discarded'
  from discarded d left join mirror.hooks h on d.company_id is null
  where d.happened_at is not null and d.reason <> 'bad_report' and d.id not in (select id from returned)
    and coalesce(d.company_id, h.company_id) is not null
  group by 1, 2, 3
),
-- A comparison leaves out what waits, so it said nothing of these records.
unproved as (
  update mirror.proofs p set outcome = 'not proved', detail = concat_ws('; ', p.detail, '${DISCARDED_LATER}')
  from (select company_id, project_id, resource, min(happened_at) as happened_at from discarded
    where kind = 'record' and happened_at is not null and id not in (select id from returned) group by 1, 2, 3) d
  where p.outcome = 'equal' and p.company_id = d.company_id and p.project_id is not distinct from d.project_id
    and p.resource = d.resource and p.proved_at >= d.happened_at
)
select id from discarded`;

function withoutNul(text: string): string {
  return text.replaceAll('\0', '\ufffd');
}
