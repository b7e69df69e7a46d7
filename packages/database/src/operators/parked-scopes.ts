// Parked scopes as operators see them, and probes that they ask for.
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { afterConflicts } from '../connection/transaction.ts';
import type { ParkReason, Scope } from '../schedule/scopes.ts';

/** NULL stands for all. */
export type ParkedDetails = Scope & {
  reason: ParkReason;
  detail: string | null;
  parkedAt: string;
  probeAt: string;
  /** Probes that were refused. */
  probes: number;
  /** Records that wait behind it, counted no further than to one more than `COUNTED_AT_MOST`; and fills. */
  pending: number;
  fills: number;
  /** Since when the first of these records waits, as far as batches tell. */
  waitingSince: string | null;
};

export type ParkedFilter = {
  companyId?: string | undefined;
  projectId?: string | undefined;
  /** In any case. */
  resource?: string | undefined;
};

export const COUNTED_AT_MOST = 10_000;

// A part is held up by what covers it, too.
const IS_OF_PART = `($1::bigint is null or s.company_id is null or s.company_id = $1)
  and ($2::bigint is null or s.project_id = $2 or s.project_id is null and s.resource is null)
  and ($3::text is null or s.resource is null or lower(s.resource) = lower($3))`;
const valuesOf = ({ companyId, projectId, resource }: ParkedFilter) => [companyId, projectId, resource];

/** Parked scopes of a part, or that cover it, the widest first. */
export async function listParked(client: Queryable, filter: ParkedFilter = {}): Promise<ParkedDetails[]> {
  const { rows } = await client.query<ParkedDetails>(
    `select s.company_id::text as "companyId", s.project_id::text as "projectId", s.resource, s.reason, s.detail,
        s.parked_at as "parkedAt", s.probe_at as "probeAt", s.probes,
        (select count(*)::int from (select from ${behind('mirror.pending')} p limit ${COUNTED_AT_MOST + 1}) as counted) as pending,
        (select count(*)::int from ${behind('mirror.backfills')} f where ${IS_OPEN_FILL}) as fills,
        (select min(b.first_due_at) from ${behind('mirror.batches')} b where b.due_at is not null) as "waitingSince"
      from mirror.scopes s where ${IS_OF_PART}
      order by s.company_id nulls first, s.project_id nulls first, s.resource nulls first`,
    valuesOf(filter),
  );
  return rows;
}

/** SQL: the rows of a table that wait behind scope `s`, by index for each kind of scope. */
function behind(table: string): string {
  const rows = (condition: string) => `select t.* from ${table} t where ${condition}`;
  const ofResource = 't.company_id = s.company_id and t.resource = s.resource';
  return `(${[
    's.company_id is null',
    't.company_id = s.company_id and s.project_id is null and s.resource is null',
    `${ofResource} and s.project_id is null`,
    `${ofResource} and t.project_id = s.project_id`,
  ]
    .map(rows)
    .join(' union all ')})`;
}

const IS_OPEN_FILL = `state in ('waiting', 'running') and request is not null`;

export type AskedProbe = Scope & { parkedAt: string; probes: number; reason: ParkReason };

/**
 * Makes the next probe of these scopes due, and what makes it: one record that waits behind each, or a fill; of a whole company of which
 * nothing waits, the list of its projects. A resource of which nothing waits is parked no more: nobody would probe it, and the next news
 * tells. Returns those that are to be probed, and those that were so forgotten.
 */
export async function askForProbes(
  database: Database,
  filter: ParkedFilter = {},
): Promise<{ asked: AskedProbe[]; forgotten: Scope[] }> {
  const { rows: parked } = await database.pool.query<AskedProbe>(
    `select s.company_id::text as "companyId", s.project_id::text as "projectId", s.resource, s.parked_at as "parkedAt", s.probes, s.reason
      from mirror.scopes s where ${IS_OF_PART}
      order by s.company_id nulls first, s.project_id nulls first, s.resource nulls first`,
    valuesOf(filter),
  );
  const forgotten: Scope[] = [];
  const asked: AskedProbe[] = [];
  for (const scope of parked) {
    const { companyId, projectId, resource } = scope;
    if (await makeDue(database, scope)) asked.push(scope);
    else forgotten.push({ companyId, projectId, resource });
  }
  return { asked, forgotten };
}

const SCOPE = '(select $1::bigint as company_id, $2::bigint as project_id, $3::text as resource) s';
const IS_SCOPE = `s.company_id is not distinct from $1::bigint and s.project_id is not distinct from $2::bigint
  and s.resource is not distinct from $3::text`;

// Who claims a batch locks it before the scopes, so these are not locked together here. Records go before their batches, as everywhere.
const MAKE_WAITING_DUE = `
with waiting as (select p.* from ${SCOPE} cross join lateral ${behind('mirror.pending')} p limit 1000),
first as (select company_id, project_id, resource, record_id, lane from waiting order by lane, attempts, ready_at limit 1),
ready as (
  update mirror.pending p set ready_at = least(p.ready_at, now()) from first
  where p.company_id = first.company_id and p.resource = first.resource and p.record_id = first.record_id
    and p.project_id is not distinct from first.project_id
  returning p.company_id, p.project_id, p.resource, p.lane
),
due as (
  insert into mirror.batches as b (company_id, project_id, resource, lane, due_at, first_due_at)
  select company_id, project_id, resource, lane, now(), now() from ready
  on conflict (company_id, project_id, resource, lane) do update
    set due_at = least(b.due_at, now()), first_due_at = least(b.first_due_at, now())
),
open as (select f.* from ${SCOPE} cross join lateral ${behind('mirror.backfills')} f where ${IS_OPEN_FILL}),
next as (select company_id, project_id, resource from open where due_at > now() order by position limit 1),
fill as (
  update mirror.backfills f set due_at = now() from next
  where f.company_id = next.company_id and f.resource = next.resource and f.project_id is not distinct from next.project_id
)
select exists (select from first) or exists (select from open) as waits`;

/** False: nobody would probe it, and it is forgotten. */
async function makeDue(database: Database, { companyId, projectId, resource }: Scope): Promise<boolean> {
  const { pool } = database;
  const values = [companyId, projectId, resource];
  const { rows } = await afterConflicts(database, () => pool.query<{ waits: boolean }>(MAKE_WAITING_DUE, values));
  const waits = rows[0]?.waits === true;
  if (!waits && resource !== null) {
    await pool.query(`delete from mirror.scopes s where ${IS_SCOPE}`, values);
    return false;
  }
  if (!waits)
    await pool.query(
      `update mirror.selection set announced_at = clock_timestamp()
        where project_id is null and is_selected and ($1::bigint is null or company_id = $1)`,
      [companyId],
    );
  await pool.query(`update mirror.scopes s set probe_at = least(probe_at, now()) where ${IS_SCOPE}`, values);
  return true;
}

/** `answered`: it is parked no more. `refused`: a probe was made since, and it stays parked. `open`: nobody probed it yet. */
export type ProbeState = Scope & {
  state: 'answered' | 'refused' | 'open';
  detail: string | null;
  probeAt: string | null;
};

/** What came of probes that were asked for. */
export async function readProbes(client: Queryable, asked: readonly AskedProbe[]): Promise<ProbeState[]> {
  const { rows } = await client.query<ProbeState>(
    `select a.company_id::text as "companyId", a.project_id::text as "projectId", a.resource,
        case when s.parked_at is null then 'answered' when s.probes > a.probes or s.parked_at > a.parked_at then 'refused' else 'open' end as state,
        s.detail, s.probe_at as "probeAt"
      from unnest($1::bigint[], $2::bigint[], $3::text[], $4::timestamptz[], $5::int[])
        with ordinality as a(company_id, project_id, resource, parked_at, probes, n)
      left join mirror.scopes s on s.company_id is not distinct from a.company_id and s.project_id is not distinct from a.project_id
        and s.resource is not distinct from a.resource
      order by a.n`,
    [
      asked.map(({ companyId }) => companyId),
      asked.map(({ projectId }) => projectId),
      asked.map(({ resource }) => resource),
      asked.map(({ parkedAt }) => parkedAt),
      asked.map(({ probes }) => probes),
    ],
  );
  return rows;
}
