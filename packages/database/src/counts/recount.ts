// Counts compared with what is there. A count and what it counts change in one transaction, so one statement sees both as they are
// together, whoever writes meanwhile; what it finds to be wrong it may put right at once.
import type { Queryable } from '../connection/queryable.ts';
import { leaveToWorkers } from '../migrate/upkeep.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { allCounted, type Counted } from './counted.ts';

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
 * takes: a second for each few million rows. Changes nothing; `haveRecounted` has them put right.
 */
export async function findMiscounts(client: Queryable, tables: readonly MirroredTable[]): Promise<Miscount[]> {
  const found: Miscount[] = [];
  for (const counted of allCounted(tables)) {
    if (counted.check === null) continue;
    const { rows } = await client.query<Miscount>(
      `select company_id::text as "companyId", project_id::text as "projectId", resource, kind, part, total::text, live::text, parts::text,
        failed::text from (${counted.check.miscounts}) d order by company_id, project_id nulls first, resource, part`,
    );
    found.push(...rows);
  }
  return found;
}

/** Has the workers put right the counts of these miscounts. */
export async function haveRecounted(
  client: Queryable,
  tables: readonly MirroredTable[],
  miscounts: readonly Pick<Miscount, 'kind' | 'resource'>[],
): Promise<void> {
  for (const counted of allCounted(tables)) {
    const isOff = miscounts.some(
      ({ kind, resource }) => kind === counted.kind && (counted.resource ?? resource) === resource,
    );
    if (isOff) await leaveRecount(client, counted);
  }
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
