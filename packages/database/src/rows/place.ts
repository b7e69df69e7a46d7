// Where a record is: in a project, and under a parent where its table has one. A fetch that does not find it speaks of the
// place it looked in, and says nothing of others.
import type { MirroredTable } from '../schema/mirrored-table.ts';
import { quoteLiteral, quoteName } from '../schema/quote.ts';

/** SQL expressions for a project and a parent. */
export type Place = { project: string; parent: string };

/** Can a row of the table turn up in another place under the same key? */
export function canMove({ scope, idRepeatsAcrossProjects, parentKey }: MirroredTable): boolean {
  return parentKey !== null || (scope === 'project' && !idRepeatsAcrossProjects);
}

/** The place of a row in SQL. */
export function placeOf({ scope, parentKey }: MirroredTable, row: string): Place {
  return {
    project: scope === 'project' ? `${row}.project_id` : 'null::bigint',
    parent: parentKey === null ? 'null' : `${row}.${quoteName(parentKey)}`,
  };
}

/** SQL condition: both are one place, as far as is known. */
export function isSamePlace(table: MirroredTable, a: Place, b: Place): string {
  const conditions = [
    ...(table.scope === 'project' && !table.idRepeatsAcrossProjects ? [`${a.project} = ${b.project}`] : []),
    ...(table.parentKey === null ? [] : [`(${a.parent} = ${b.parent}) is not false`]),
  ];
  return conditions.length === 0 ? 'true' : `(${conditions.join(' and ')})`;
}

/** SQL condition: a fetch of this number or a later one did not find record `id` of company $2 in this place. */
export function isMissedThere(table: MirroredTable, id: string, place: Place, version: string): string {
  const isUnder = table.parentKey === null ? '' : `and (m.parent_id = ${place.parent}::text) is not false`;
  return `exists (select from mirror.absences m where m.company_id = $2::bigint and m.resource = ${quoteLiteral(table.resource)}
    and m.record_id = ${id}::text and m.project_id is not distinct from ${place.project} ${isUnder}
    and m.version >= ${version})`;
}
