// Counts compared with what is there. A count and what it counts change in one transaction, so one statement sees both as they are
// together, whoever writes meanwhile; what it finds to be wrong it may put right at once.
import type { Queryable } from '../connection/queryable.ts';
import { leaveToWorkers } from '../migrate/upkeep.ts';
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral } from '../schema/quote.ts';
import { ALL_COUNTS, allCounted, type Counted } from './counted.ts';

/** By how much a count of `mirror.counts` is off: positive where more is there than it says. */
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

/** Counts everything, and returns the counts that are off. Takes as long as counting takes: a second for each few million rows. */
export async function findMiscounts(client: Queryable, tables: readonly MirroredTable[]): Promise<Miscount[]> {
  const found: Miscount[] = [];
  for (const counted of allCounted(tables)) {
    if (counted.truth === null) continue;
    const { rows } = await client.query<Miscount>(
      `select company_id::text as "companyId", project_id::text as "projectId", resource, kind, part, total::text, live::text, parts::text,
        failed::text from (${differences(counted, counted.truth)}) d order by company_id, project_id nulls first, resource, part`,
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
  const statement = recountStatement(counted);
  if (statement === null) return;
  const { schema, name } = counted.table;
  await leaveToWorkers(client, {
    name: `counts of ${schema}.${name}`,
    kind: 'filling',
    statement,
    table: counted.table,
  });
}

/** One statement that puts the counts of a table right; it touches no row when they are. Null: it is only counted for a day. */
export function recountStatement(counted: Counted): string | null {
  if (counted.truth === null) return null;
  return `insert into mirror.count_changes (company_id, project_id, resource, kind, part, total, live, parts, failed, last_at)${differences(counted, counted.truth)}`;
}

// The last of them may have been removed since.
function differences({ kind, resource }: Counted, truth: string): string {
  const isOfTable = `kind = ${quoteLiteral(kind)}${resource === null ? '' : ` and resource = ${quoteLiteral(resource)}`}`;
  return `
  select company_id, project_id, resource, ${quoteLiteral(kind)} as kind, part, sum(total) as total, sum(live) as live, sum(parts) as parts,
    sum(failed) as failed, max(last_at) filter (where is_there) as last_at
  from (
    select true as is_there, company_id, project_id, resource, part, total, live, parts, failed, last_at from (${truth}) t
    union all
    select false, company_id, project_id, resource, part, -total, -live, -parts, -failed, last_at from ${ALL_COUNTS} c where ${isOfTable}
  ) d group by company_id, project_id, resource, part
  having sum(total) <> 0 or sum(live) <> 0 or sum(parts) <> 0 or sum(failed) <> 0 or coalesce(max(last_at) filter (where is_there)
    > coalesce(max(last_at) filter (where not is_there), '-infinity'), false)`;
}
