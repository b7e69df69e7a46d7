// Names in schema `procore`: what a resource's table is called, and what no table there may be called.
import type { CatalogueEntry } from './catalogue-entry.ts';

/** Name in schema `procore` of the table that mirrors a resource. */
export function tableNameOf(resource: string): string {
  return resource
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_|_$/g, '');
}

/** Views beside the tables, by now or to come. */
const OUR_VIEWS = ['budget_rows', 'commitments', 'custom_field_values', 'files'];

/** Each table's key and indexes are called after it. */
const INDEXES = ['pkey', 'project', 'parent'];

/** Tables that would have the name of something else of ours, each with its resource first. */
export function takenTableNames(entries: readonly CatalogueEntry[]): string[] {
  const names = entries.filter(({ unread }) => unread === null).map(({ resource }) => tableNameOf(resource));
  const taken = new Map([
    ...names.flatMap((name) => INDEXES.map((index) => [`${name}_${index}`, `an index of procore.${name}`] as const)),
    ...OUR_VIEWS.map((view) => [view, "a view of the mirror's own"] as const),
  ]);
  return entries
    .filter(({ unread }) => unread === null)
    .flatMap(({ resource }) => {
      const by = taken.get(tableNameOf(resource));
      return by === undefined
        ? []
        : `"${resource}": its table would be procore.${tableNameOf(resource)}, which is ${by}`;
    });
}
