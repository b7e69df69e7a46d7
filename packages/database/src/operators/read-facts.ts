// What the judge of the mirror goes by. Nothing large is counted: no row of `procore`, no pending record, no event.
import type { Queryable } from '../connection/queryable.ts';
import { listSilentScopes, type SilentScope } from '../schedule/delivery-looks.ts';
import { scopeCovers } from '../schedule/scopes.ts';
import type { WorkerReport } from '../schedule/workers.ts';
import { type BudgetStatus, budgetStatus } from './budget-status.ts';

/** NULL stands for all. */
export type FactPlace = { companyId: string | null; projectId: string | null; resource: string | null };

/** Scopes of which the same is to be said: how many, since when the first, and what they have in common (null: not one, or all). */
export type Group = FactPlace & { count: number; since: string | null; first: readonly FactPlace[] };

/** Moments are ISO 8601, and those of Postgres where nothing else is said. */
export type MirrorFacts = {
  now: string;
  /** By reason. */
  parked: readonly (Group & { reason: string; detail: string | null; probeAt: string })[];
  /** By what is wrong with them; `refused`: Procore does not take triggers that it offers. `since`: when it was last seen active, or its scope was selected. */
  hooks: readonly (Group & { state: 'missing' | 'disabled' | 'refused' | 'wrong'; finding: string | null })[];
  /** Scopes that are to be mirrored and whose hook nobody looked at yet, by company; `since`: when they were selected. */
  unseenHooks: readonly Group[];
  hasHooks: boolean;
  undelivered: readonly { companyId: string; count: number; oldestAt: string; askedAt: string }[];
  /** Days on which deliveries were missed that Procore's log did not tell of any more, when that was found, and nothing read anew since. */
  olderThanLog: readonly { companyId: string; foundAt: string; days: readonly string[] }[];
  /** `since`: when it was last read. */
  unreadLogs: readonly (Group & { finding: string })[];
  silent: readonly SilentScope[];
  /** By reason, and whether they are tried again by themselves. */
  deadLetters: readonly (Group & { reason: string; isRetried: boolean; nextTryAt: string | null })[];
  failedFills: readonly (Group & { detail: string | null })[];
  /** At most one. `retried`: failed before. `isHeld`: a worker is at one. `dueAt`: when the first might have been taken. */
  openFills: readonly (Group & { retried: number; detail: string | null; isHeld: boolean; dueAt: string })[];
  /** Records that lists carry in part and that are still to be shown: at most one group of batches. */
  toComplete: readonly Group[];
  budget: BudgetStatus;
  /** Companies that Procore gave 429, and until when they make no call. */
  pauses: readonly { companyId: string; until: string }[];
  /** Calls in the last hour, the one before, and the one before that. */
  callsByHour: readonly { companyId: string; calls: readonly number[] }[];
  /** Batches of news that are due and not fetched. `since`: when the first was due. */
  waitingNews: readonly Group[];
  /** Tables that no comparison proved for more than two rounds, by company. `roundMs`: how long one takes. */
  unproved: readonly (Group & { roundMs: number })[];
  /** Tables that a time without events touches, that only a fill shows whole, and that nobody fills by himself; `since`: the end of that time. */
  standing: readonly Group[];
  /** Tables of which no events came for a time, and that were not compared whole since; `since`: the end of that time. */
  missed: readonly Group[];
  /** Records that differ from Procore's and that nothing repaired yet. */
  differences: readonly Group[];
  receivers: readonly ReceiverFact[];
  /** What they reported of the last hour, a row for each receiver and kind. */
  gaps: readonly { receiver: string; kind: 'refused' | 'spooled'; since: string; until: string; count: number }[];
  workers: readonly {
    holder: string;
    startedAt: string;
    seenAt: string;
    stoppedAt: string | null;
    /** Null: one of before, that tells nothing. `aheadMs`: of the database's clock. */
    report: (WorkerReport & { aheadMs: number }) | null;
  }[];
};

export type ReceiverFact = {
  id: string;
  host: string;
  /** When it sent its last report, by its own clock, and when that was recorded. */
  reportedAt: string;
  recordedAt: string;
  stoppedAt: string | null;
  spoolHolds: number;
};

/** Left out: the whole mirror. */
export type FactsFilter = {
  companyId?: string | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
};

/** How long a round of proofs takes in a company, ms. */
export type ProofRound = { companyId: string; roundMs: number };

/**
 * What is not as it should be in the mirror, or a part of it: what covers the part belongs to it. Tables count as unproved by `rounds`; in
 * companies without one nobody is to prove them. `shownByFills`: resources that fills alone show whole.
 */
export async function readFacts(
  client: Queryable,
  filter: FactsFilter,
  { rounds, shownByFills }: { rounds: readonly ProofRound[]; shownByFills: readonly string[] },
): Promise<MirrorFacts> {
  const { companyId, projectId, resource } = filter;
  const [{ rows }, silent] = await Promise.all([
    client.query<{ facts: string }>(FACTS, [
      ...[companyId, projectId, resource],
      ...[rounds.map((round) => round.companyId), rounds.map((round) => round.roundMs), shownByFills],
    ]),
    listSilentScopes(client, companyId ?? null),
  ]);
  const facts = JSON.parse(rows[0]?.facts ?? 'null') as MirrorFacts; // made by the statement below
  const isOfPart = (scope: SilentScope) => projectId === undefined || scope.projectId === projectId;
  return { ...facts, silent: silent.filter(isOfPart) };
}

const NAMED = 3;

/** The same project, or none on both sides; an expression that can be hashed. */
const sameScope = (one: string, other: string) =>
  `${one}.company_id = ${other}.company_id and coalesce(${one}.project_id, 0) = coalesce(${other}.project_id, 0)`;

/** SQL condition: a row of `of` covers the part that is asked for, or belongs to it. Of a project it has to be known whose it is. */
const isOfPart = (of: string) => `($1::bigint is null or ${of}.company_id is null or ${of}.company_id = $1)
  and ($2::bigint is null or ${of}.project_id = $2 or (${of}.project_id is null and ${of}.resource is null
    and (${of}.company_id is null or ${of}.company_id in (select company_id from owner) or not exists (select from owner))))
  and ($3::text is null or ${of}.resource is null or lower(${of}.resource) = lower($3))`;

/** SQL condition: the scope of a row of `of` did not leave the selection. */
const isWanted = (of: string) =>
  `not exists (select from mirror.selection s where ${sameScope('s', of)} and not s.is_selected)`;

/** SQL value: the same where a row has one value in common with all. */
const inCommon = (column: string, type = '') =>
  `case when min(${column}) = max(${column}) and count(${column}) = count(*) then min(${column})${type} end`;

/**
 * SQL value: groups of these rows, which have `company_id`, `project_id`, `resource`, `since` and `keys`. `further`: values of a group, by name.
 */
function grouped(rows: string, keys: readonly string[] = [], further: Record<string, string> = {}): string {
  const columns = [
    ...keys.map((key) => `${key} as "${key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())}"`),
    ...Object.entries(further).map(([name, value]) => `${value} as "${name}"`),
  ];
  return `(select coalesce(jsonb_agg(to_jsonb(g) order by g.since nulls first), '[]') from (
    select ${columns.map((column) => `${column}, `).join('')} count(*)::int as count, min(since) as since,
      ${inCommon('company_id', '::text')} as "companyId", ${inCommon('project_id', '::text')} as "projectId", ${inCommon('resource')} as resource,
      jsonb_agg(jsonb_build_object('companyId', company_id::text, 'projectId', project_id::text, 'resource', resource) order by place)
        filter (where place <= ${NAMED}) as first
    from (
      select *, row_number() over (${keys.length === 0 ? '' : `partition by ${keys.join(', ')} `}order by since nulls first, company_id,
        project_id nulls first, resource) as place
      from (${rows}) r where ${isOfPart('r')}
    ) r ${keys.length === 0 ? 'having count(*) > 0' : `group by ${keys.join(', ')}`}) g)`;
}

// Where all of the scope is parked that tells why.
const HOOKS = `select h.company_id, h.project_id, null::text as resource, coalesce(h.good_until, s.selected_at) as since, h.finding,
    case when h.hook_id is null or h.status = 'missing' then 'missing' when h.status <> 'active' then 'disabled'
      when h.refused <> '{}' then 'refused' else 'wrong' end as state
  from mirror.hooks h left join mirror.selection s on ${sameScope('s', 'h')} where (h.finding is not null or h.status <> 'active') and ${isWanted('h')}
    and not exists (select from mirror.scopes p where p.resource is null and (p.company_id is null or p.company_id = h.company_id)
      and (p.project_id is null or p.project_id = h.project_id))`;

const UNSEEN_HOOKS = `select s.company_id, s.project_id, null::text as resource, s.selected_at as since, s.company_id as of_company
  from mirror.selection s where s.is_selected and s.is_active
    and not exists (select from mirror.hooks h where ${sameScope('h', 's')} and h.looked_at is not null)`;

const UNREAD_LOGS = `select distinct on (l.hook_id) l.company_id, l.project_id, null::text as resource, l.looked_at as since, l.finding
  from mirror.delivery_looks l join mirror.hooks h on h.company_id = l.company_id and h.hook_id = l.hook_id
  where l.finding is not null order by l.hook_id, l.looked_at nulls first`;

const DEAD_LETTERS = `select company_id, project_id, resource, first_seen_at as since, reason, next_try_at,
    next_try_at is not null as is_retried from mirror.dead_letters`;

const FAILED_FILLS = `select b.company_id, b.project_id, b.resource, b.finished_at as since, b.detail
  from mirror.backfills b where b.state = 'failed' and ${isWanted('b')}`;

const OPEN_FILLS = `select company_id, project_id, resource, requested_at as since, attempts, detail, lease_until, due_at
  from mirror.backfills where state in ('waiting', 'running') and request is not null`;

const TO_COMPLETE = `select company_id, project_id, resource, first_due_at as since
  from mirror.batches where lane = 'backfill' and due_at is not null`;

// What is due, is held by nobody and lies in no parked scope; of what is put off after a failure dead letters tell. News that keeps coming
// puts a batch off for some minutes, and short calls for half an hour.
const WAITING_NEWS = `select b.company_id, b.project_id, b.resource, b.first_due_at as since from mirror.batches b
  where b.due_at < now() and b.lane in ('live', 'detail', 'repair') and b.first_due_at < now() - interval '10 minutes'
    and (b.lease_until is null or b.lease_until < now()) and not exists (select from mirror.scopes s where ${scopeCovers('s', 'b')})`;

// A comparison that is overdue by a round was made two ago. Where each fails, the last one that was equal counts. A company may have 200,000
// tables, so each part looks at times before it looks at anything else.
const UNPROVED = `select t.company_id, t.project_id, t.resource, t.since, t.company_id as of_company, rounds.round_ms
  from unnest($4::bigint[], $5::float8[]) as rounds (company_id, round_ms) cross join lateral (
    select c.company_id, c.project_id, c.resource, coalesce(c.finished_at, c.requested_at) as since from mirror.comparisons c
    where c.company_id = rounds.company_id and c.state in ('done', 'off') and c.next_cheap_at < now() - rounds.round_ms * interval '1 ms'
      and coalesce(c.finished_at, c.requested_at) < now() - 2 * rounds.round_ms * interval '1 ms'
    union
    select c.company_id, c.project_id, c.resource, p.proved_at from mirror.comparisons c cross join lateral (
      select coalesce(max(proved_at) filter (where outcome = 'equal'), min(proved_at)) as proved_at from mirror.proofs p
      where p.company_id = c.company_id and p.project_id is not distinct from c.project_id and p.resource = c.resource) p
    where c.company_id = rounds.company_id and c.outcome = 'not proved' and c.detail is not null
      and p.proved_at < now() - 2 * rounds.round_ms * interval '1 ms'
    union
    select b.company_id, b.project_id, b.resource, b.finished_at from (
      select * from mirror.backfills b where b.company_id = rounds.company_id and b.state = 'done'
        and b.finished_at < now() - 2 * rounds.round_ms * interval '1 ms' offset 0) b
    where not exists (select from mirror.comparisons c where ${sameScope('c', 'b')} and c.resource = b.resource)
  ) t where ${isWanted('t')} and not exists (select from mirror.scopes s where ${scopeCovers('s', 't')})`;

// Small ones are filled again by workers (`heed-gaps.ts`): these are left to a person, for they take many calls.
const STANDING = `select company_id, project_id, resource, max(until) as since from (
    select b.company_id, b.project_id, b.resource, b.requested_at, b.complete_since, g.until from mirror.backfills b join mirror.event_gaps g
      on ${sameScope('g', 'b')} and (g.resource is null or g.resource = lower(b.resource))
      where b.state = 'done' and b.resource = any($6::text[]) and g.heeded_at is not null and ${isWanted('b')}
    union all
    select b.company_id, b.project_id, b.resource, b.requested_at, b.complete_since, g.until from mirror.backfills b join mirror.event_gaps g
      on g.company_id = b.company_id and g.resource = lower(b.resource)
      where b.state = 'done' and b.resource = any($6::text[]) and g.project_id is null and b.project_id is not null and g.heeded_at is not null
        and ${isWanted('b')}
  ) s where requested_at < until and coalesce(complete_since, '-infinity') < until group by 1, 2, 3`;

// What workers have yet to look at, and what they are to compare because of such a time (`differs_since`); what differs is told by itself.
const MISSED = `select b.company_id, b.project_id, b.resource, g.until as since from mirror.event_gaps g join mirror.backfills b
      on ${sameScope('b', 'g')} and (g.resource is null or g.resource = lower(b.resource))
    where g.heeded_at is null and g.until <= now() and b.state = 'done' and coalesce(b.complete_since, '-infinity') < g.until and ${isWanted('b')}
  union all
  select c.company_id, c.project_id, c.resource, c.differs_since from mirror.comparisons c
    where c.differs_since is not null and c.outcome is distinct from 'differs' and ${isWanted('c')}`;

// Those that a repair took up are gone once nothing of them waits; of more rows than DELETE_CAP none is buried, and the comparison says so.
const DIFFERENCES = `select d.company_id, d.project_id, d.resource, d.found_at as since from mirror.differences d
  where d.is_sure and ${isWanted('d')} and (
    not exists (select from mirror.comparisons c where ${sameScope('c', 'd')} and c.resource = d.resource and c.repairs
      and c.state = 'done' and (d.kind <> 'extra' or c.detail is null))
    or exists (select from mirror.pending p where p.company_id = d.company_id and p.resource = d.resource and p.record_id = d.record_id))`;

const OLDER_THAN_LOG = `select coalesce(jsonb_agg(jsonb_build_object('companyId', r.company_id::text, 'foundAt', r.finished_at,
    'days', r.older_than_log) order by r.finished_at), '[]')
  from (select distinct on (company_id) company_id, project_id, null::text as resource, finished_at, older_than_log from mirror.repairs
    where finished_at is not null order by company_id, finished_at desc) r
  where older_than_log <> '{}' and ${isOfPart('r')}
    and not exists (select from mirror.comparisons c where c.company_id = r.company_id and c.request is not null and c.requested_at > r.finished_at)
    and not exists (select from mirror.backfills b where b.company_id = r.company_id and b.request is not null and b.requested_at > r.finished_at)`;

const FACTS = `
with owner as materialized (
  select company_id from mirror.selection where project_id = $2::bigint union select company_id from mirror.backfills where project_id = $2::bigint
)
select jsonb_build_object('now', now(),
  'parked', ${grouped(
    'select company_id, project_id, resource, parked_at as since, reason, detail, probe_at from mirror.scopes',
    ['reason'],
    { detail: '(array_agg(detail order by since))[1]', probeAt: 'max(probe_at)' },
  )},
  'hooks', ${grouped(HOOKS, ['state'], { finding: '(array_agg(finding order by since nulls first))[1]' })},
  'unseenHooks', ${grouped(UNSEEN_HOOKS, ['of_company'])},
  'hasHooks', (select exists (select from mirror.hooks where hook_id is not null)),
  'undelivered', (select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'count', count, 'oldestAt', oldest_at,
      'askedAt', asked_at) order by oldest_at), '[]')
    from (select *, null::bigint as project_id, null::text as resource from mirror.undelivered) u
    where count > 0 and oldest_at is not null and ${isOfPart('u')}),
  'olderThanLog', (${OLDER_THAN_LOG}),
  'unreadLogs', ${grouped(UNREAD_LOGS, [], { finding: '(array_agg(finding order by since nulls first))[1]' })},
  'deadLetters', ${grouped(DEAD_LETTERS, ['reason', 'is_retried'], { nextTryAt: 'min(next_try_at)' })},
  'failedFills', ${grouped(FAILED_FILLS, [], { detail: '(array_agg(detail order by since))[1]' })},
  'openFills', ${grouped(OPEN_FILLS, [], {
    retried: '(count(*) filter (where attempts > 0))::int',
    detail: '(array_agg(detail order by since) filter (where attempts > 0))[1]',
    isHeld: 'coalesce(bool_or(lease_until > now()), false)',
    dueAt: 'min(due_at)',
  })},
  'toComplete', ${grouped(TO_COMPLETE)},
  'budget', ${budgetStatus('($1::bigint is null or company_id is null or company_id = $1)')},
  'pauses', (select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'until', reset_at) order by reset_at), '[]')
    from mirror.budget where window_name = 'pause' and known_by = 'refusal' and reset_at > now()
      and ($1::bigint is null or company_id is null or company_id = $1)),
  'callsByHour', (select coalesce(jsonb_agg(jsonb_build_object('companyId', company_id::text, 'calls', calls)), '[]') from (
    select company_id, jsonb_build_array(count(*) filter (where called_at > now() - interval '1 hour'),
      count(*) filter (where called_at between now() - interval '2 hours' and now() - interval '1 hour'),
      count(*) filter (where called_at < now() - interval '2 hours')) as calls
    from mirror.fetches where called_at > now() - interval '3 hours' group by 1) f),
  'waitingNews', ${grouped(WAITING_NEWS)},
  'unproved', ${grouped(UNPROVED, ['of_company', 'round_ms'])},
  'standing', ${grouped(STANDING)},
  'missed', ${grouped(MISSED)},
  'differences', ${grouped(DIFFERENCES)},
  'receivers', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'host', host, 'reportedAt', reported_at, 'recordedAt', recorded_at,
    'stoppedAt', stopped_at, 'spoolHolds', coalesce((report ->> 'spoolHolds')::int, 0)) order by recorded_at desc), '[]') from mirror.receivers),
  'gaps', (select coalesce(jsonb_agg(to_jsonb(g)), '[]') from (
    select receiver, kind, min(since) as since, max(until) as until, sum(count)::int as count from mirror.receiver_gaps
    where kind <> 'down' and until > now() - interval '1 hour' group by 1, 2) g),
  'workers', (select coalesce(jsonb_agg(jsonb_build_object('holder', holder, 'startedAt', started_at, 'seenAt', seen_at,
    'stoppedAt', stopped_at, 'report', report) order by seen_at desc), '[]') from mirror.workers)
)::text as facts`;
