// Counts compared with what is there. A count and what it counts change in one transaction, so one statement sees both as they are
// together, whoever writes meanwhile; what it finds to be wrong it may put right at once.
import pg from 'pg';
import type { Database } from '../connection/open-database.ts';
import type { Queryable } from '../connection/queryable.ts';
import { inTransaction } from '../connection/transaction.ts';
import { leaveToWorkers } from '../migrate/upkeep.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { allCounted, type Counted } from './counted.ts';

const QUERY_CANCELED = '57014';

/** By how much a count of `mirror.counts` is off: positive where more is there than it says, nothing where a moment is wrong. */
export type Miscount = {
  companyId: string;
  projectId: string | null;
  resource: string;
  kind: Counted['kind'];
  part: string | null;
  total: string;
  live: string;
  parts: string;
  failed: string;
};

/**
 * Counts everything, and returns the counts that are off: none, unless somebody disabled triggers, or upkeep is left. Takes as long as counting
 * takes: a second for each few million rows; `notCompared`: the tables for which that would have been longer than `withinMs`. Changes nothing;
 * `haveRecounted` has them put right.
 */
export async function findMiscounts(
  database: Database,
  tables: readonly MirroredTable[],
  { withinMs }: { withinMs: number },
): Promise<{ miscounts: Miscount[]; notCompared: string[] }> {
  const until = performance.now() + withinMs;
  const miscounts: Miscount[] = [];
  const notCompared: string[] = [];
  for (const counted of allCounted(tables)) {
    if (counted.check === null) continue;
    const leftMs = Math.floor(until - performance.now());
    const found = leftMs < 1 ? null : await compare(database, counted.check, leftMs);
    if (found === null) notCompared.push(`${counted.table.schema}.${counted.table.name}`);
    else miscounts.push(...found);
  }
  return { miscounts, notCompared };
}

/** Null: it would take longer. */
async function compare(
  database: Database,
  { miscounts }: NonNullable<Counted['check']>,
  withinMs: number,
): Promise<Miscount[] | null> {
  try {
    return await inTransaction(database, async (client) => {
      await client.query(`set local statement_timeout = ${withinMs}`);
      const { rows } = await client.query<Miscount>(
        `select company_id::text as "companyId", project_id::text as "projectId", resource, kind, part, total::text, live::text, parts::text,
          failed::text from (${miscounts}) d order by company_id, project_id nulls first, resource, part`,
      );
      return rows;
    });
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === QUERY_CANCELED) return null;
    throw error;
  }
}

/** Has the workers compare all counts with what is there, and put right what is off. Returns of how many tables. */
export async function haveRecounted(client: Queryable, tables: readonly MirroredTable[]): Promise<number> {
  const compared = allCounted(tables).filter(({ check }) => check !== null);
  for (const counted of compared) await leaveRecount(client, counted);
  return compared.length;
}

/** Leaves it to the workers to count this table, beside everything else. */
export async function leaveRecount(client: Queryable, counted: Counted): Promise<void> {
  if (counted.check === null) return;
  const { schema, name } = counted.table;
  await leaveToWorkers(client, {
    name: `counts of ${schema}.${name}`,
    kind: 'filling',
    statement: counted.check.recount,
    table: counted.table,
  });
}

/** Forgets what was counted of tables that are empty, which only the caller may change now. */
export async function forgetCounts(client: Queryable, empty: readonly Counted[]): Promise<void> {
  if (empty.length === 0) return;
  await client.query(`select mirror.take_turn('counts')`); // a fold may be about to count what was there
  for (const name of ['counts', 'count_changes', 'count_periods'])
    await client.query(
      `delete from mirror.${name} c using unnest($1::text[], $2::text[]) as e (kind, resource)
        where c.kind = e.kind and (e.resource is null or c.resource = e.resource)`,
      [empty.map(({ kind }) => kind), empty.map(({ resource }) => resource)],
    );
}
