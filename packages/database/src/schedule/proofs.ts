// What comparisons found: records that differ, looked at twice before anybody is told, and what follows of a whole resource.
import type { Queryable, Transaction } from '../connection/queryable.ts';
import { type BatchKey, isOfBatch, keyValues } from './batch.ts';
import type { Rung } from './comparisons.ts';

export type DifferenceKind = 'missing' | 'changed' | 'extra';

export type Difference = {
  id: string;
  kind: DifferenceKind;
  fields: readonly string[] | null;
  /** In which parent's list. */
  parentId: string | null;
};

/** Forgets what the comparison before found. */
export async function forgetDifferences(client: Queryable, key: BatchKey): Promise<void> {
  await client.query(`delete from mirror.differences where ${isOfBatch(key)}`, keyValues(key));
}

/** Keeps what a first look found. A record that one list lacks and another one shows has only another place. */
export async function suspectDifferences(
  client: Transaction,
  key: BatchKey,
  differences: readonly Difference[],
): Promise<void> {
  if (differences.length === 0) return;
  await client.query(
    `insert into mirror.differences as d (company_id, project_id, resource, record_id, kind, fields, parent_id)
      -- A list that shifts shows a record on two pages.
      select distinct on (id) $1::bigint, $2::bigint, $3::text, id, kind, fields, parent_id from jsonb_to_recordset($4::jsonb)
        as f(id text, kind text, fields text[], parent_id text) order by id, kind = 'extra'
      on conflict (company_id, project_id, resource, record_id) do update set
        kind = excluded.kind, fields = excluded.fields, parent_id = excluded.parent_id where excluded.kind <> 'extra'`,
    [...keyValues(key), asRows(differences)],
  );
}

/** The lists, by parent, in which a first look found something that no second one has confirmed. */
export async function listSuspectLists(client: Queryable, key: BatchKey): Promise<(string | null)[]> {
  const { rows } = await client.query<{ parentId: string | null }>(
    `select distinct parent_id as "parentId" from mirror.differences where ${isOfBatch(key)} and not is_sure order by 1 nulls first`,
    keyValues(key),
  );
  return rows.map(({ parentId }) => parentId);
}

/** What a first look found and no second one has confirmed. */
export async function listSuspects(
  client: Queryable,
  key: BatchKey,
): Promise<Pick<Difference, 'id' | 'kind' | 'parentId'>[]> {
  const { rows } = await client.query<Pick<Difference, 'id' | 'kind' | 'parentId'>>(
    `select record_id as id, kind, parent_id as "parentId" from mirror.differences where ${isOfBatch(key)} and not is_sure
      order by length(record_id), record_id`,
    keyValues(key),
  );
  return rows;
}

/** What of a list was suspected and is `seen` again is sure, the `undecided` stay suspected; the rest of it was none, and is returned. */
export async function settleSuspects(
  client: Transaction,
  key: BatchKey,
  {
    parentId,
    seen,
    undecided = [],
  }: { parentId: string | null; seen: readonly Difference[]; undecided?: readonly string[] },
): Promise<Pick<Difference, 'id' | 'kind'>[]> {
  const ofList = `${isOfBatch(key, 'd.')} and not d.is_sure and d.parent_id is not distinct from $4`;
  const values = [...keyValues(key), parentId];
  await client.query(
    `update mirror.differences d set is_sure = true, kind = s.kind, fields = s.fields
      from jsonb_to_recordset($5::jsonb) as s(id text, kind text, fields text[], parent_id text)
      where ${ofList} and s.id = d.record_id and (s.kind = 'extra') = (d.kind = 'extra')`,
    [...values, asRows(seen)],
  );
  const { rows } = await client.query<Pick<Difference, 'id' | 'kind'>>(
    `delete from mirror.differences d where ${ofList} and d.record_id <> all($5::text[]) returning d.record_id as id, d.kind`,
    [...values, undecided],
  );
  return rows;
}

/** Records that were surely taken for gone, and that another list shows: they differ as it has them, if they do. */
export async function settleMoved(
  client: Transaction,
  key: BatchKey,
  { ids, seen }: { ids: readonly string[]; seen: readonly Difference[] },
): Promise<void> {
  if (ids.length === 0) return;
  const ofList = `${isOfBatch(key, 'd.')} and d.kind = 'extra' and d.record_id = any($4::text[])`;
  const values = [...keyValues(key), ids];
  await client.query(
    `update mirror.differences d set kind = s.kind, fields = s.fields, parent_id = s.parent_id
      from jsonb_to_recordset($5::jsonb) as s(id text, kind text, fields text[], parent_id text)
      where ${ofList} and s.id = d.record_id and s.kind <> 'extra'`,
    [...values, asRows(seen)],
  );
  await client.query(`delete from mirror.differences d where ${ofList}`, values);
}

/** What is sure, in the order of ids. */
export async function listDifferences(client: Queryable, key: BatchKey): Promise<Difference[]> {
  const { rows } = await client.query<Difference>(
    `select record_id as id, kind, fields, parent_id as "parentId" from mirror.differences where ${isOfBatch(key)} and is_sure
      order by length(record_id), record_id`,
    keyValues(key),
  );
  return rows;
}

export type Proof = {
  rung: Rung;
  /** ISO 8601. */
  asOf: string;
  ours: number | null;
  theirs: number | null;
  missing: number;
  changed: number;
  extra: number;
  calls: number;
  outcome: 'equal' | 'differs' | 'not proved';
  detail: string | null;
};

const KEPT_DAYS = 90;

/**
 * Keeps a proof, and forgets those of the same resource and rung that are old. Returns what it comes to: nothing is proved equal whose dead
 * letter was discarded meanwhile, because the comparison may have left it out while it waited. Whoever discards waits for this transaction, or
 * this one for that (`discardDeadLetters`).
 */
export async function addProof(
  client: Transaction,
  key: BatchKey,
  proof: Proof,
): Promise<Pick<Proof, 'outcome' | 'detail'>> {
  const { rung, asOf, ours, theirs, missing, changed, extra, calls } = proof;
  await client.query('lock table mirror.proofs in row exclusive mode');
  const told = proof.outcome === 'equal' && (await wasDiscarded(client, key, asOf)) ? unproved(proof) : proof;
  const { outcome, detail } = told;
  await client.query(
    `insert into mirror.proofs (company_id, project_id, resource, rung, as_of, ours, theirs, missing, changed, extra, calls, outcome, detail)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [...keyValues(key), rung, asOf, ours, theirs, missing, changed, extra, calls, outcome, detail],
  );
  await client.query(
    `delete from mirror.proofs where ${isOfBatch(key)} and rung = $4 and proved_at < now() - interval '${KEPT_DAYS} days'`,
    [...keyValues(key), rung],
  );
  return { outcome, detail };
}

export const DISCARDED_LATER = 'a record that waited then was discarded later';

function unproved({ detail }: Proof): Pick<Proof, 'outcome' | 'detail'> {
  return { outcome: 'not proved', detail: detail === null ? DISCARDED_LATER : `${detail}; ${DISCARDED_LATER}` };
}

/** Was a dead letter of the resource discarded since? */
async function wasDiscarded(client: Transaction, key: BatchKey, since: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from mirror.event_gaps where company_id = $1 and project_id is not distinct from $2::bigint and resource = lower($3)
      and because = 'discarded' and until >= $4 limit 1`,
    [...keyValues(key), since],
  );
  return rowCount === 1;
}

/**
 * From when on changes of the resource are not known to be compared yet, ISO 8601: since a proof that it was equal began, or a fill that
 * missed nothing. Null: there was none.
 */
export async function findCompared(client: Queryable, key: BatchKey): Promise<string | null> {
  const { rows } = await client.query<{ since: string | null }>(
    `select to_char(max(since) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as since from (${comparedWhere(isOfBatch(key))}) f`,
    keyValues(key),
  );
  return rows[0]?.since ?? null;
}

/** The tables of these companies for which there is such a time. */
export async function listComparedTables(client: Queryable, companyIds: readonly string[]): Promise<BatchKey[]> {
  const { rows } = await client.query<BatchKey>(
    `select distinct company_id::text as "companyId", project_id::text as "projectId", resource
      from (${comparedWhere('company_id = any($1::bigint[])')}) f where since is not null`,
    [companyIds],
  );
  return rows;
}

function comparedWhere(condition: string): string {
  return `select company_id, project_id, resource, as_of as since from mirror.proofs
      where ${condition} and outcome = 'equal' and rung in ('window', 'bin', 'listing')
    union all
    select company_id, project_id, resource, started_at from mirror.backfills where ${condition} and state = 'done' and detail is null`;
}

/**
 * Was this other resource of the place compared, as of a time after the comparison of `key` was asked for, and all of it that is there found to be
 * ours or told to be missing?
 */
export async function isComparedNow(client: Queryable, key: BatchKey, other: string): Promise<boolean> {
  const { rowCount } = await client.query(
    `select from mirror.proofs p join mirror.comparisons c on ${isOfBatch(key, 'c.')}
      where p.company_id = c.company_id and p.project_id is not distinct from c.project_id and p.resource = $4 and p.as_of >= c.requested_at
        and (p.outcome = 'equal' and p.rung in ('window', 'bin', 'listing') or p.outcome = 'differs' and p.rung = 'listing' and p.detail is null)
      limit 1`,
    [...keyValues(key), other],
  );
  return rowCount === 1;
}

/** Since when the table is proved to hold all, as Postgres writes it: what differs happened later. Minus infinity: it never was. */
export async function readProvedSince(client: Queryable, key: BatchKey): Promise<string> {
  const { rows } = await client.query<{ since: string }>(
    `select proved_since::text as since from mirror.evidence where ${isOfBatch(key)} and proved_since is not null`,
    keyValues(key),
  );
  return rows[0]?.since ?? '-infinity';
}

function asRows(differences: readonly Difference[]): string {
  return JSON.stringify(differences.map(({ parentId, ...difference }) => ({ ...difference, parent_id: parentId })));
}
