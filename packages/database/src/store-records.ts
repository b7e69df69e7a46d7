import pg from 'pg';
import { asJsonb, replaceUnstorable } from './jsonb-text.ts';
import { isFittingId, scopeProject } from './look-up.ts';
import type { MirroredTable } from './mirrored-table.ts';
import { type StoreMode, storeStatement } from './store-statement.ts';
import type { Transaction } from './transaction.ts';

/** An API answer, and what is known of the records in it. */
export type Answer = {
  table: MirroredTable;
  companyId: string;
  projectId: string | null;
  /** The number of the fetch, taken before its request went out. */
  version: string;
  /** The text of the answer as Procore sent it: complete JSON, one record or an array of records. */
  json: string;
  /** v2 APIs send `{"data": …}`. */
  envelope: 'none' | 'data';
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
};

export type StoreOutcome = {
  /** Each record of the answer that has an id and is asked for, once. */
  records: StoredRecord[];
  /** Values that did not fit their column, which became NULL; `mirror.unfit_values` counts them by column. */
  unfit: number;
};

/**
 * Stores the records of one API answer, in the transaction of the caller. A record that came back is live again,
 * whatever mark it bore. Elements without a fitting id are skipped. Nothing in a record stops its neighbours: what does
 * not fit a column is NULL there and whole in `_data`.
 */
export async function storeRecords(client: Transaction, answer: Answer): Promise<StoreOutcome> {
  // Text without a zone means UTC, whatever the session of the caller says.
  await client.query(`savepoint store_records; set local time zone 'UTC'; set local datestyle = 'ISO'`);
  try {
    const outcome = await run(client, answer, replaceUnstorable(answer.json), 'strict');
    await client.query('release savepoint store_records');
    return outcome;
  } catch (error) {
    if (!isAboutValues(error)) throw error;
    await client.query('rollback to savepoint store_records');
  }
  const outcome = await run(client, answer, asJsonb(answer.json), 'lenient');
  await client.query('release savepoint store_records');
  return outcome;
}

async function run(client: Transaction, answer: Answer, json: string, mode: StoreMode): Promise<StoreOutcome> {
  const { table, envelope, embedded, isPart = false } = answer;
  const parentId = answer.parentId !== null && isFittingId(table, answer.parentId) ? answer.parentId : null;
  const { rows } = await client.query<StoredRecord & { unfit: number }>(
    storeStatement(table, { envelope, embedded: embedded?.field ?? null, isPart }, mode),
    [json, answer.companyId, scopeProject(table, answer.projectId), answer.version, answer.only, parentId],
  );
  return {
    records: rows.map(({ unfit, ...record }) => record),
    unfit: rows[0]?.unfit ?? 0,
  };
}

/** Class 22: a value does not fit. Class 54: too big or too deep for Postgres. */
function isAboutValues(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|54)/.test(error.code ?? '');
}
