// All that is known of one record, for whoever asks why it is there or not. Looked up by index: nothing of a large table is counted.
import pg from 'pg';
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { deadLetterId } from '../events/dead-letters.ts';
import { isFittingId } from '../rows/look-up.ts';
import type { BatchKey } from '../schedule/batch.ts';
import { scopeCovers } from '../schedule/scopes.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteName, tableName } from '../schema/quote.ts';
import type { Place } from './known-places.ts';
import type { ParkedScope } from './read-status.ts';

/** Which record is meant. */
export type RecordName = {
  /** As the catalogue spells it, and as events do. */
  resource: string;
  spellings: readonly string[];
  id: string;
  /** Null: it is not mirrored. */
  table: MirroredTable | null;
};

/** Moments are ISO 8601. */
export type RecordRow = {
  projectId: string | null;
  version: string;
  fetchedAt: string | null;
  changedAt: string | null;
  /** Its columns are as of that fetch; else a part of them is of an earlier one. */
  isComplete: boolean;
  /** It has content; else it was never seen, only missed. */
  wasSeen: boolean;
  deletedAt: string | null;
  hiddenAt: string | null;
  /** The newest event that was known when it was fetched, and when that came. */
  eventId: string | null;
  eventReceivedAt: string | null;
};

type PendingRecord = {
  lane: string;
  eventId: string | null;
  firstSeenAt: string;
  lastSeenAt: string;
  /** When its batch is due, and it is ready. */
  dueAt: string;
  /** A worker fetches it now. */
  isInHand: boolean;
  attempts: number;
  lastError: string | null;
  deleteSeen: boolean;
  /** When a fetch did not find it for the first time, if no news came since. */
  absentAt: string | null;
};

type RecordLetter = {
  id: string;
  reason: string;
  detail: string | null;
  attempts: number;
  firstSeenAt: string;
  lastSeenAt: string;
  nextTryAt: string | null;
  eventId: string | null;
};

type RecordEvent = {
  id: string;
  projectId: string | null;
  kind: string;
  occurredAt: string;
  receivedAt: string;
  via: string;
  deliveries: number;
  /** What was made of it at first: `pending` or `ignored`. */
  outcome: string;
  reason: string | null;
};

type RecordFill = {
  resource: string;
  state: string;
  rows: number;
  total: number | null;
  requestedAt: string;
  finishedAt: string | null;
  detail: string | null;
  /** When the last one began that read all there is, without a flaw. */
  completeSince: string | null;
};

type RecordProof = { rung: string; outcome: string; provedAt: string; asOf: string; detail: string | null };

type ParkedPlace = Omit<ParkedScope, 'probes'>;

type RecordHook = {
  /** Null: there is none. */
  hookId: string | null;
  status: string | null;
  finding: string | null;
  lookedAt: string | null;
  goodUntil: string | null;
  /** Has it the triggers of the resource? Null: they were not listed. */
  carries: boolean | null;
  isOffered: boolean;
  /** What Procore did not take of it (`RFIs update`). */
  refused: readonly string[];
  /** All events that happened between these are recorded, as its log of deliveries says. */
  logFrom: string | null;
  logUntil: string | null;
  /** When it was last read what Procore could not deliver by it; null: not all of that was. */
  undeliveredReadAt: string | null;
};

export type RecordFetch = {
  calledAt: string;
  lane: string | null;
  route: string;
  /** Null: no answer. */
  status: number | null;
  records: number | null;
};

/** What a record in one place is known by. */
export type RecordFacts = {
  companyId: string;
  /** Null: of the company. */
  projectId: string | null;
  company: { isSelected: boolean; leftAt: string | null; seenAt: string | null } | null;
  /** As the list of projects has it; null: it never had it, or the record is of the company. */
  project: {
    name: string | null;
    isSelected: boolean;
    isActive: boolean;
    leftAt: string | null;
    seenAt: string | null;
    forgottenAt: string | null;
  } | null;
  row: RecordRow | null;
  /** Its row, in another project of the company. */
  elsewhere: RecordRow | null;
  pending: PendingRecord | null;
  deadLetter: RecordLetter | null;
  parked: readonly ParkedPlace[];
  hook: RecordHook | null;
  /** Of the resource, or of those that its records live in. */
  fills: readonly RecordFill[];
  /** Of those that tell in which lists its records are: how many were never read whole, and since when the others were. */
  above: { lacking: number; since: string | null };
  /** The newest comparison of its table, and the newest whole listing that was equal. */
  proof: RecordProof | null;
  listing: RecordProof | null;
  /** What the last comparison found of it. */
  difference: { kind: string; fields: string[] | null; foundAt: string } | null;
  /** Where fetches did not find it, the newest first. */
  absences: readonly { notedAt: string; lookAt: string | null; looks: number }[];
  /** Times in which no hook, or no trigger, was there to tell, or somebody discarded what told; the newest first. */
  gaps: readonly { since: string | null; until: string }[];
  /** What Procore held undelivered of the company when it was last asked. */
  undelivered: { count: number; oldestAt: string | null; askedAt: string } | null;
  /** The newest first. */
  events: readonly RecordEvent[];
};

const MOST_EVENTS = 10;
const MOST_FETCHES = 5;
/** So many of the newest requests are searched for those of one resource. */
const SEARCHED_FETCHES = 20_000;

/**
 * Where there is anything of the record: a row, news, an event, a dead letter, an absence or a difference. `companyIds`: those to look in; a
 * project narrows further.
 */
export async function findRecordPlaces(
  client: Queryable,
  record: RecordName,
  { companyIds, projectId, limit }: { companyIds: readonly string[]; projectId?: string | undefined; limit: number },
): Promise<Place[]> {
  const { table, resource, spellings, id } = record;
  const rows = table === null || !isFittingId(table, id) ? '' : `union all ${rowPlaces(table)}`;
  const { rows: places } = await client.query<Place>(
    `with companies as (select unnest($1::bigint[]) as company_id),
      places as (
        select company_id, null::bigint as project_id from companies
        union select s.company_id, s.project_id from mirror.selection s join companies using (company_id) where s.project_id is not null
      ),
      told as (
        select e.company_id, e.project_id from mirror.events e join companies using (company_id)
          where e.resource = any($2) and e.record_id = $3
        union all
        select p.company_id, p.project_id from mirror.pending p join companies using (company_id) where p.resource = $4 and p.record_id = $3
        union all
        select a.company_id, a.project_id from mirror.absences a join companies using (company_id)
          where a.resource = $4 and a.record_id = $3
        union all
        select p.company_id, p.project_id from places p
          join mirror.differences d on ${isSamePlace('d', 'p')} and d.resource = $4 and d.record_id = $3 and d.is_sure
        union all
        select p.company_id, p.project_id from (select company_id, project_id, $4::text as resource, $3::text as record_id from places) p
          join mirror.dead_letters d on d.id = ${deadLetterId('p')}
        ${rows}
      ),
      own as (select distinct company_id, case when $5 then project_id end as project_id from told)
      select company_id::text as "companyId", project_id::text as "projectId" from own
      where ($6::bigint is null or project_id = $6) and (project_id is not null or not $5)
      order by own.company_id, own.project_id limit $7`,
    [companyIds, spellings, id, resource, table?.scope !== 'company', projectId, limit],
  );
  return places;
}

/** SQL: where a row has this id; by the primary key. */
function rowPlaces(table: MirroredTable): string {
  const id = `$3::${table.idType}`;
  if (table.scope === 'company')
    return `select t.company_id, null from ${tableName(table)} t join companies using (company_id) where t.id = ${id}`;
  if (!table.idRepeatsAcrossProjects)
    return `select t.company_id, t.project_id from ${tableName(table)} t join companies using (company_id) where t.id = ${id}`;
  return `select t.company_id, t.project_id from places p join ${tableName(table)} t
    on t.company_id = p.company_id and t.project_id = p.project_id and t.id = ${id}`;
}

function isSamePlace(one: string, other: string): string {
  return `${one}.company_id = ${other}.company_id and (${one}.project_id = ${other}.project_id
    or (${one}.project_id is null and ${other}.project_id is null))`;
}

/** What is known of the record in each of these places, in the same order. */
export async function readRecordFacts(
  client: Queryable,
  record: RecordName,
  places: readonly Place[],
): Promise<RecordFacts[]> {
  const { table, resource, spellings, id } = record;
  const { rows } = await client.query<{ facts: string }>(factsStatement(table, id), [
    places.map(({ companyId }) => companyId),
    places.map(({ projectId }) => projectId),
    ...[resource, id, spellings, table?.filledBy ?? [resource], table?.provedBy?.parents ?? []],
  ]);
  return rows.map(({ facts }) => withPlaceOfRow(JSON.parse(facts) as RecordFacts, table)); // made by the statement
}

/** A row that another project has is elsewhere. */
function withPlaceOfRow(facts: RecordFacts, table: MirroredTable | null): RecordFacts {
  const { row, projectId } = facts;
  const isElsewhere = row !== null && table?.scope === 'project' && row.projectId !== projectId;
  return { ...facts, row: isElsewhere ? null : row, elsewhere: isElsewhere ? row : null };
}

function factsStatement(table: MirroredTable | null, id: string): string {
  const row = table === null || !isFittingId(table, id) ? 'null' : rowFacts(table);
  return `
with place as (
  select *, $3::text as resource, $4::text as record_id from unnest($1::bigint[], $2::bigint[]) with ordinality as p(company_id, project_id, n)
)
select jsonb_build_object('companyId', p.company_id::text, 'projectId', p.project_id::text,
  'company', (select jsonb_build_object('isSelected', is_selected, 'leftAt', left_at, 'seenAt', seen_at)
    from mirror.selection s where s.company_id = p.company_id and s.project_id is null),
  'project', (select jsonb_build_object('name', name, 'isSelected', is_selected, 'isActive', is_active, 'leftAt', left_at,
      'seenAt', seen_at, 'forgottenAt', forgotten_at)
    from mirror.selection s where s.company_id = p.company_id and s.project_id = p.project_id),
  'row', ${row},
  'pending', (select jsonb_build_object('lane', n.lane, 'eventId', event_id, 'firstSeenAt', first_seen_at, 'lastSeenAt', last_seen_at,
      'dueAt', greatest(ready_at, b.due_at), 'isInHand', coalesce(b.lease_until > now(), false), 'attempts', attempts, 'lastError', last_error,
      'deleteSeen', delete_seen, 'absentAt', case when absent_generation = generation then absent_at end)
    from mirror.pending n left join mirror.batches b on ${isSamePlace('b', 'n')} and b.resource = n.resource and b.lane = n.lane
    where ${isSamePlace('n', 'p')} and n.resource = $3 and n.record_id = $4),
  'deadLetter', (select jsonb_build_object('id', id, 'reason', reason, 'detail', detail, 'attempts', attempts, 'firstSeenAt', first_seen_at,
      'lastSeenAt', last_seen_at, 'nextTryAt', next_try_at, 'eventId', event_id)
    from mirror.dead_letters d where d.id = ${deadLetterId('p')}),
  'parked', (select coalesce(jsonb_agg(jsonb_build_object('companyId', s.company_id::text, 'projectId', s.project_id::text,
      'resource', s.resource, 'reason', s.reason, 'detail', s.detail, 'parkedAt', s.parked_at, 'probeAt', s.probe_at)
      order by s.company_id nulls first, s.project_id nulls first, s.resource nulls first), '[]')
    from mirror.scopes s where ${scopeCovers('s', 'p')}),
  'hook', (select jsonb_build_object('hookId', h.hook_id, 'status', h.status, 'finding', h.finding, 'lookedAt', h.looked_at,
      'goodUntil', h.good_until, 'isOffered', not lower($3) = any(select lower(unnest(h.not_offered))),
      'refused', (select coalesce(jsonb_agg(r), '[]') from unnest(h.refused) r where lower(r) in (lower($3), lower($3) || ' create', lower($3) || ' update', lower($3) || ' delete')),
      'carries', (select lower($3) = any(select lower(unnest(t.resources))) from mirror.trigger_sets t where t.key = h.carries_key),
      'logFrom', l.covers_from, 'logUntil', l.covers_until, 'undeliveredReadAt', (
        select case when count(u.looked_at) = 3 then min(u.looked_at) end from mirror.delivery_looks u
        where u.company_id = h.company_id and u.hook_id = h.hook_id and u.status in ('discarded', 'retrying', 'failed')))
    from mirror.hooks h left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'
    where ${isSamePlace('h', 'p')} order by h.good_until desc nulls last limit 1),
  'fills', (select coalesce(jsonb_agg(jsonb_build_object('resource', f.resource, 'state', f.state, 'rows', f.rows, 'total', f.total,
      'requestedAt', f.requested_at, 'finishedAt', f.finished_at, 'detail', f.detail, 'completeSince', f.complete_since)
      order by f.resource), '[]')
    from mirror.backfills f where ${isSamePlace('f', 'p')} and f.resource = any($6)),
  'above', (select jsonb_build_object('lacking', cardinality($7::text[]) - count(f.complete_since), 'since', min(f.complete_since))
    from mirror.backfills f where ${isSamePlace('f', 'p')} and f.resource = any($7)),
  'proof', ${proofFacts('true')},
  'listing', ${proofFacts(`o.outcome = 'equal' and o.rung = 'listing'`)},
  'difference', (select jsonb_build_object('kind', d.kind, 'fields', d.fields, 'foundAt', d.found_at)
    from mirror.differences d where ${isSamePlace('d', 'p')} and d.resource = $3 and d.record_id = $4 and d.is_sure),
  'absences', (select coalesce(jsonb_agg(jsonb_build_object('notedAt', noted_at, 'lookAt', look_at, 'looks', looks)
      order by noted_at desc), '[]')
    from (select * from mirror.absences a where a.company_id = p.company_id and a.resource = $3 and a.record_id = $4
      and (a.project_id is null or a.project_id = p.project_id) order by noted_at desc limit 5) a),
  'gaps', (select coalesce(jsonb_agg(jsonb_build_object('since', nullif(since, '-infinity'), 'until', until) order by until desc), '[]')
    from (select * from mirror.event_gaps g where ${isSamePlace('g', 'p')} and (g.resource is null or g.resource = lower($3))
      order by until desc limit 5) g),
  'undelivered', (select jsonb_build_object('count', count, 'oldestAt', oldest_at, 'askedAt', asked_at)
    from mirror.undelivered u where u.company_id = p.company_id and count > 0),
  'events', (select coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'projectId', e.project_id::text, 'kind', e.kind,
      'occurredAt', e.occurred_at, 'receivedAt', e.received_at, 'via', e.via, 'deliveries', e.deliveries, 'outcome', e.outcome,
      'reason', e.reason) order by e.received_at desc, e.id desc), '[]')
    from (select * from mirror.events e where e.company_id = p.company_id and e.resource = any($5) and e.record_id = $4
      ${table?.scope === 'company' ? '' : 'and e.project_id is not distinct from p.project_id'}
      order by e.received_at desc, e.id desc limit ${MOST_EVENTS}) e)
)::text as facts
from place p order by p.n`;
}

/** The newest requests for the list, or for records of it, with their answers; none where they are not among the newest of all. */
export async function findLatestFetches(
  client: Queryable,
  { companyId, projectId, resource }: BatchKey,
): Promise<RecordFetch[]> {
  const { rows } = await client.query<RecordFetch>(
    `select called_at as "calledAt", lane, route, status, records from (
        select * from mirror.fetches order by called_at desc limit ${SEARCHED_FETCHES}) latest
      where company_id = $1 and project_id is not distinct from $2::bigint and resource = $3 order by called_at desc limit ${MOST_FETCHES}`,
    [companyId, projectId, resource],
  );
  return rows;
}

function rowFacts(table: MirroredTable): string {
  const inProject = table.scope === 'project';
  const isHere = table.idRepeatsAcrossProjects ? 'and t.project_id = p.project_id' : '';
  return `(select jsonb_build_object('projectId', ${inProject ? `t.${quoteName('project_id')}::text` : 'null'}, 'version', t._version::text,
      'fetchedAt', t._fetched_at, 'changedAt', t._changed_at, 'isComplete', t._complete, 'wasSeen', t._data is not null, 'deletedAt', t._deleted_at,
      'hiddenAt', t._hidden_at, 'eventId', t._event_id,
      'eventReceivedAt', (select e.received_at from mirror.events e where e.id = t._event_id))
    from ${tableName(table)} t where t.company_id = p.company_id and t.id = $4::${table.idType} ${isHere})`;
}

function proofFacts(condition: string): string {
  return `(select jsonb_build_object('rung', o.rung, 'outcome', o.outcome, 'provedAt', o.proved_at, 'asOf', o.as_of, 'detail', o.detail)
    from mirror.proofs o where ${isSamePlace('o', 'p')} and o.resource = $3 and ${condition} order by o.proved_at desc limit 1)`;
}

/** So long dead letters are searched for a body. */
const SEARCH_MS = 1_000;
const QUERY_CANCELED = '57014';

export type UnreadBody = {
  id: string;
  reason: string;
  detail: string | null;
  firstSeenAt: string;
  companyId: string | null;
};

/** Bodies that nobody could use and that name the record. No index has them: where they are not searched through in a second, none. */
export async function findUnreadBodies(
  database: Database,
  { spellings, id }: RecordName,
  companyIds: readonly string[],
): Promise<UnreadBody[]> {
  return inTransaction(database, async (client) => {
    await client.query(`set local statement_timeout = ${SEARCH_MS}; savepoint search`);
    try {
      const { rows } = await client.query<UnreadBody>(
        `select id, reason, detail, first_seen_at as "firstSeenAt", company_id::text as "companyId" from mirror.dead_letters
          where kind = 'delivery' and lower(resource) = lower($1) and record_id = $2 and (company_id is null or company_id = any($3::bigint[]))
          order by last_seen_at desc limit 3`,
        [spellings[0], id, companyIds],
      );
      return rows;
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== QUERY_CANCELED) throw error;
      await client.query('rollback to savepoint search');
      return [];
    }
  });
}
