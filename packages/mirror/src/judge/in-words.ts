// Scopes and times as findings tell them. Pure.
import type { FactPlace, Group } from '@procore-mirror/database';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export const MOST_NAMED = 5;

/** The first few, and how many more there are. */
export function namesInWords(names: readonly string[]): string {
  const more = names.length - MOST_NAMED;
  return `${names.slice(0, MOST_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** How long ago that was, ms; null: not known. */
export function ageOf(moment: string | null, now: string): number | null {
  return moment === null ? null : Date.parse(now) - Date.parse(moment);
}

/** Was it longer ago than that? What is not known was. */
export function isOlder(moment: string | null, ms: number, now: string): boolean {
  return (ageOf(moment, now) ?? Number.POSITIVE_INFINITY) > ms;
}

/** `RFIs of project 5`, `company 7`, `everything`. */
function nameOfPlace({ companyId, projectId, resource }: FactPlace): string {
  const of = projectId !== null ? `project ${projectId}` : companyId !== null ? `company ${companyId}` : null;
  if (of === null) return resource ?? 'everything';
  return resource === null ? of : `${resource} of ${of}`;
}

/** The first scopes of a group, each once, and whether there are more. What the group has in common may be left out. */
export function scopesInWords(group: Pick<Group, 'first' | 'count'> & Partial<FactPlace>): string {
  const { first, count, companyId = null, projectId = null, resource = null } = group;
  const names = [...new Set(first.map(nameOfPlace))];
  const named = names.join(', ');
  const areAllThere =
    resource !== null && companyId !== null && named === nameOfPlace({ companyId, projectId, resource });
  if (count <= first.length || areAllThere) return named;
  return names.length < first.length ? `${named} and others` : `${named} and ${count - first.length} more`;
}

/** Options of a command that name what a group has in common. */
export function optionsFor({ companyId, projectId, resource }: FactPlace): string {
  return [
    ...(companyId === null ? [] : [` --company ${companyId}`]),
    ...(projectId === null ? [] : [` --project ${projectId}`]),
    ...(resource === null ? [] : [` --resource ${quoted(resource)}`]),
  ].join('');
}

/** As a shell takes it. */
export function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `"${text.replaceAll(/["\\$`]/g, '\\$&')}"`;
}
