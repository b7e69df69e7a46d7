// How far comparisons are, and what they found.
import type { Queryable } from '../connection/queryable.ts';
import type { BatchKey } from '../schedule/batch.ts';
import type { DifferenceKind, Proof } from '../schedule/proofs.ts';

export type ComparisonProgress = {
  /** Resources in a scope that are compared, and those that are over. */
  lists: number;
  over: number;
  calls: number;
  /** Records that differ, as far as is sure. */
  differences: number;
  /** One that is compared now. */
  now: BatchKey | null;
};

/** Of these requests. */
export async function readComparisonProgress(
  client: Queryable,
  requests: readonly string[],
): Promise<ComparisonProgress> {
  const { rows } = await client.query<{ progress: ComparisonProgress }>(
    `with part as (select * from mirror.comparisons where request = any($1))
    select jsonb_build_object('lists', count(*), 'over', count(*) filter (where state not in ('waiting', 'running')),
      'calls', coalesce(sum(calls), 0),
      'differences', (select count(*) from mirror.differences d join part p on p.company_id = d.company_id
        and p.project_id is not distinct from d.project_id and p.resource = d.resource where d.is_sure),
      'now', (select jsonb_build_object('companyId', company_id::text, 'projectId', project_id::text, 'resource', resource) from part
        where state = 'running' and lease_until > now() order by position, company_id, project_id limit 1)) as progress
    from part`,
    [requests],
  );
  return rows[0]?.progress ?? { lists: 0, over: 0, calls: 0, differences: 0, now: null };
}

export type ComparedResource = BatchKey & Omit<Proof, 'rung'> & { rung: string; provedAt: string };

/** What the comparisons of these requests proved; nothing of those whose tool is off. */
export async function listCompared(client: Queryable, requests: readonly string[]): Promise<ComparedResource[]> {
  const { rows } = await client.query<ComparedResource>(
    `select p.company_id::text as "companyId", p.project_id::text as "projectId", p.resource, p.rung, ${isoTime('p.proved_at')} as "provedAt",
      ${isoTime('p.as_of')} as "asOf", p.ours::float8 as ours, p.theirs::float8 as theirs, p.missing::float8 as missing,
      p.changed::float8 as changed, p.extra::float8 as extra, p.calls::float8 as calls, p.outcome, p.detail
    from mirror.comparisons c join mirror.proofs p on p.company_id = c.company_id and p.project_id is not distinct from c.project_id
      and p.resource = c.resource and p.as_of = c.started_at
    where c.request = any($1) order by c.company_id, c.project_id nulls first, c.position`,
    [requests],
  );
  return rows;
}

export type FoundDifference = BatchKey & { id: string; kind: DifferenceKind; fields: string[] | null };

/** The records that they found to differ. */
export async function listFoundDifferences(client: Queryable, requests: readonly string[]): Promise<FoundDifference[]> {
  const { rows } = await client.query<FoundDifference>(
    `select d.company_id::text as "companyId", d.project_id::text as "projectId", d.resource, d.record_id as id, d.kind, d.fields
    from mirror.comparisons c join mirror.differences d on d.company_id = c.company_id and d.project_id is not distinct from c.project_id
      and d.resource = c.resource and d.is_sure
    where c.request = any($1) and c.state = 'done'
    order by c.company_id, c.project_id nulls first, c.position, length(d.record_id), d.record_id`,
    [requests],
  );
  return rows;
}

function isoTime(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
