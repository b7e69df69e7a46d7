import pg from 'pg';
import type { Transaction } from '../connection/queryable.ts';
import { insistOnGivenVersions } from '../connection/version-gap.ts';
import { PARTS_OF_TIME } from './fit-text.ts';
import { asJsonbAtFirstSight, asJsonbBytes } from './jsonb-text.ts';
import { isFittingId, scopeProject, type TableScope } from './look-up.ts';
import { canMove } from './place.ts';
import { type AnswerShape, compareStatement, storeStatement } from './store-statement.ts';
import { mayHoldVaryingParts } from './varying-parts.ts';

/** An API answer, and what is known of the records in it. */
export type Answer = TableScope & {
  /** The number of the fetch, taken before its request went out. */
  version: string;
  /** The answer as Procore sent it: complete JSON in UTF-8, one record or an array of records. */
  json: Buffer;
  /** v2 APIs send `{"data": …}`. */
  wrapper: 'none' | 'data';
  /** The records are the children found in this array field (`a.b`: in b of each in a) of each record sent, their parent. */
  embedded?: { field: string };
  /** The parent of all records, for tables with a parent key; null: each record's own field of that name counts. */
  parentId: string | null;
  /** Ids of the records to store; null: all. */
  only: readonly string[] | null;
  /** Records of a list that lacks fields: they add to what the row has, and it is not complete. Default: whole records. */
  isPart?: boolean;
};

export type StoredRecord = {
  id: string;
  /** As Procore sent it. */
  updatedAt: string | null;
  parentId: string | null;
  /** False when the mirror holds a state of this or a later fetch already. */
  stored: boolean;
  /** The mirror now holds the whole record of this or a later fetch, or that it is gone; false after a mere part of it. */
  isWhole: boolean;
  /** It had no row before. */
  isNew: boolean;
  /** Since when its row was marked absent; null: it was live, or not there. ISO 8601. */
  absentSince: string | null;
  /** Where its row was, if that was in another project or under another parent. */
  movedFrom: { projectId: string | null; parentId: string | null } | null;
  /** Not stored, because a later fetch missed it, but in another place: only a fetch that begins now can tell. */
  toReadAgain: boolean;
};

export type StoreOutcome = {
  /** Each record of the answer that has an id and is asked for, once. */
  records: StoredRecord[];
  /** Values that did not fit their column, which became NULL; `mirror.unfit_values` counts them by column. */
  unfit: number;
};

/**
 * Stores the records of one API answer. A record that came back is live again,
 * whatever mark it bore; one whose row is in another place has moved here, unless a later fetch missed it here.
 * Elements without a fitting id are skipped. Nothing in a record stops its neighbours: what does not fit a column is NULL
 * there and whole in `_data`.
 */
export async function storeRecords(client: Transaction, answer: Answer): Promise<StoreOutcome> {
  const outcome = await storeWhere(client, answer, 'here');
  const kept = outcome.records.filter(({ stored }) => !stored).map(({ id }) => id);
  return kept.length === 0 ? outcome : storeKept(client, answer, outcome, kept);
}

/** The rows that kept the answer out are locked by now, so what is read of them holds. */
async function storeKept(
  client: Transaction,
  answer: Answer,
  outcome: StoreOutcome,
  kept: readonly string[],
): Promise<StoreOutcome> {
  const { table, companyId, version } = answer;
  const condition = `t.company_id = $1::bigint and t.id = any($2::${table.idType}[])`;
  await insistOnGivenVersions(client, table, { version, condition, values: [companyId, kept] });
  if (!canMove(table)) return outcome;
  const elsewhere = await storeWhere(client, { ...answer, only: kept }, 'elsewhere');
  await noteMoves(client, answer, elsewhere.records);
  const seen = new Map(elsewhere.records.map((record) => [record.id, record]));
  return {
    records: outcome.records.map((record) => seen.get(record.id) ?? record),
    unfit: outcome.unfit + elsewhere.unfit,
  };
}

/** `missing`: no live row shows it. `changed`: the row has another content, or is in another place; `fields` says where. */
export type RecordDifference = {
  id: string;
  parentId: string | null;
  kind: 'missing' | 'changed';
  fields: string[] | null;
  /** When it was changed, as Procore says. */
  updatedAt: string | null;
};

/**
 * The records of an answer that differ from their rows, whatever changes by itself left aside; of a part what it carries and the row has,
 * too, and of `idsOnly` whether there is a live row. Records of which news waits, and whose row is not older than `version`, are left out.
 * Writes nothing.
 */
export async function compareRecords(
  client: Transaction,
  answer: Answer & { idsOnly: boolean },
): Promise<RecordDifference[]> {
  const { table, wrapper, isPart = false, idsOnly } = answer;
  const mayVary = mayHoldVaryingParts(answer.json);
  const shape = { wrapper, isPart, idsOnly, mayVary, embedded: null, where: 'here' as const };
  return withJson(client, answer, async (json) => {
    const { rows } = await client.query<RecordDifference>(compareStatement(table, shape), parametersOf(answer, json));
    return rows;
  });
}

/** What is seen in one place is absent from where it was. */
async function noteMoves(client: Transaction, answer: Answer, records: readonly StoredRecord[]): Promise<void> {
  const moved = records.flatMap(({ id, movedFrom }) => (movedFrom === null ? [] : [{ id, ...movedFrom }]));
  if (moved.length === 0) return;
  await client.query(
    `insert into mirror.absences as m (company_id, resource, record_id, project_id, parent_id, version)
      select $1, $2, id, project_id, parent_id, $3::bigint
        from unnest($4::text[], $5::bigint[], $6::text[]) as f(id, project_id, parent_id) order by id
      on conflict (company_id, resource, record_id, project_id, parent_id) do update set
        version = greatest(m.version, excluded.version), noted_at = now(), look_at = null`,
    [
      answer.companyId,
      answer.table.resource,
      answer.version,
      moved.map(({ id }) => id),
      moved.map(({ projectId }) => projectId),
      moved.map(({ parentId }) => parentId),
    ],
  );
}

async function storeWhere(client: Transaction, answer: Answer, where: AnswerShape['where']): Promise<StoreOutcome> {
  return withJson(client, answer, (json) => run(client, answer, where, json));
}

/** `work` with the answer as jsonb takes it, which is seldom another text. */
async function withJson<T>(client: Transaction, { json }: Answer, work: (json: Buffer) => Promise<T>): Promise<T> {
  await client.query(PREPARE);
  try {
    return await work(asJsonbAtFirstSight(json));
  } catch (error) {
    if (!isAboutJson(error)) throw error;
    await client.query('rollback to savepoint store_records');
  }
  return await work(asJsonbBytes(json));
}

function parametersOf(answer: Answer, json: Buffer): unknown[] {
  const { table, companyId, projectId, version, only } = answer;
  const parentId = answer.parentId !== null && isFittingId(table, answer.parentId) ? answer.parentId : null;
  return [json, companyId, scopeProject(table, projectId), version, only, parentId, PARTS_OF_TIME];
}

// The savepoint ends with the transaction: to release it would take one more trip to the server for each answer.
// Text without a zone means UTC, whatever the session of the caller says. A page is some megabytes, which are to be
// sorted and joined in memory.
const PREPARE = `savepoint store_records; set local time zone 'UTC'; set local datestyle = 'ISO'; set local work_mem = '64MB'`;

async function run(
  client: Transaction,
  answer: Answer,
  where: AnswerShape['where'],
  json: Buffer,
): Promise<StoreOutcome> {
  const { table, wrapper, embedded, isPart = false } = answer;
  const { rows } = await client.query<StoredRecord & { unfit: number }>(
    storeStatement(table, {
      wrapper,
      embedded: embedded?.field ?? null,
      isPart,
      mayVary: mayHoldVaryingParts(json),
      where,
    }),
    parametersOf(answer, json),
  );
  return {
    records: rows.map(({ unfit, ...record }) => record),
    unfit: rows[0]?.unfit ?? 0,
  };
}

/** jsonb does not take the text. Class 22: a number out of range, or no JSON. Class 54: too big or too deep. */
function isAboutJson(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|54)/.test(error.code ?? '');
}
