// What happened since a moment that may have cost something. Counts look at the newest only, so that nobody reads millions of events.
import type { Queryable } from '../connection/queryable.ts';

/** Moments are ISO 8601, and those of Postgres. */
export type Lately = {
  /** What came, and of it what deliveries had missed. `isAtLeast`: the newest were looked at, and there are more. */
  events: { total: number; repaired: number; repairedAt: string | null; isAtLeast: boolean };
  /** Dead letters that began, and are still there. */
  deadLetters: number;
  /** Times that touch it of which changes may be lacking, though no log tells of them, by their reason; `scopes`: how many it happened in. */
  gaps: readonly {
    because: 'hook' | 'disconnected' | 'ignored' | 'discarded';
    scopes: number;
    /** Null: nobody knows. */
    since: string | null;
    until: string;
  }[];
  /** Resources of which such a time, if it is known since when, may lack what nothing shows any more: no list and no parent does. */
  notComparable: readonly string[];
  /** Times of which all that happened is recorded, by Procore's log of each hook; null: not all of them were read. */
  logs: { since: string; until: string } | null;
  /** When it was last read what of each hook Procore could not deliver; null: not of all of them. */
  undeliveredReadAt: string | null;
};

/** Tables that are to be mirrored, and until when they are complete. */
export type Completeness = {
  /** Filled, and of these until when one is known to be complete. */
  filled: number;
  known: number;
  /** The earliest of these; null: of none it is known. `heldBy`: a column of `mirror.evidence`. */
  earliest: {
    until: string;
    companyId: string;
    projectId: string | null;
    resource: string;
    heldBy: string;
  } | null;
  /** Of how many it is not known that they have all that happened before the moment that was asked for. */
  earlier: number;
};

type Part = { companyId?: string | undefined; projectId?: string | undefined; resource?: string | undefined };

const isOfPart = (row: string) => `($2::bigint is null or ${row}.company_id = $2)
  and ($3::bigint is null or ${row}.project_id = $3) and ($4::text is null or lower(${row}.resource) = lower($4))`;
/** A scope's hook and log are those of all its resources; what is told of no project may be of any. */
const isOfScope = (row: string) => `($2::bigint is null or ${row}.company_id = $2)
  and ($3::bigint is null or ${row}.project_id is null or ${row}.project_id = $3)`;
const isWanted = (row: string) => `not exists (select from mirror.selection s where s.company_id = ${row}.company_id
  and coalesce(s.project_id, 0) = coalesce(${row}.project_id, 0) and not s.is_selected)`;

/** What happened in the mirror, or a part of it, since then (ISO 8601). Of events the newest `mostEvents` are looked at: some 50 ms for 100,000. `notShown`: resources that are mirrored and that no list shows. */
export async function readLately(
  client: Queryable,
  since: string,
  part: Part,
  { mostEvents, notShown }: { mostEvents: number; notShown: readonly string[] },
): Promise<Lately> {
  const { rows } = await client.query<{ lately: string }>(LATELY, [...valuesOf(since, part), mostEvents, notShown]);
  return JSON.parse(rows[0]?.lately ?? 'null') as Lately; // made by the statement below
}

const LATELY = `
with newest as materialized (
  select company_id, project_id, resource, received_at, via from mirror.events
  where received_at >= $1::timestamptz order by received_at desc limit $5
),
hooks as (
  select distinct company_id, project_id, hook_id from mirror.hooks h where hook_id is not null and ${isOfScope('h')} and ${isWanted('h')}
),
logs as (
  select l.covers_from, l.covers_until from hooks h
  left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = 'any'
),
undelivered as (
  select l.looked_at from hooks h cross join unnest('{discarded,retrying,failed}'::text[]) as s (status)
  left join mirror.delivery_looks l on l.company_id = h.company_id and l.hook_id = h.hook_id and l.status = s.status
)
select jsonb_build_object(
  'events', (select jsonb_build_object('total', count(*), 'repaired', count(*) filter (where via = 'delivery log'),
    'repairedAt', max(received_at) filter (where via = 'delivery log'), 'isAtLeast',
    (select count(*) = $5 from newest)) from newest e where ${isOfPart('e')}),
  'deadLetters', (select count(*) from mirror.dead_letters d where first_seen_at >= $1::timestamptz and ${isOfPart('d')}),
  'gaps', (select coalesce(jsonb_agg(to_jsonb(g) order by g.until), '[]') from (
    select because, count(distinct (company_id, project_id))::int as scopes, nullif(min(since), '-infinity') as since, max(until) as until
    from mirror.event_gaps g where until >= $1::timestamptz and ${isOfScope('g')}
      and ($4::text is null or resource is null or resource = lower($4)) group by because) g),
  'notComparable', (select coalesce(jsonb_agg(distinct name order by name), '[]') from mirror.event_gaps g
    join unnest($6::text[]) as n (name) on g.resource is null or g.resource = lower(name)
    where until >= $1::timestamptz and since > '-infinity' and ${isOfScope('g')} and ($4::text is null or lower(name) = lower($4))),
  'logs', (select case when count(*) > 0 and count(*) = count(covers_until)
    then jsonb_build_object('since', max(covers_from), 'until', min(covers_until)) end from logs),
  'undeliveredReadAt', (select case when count(*) = count(looked_at) then min(looked_at) end from undelivered)
)::text as lately`;

/** Until when the tables of the mirror, or of a part of it, are complete. Looks at each of them: some 15 ms for a thousand. */
export async function readCompleteness(client: Queryable, since: string, part: Part): Promise<Completeness> {
  const { rows } = await client.query<{ completeness: string }>(COMPLETENESS, valuesOf(since, part));
  return JSON.parse(rows[0]?.completeness ?? 'null') as Completeness; // made by the statement below
}

// In the order of what a person would look at first.
const PARTS = [
  ...['oldest_pending_at', 'gap_since', 'hook_until', 'undelivered_at', 'receivers_at', 'log_until', 'differs_since'],
  'proved_since',
];
const HELD_BY = `case ${PARTS.map((name) => `when ${name} = complete_until then '${name}'`).join(' ')} else 'proved_since' end`;

const COMPLETENESS = `
with known as materialized (
  select * from mirror.evidence e where complete_until is not null and ${isOfPart('e')} and ${isWanted('e')}
)
select jsonb_build_object(
  'filled', (select count(*) from mirror.backfills b where state = 'done' and ${isOfPart('b')} and ${isWanted('b')}),
  'known', (select count(*) from known),
  'earlier', (select count(*) from known where complete_until < $1::timestamptz),
  'earliest', (select jsonb_build_object('until', complete_until, 'companyId', company_id::text, 'projectId', project_id::text,
      'resource', resource, 'heldBy', ${HELD_BY})
    from known order by complete_until, company_id, project_id nulls first, resource limit 1)
)::text as completeness`;

function valuesOf(since: string, { companyId, projectId, resource }: Part): unknown[] {
  return [since, companyId, projectId, resource];
}
