import { isDeepStrictEqual } from 'node:util';

/** As far as drizzle-kit's snapshot of a schema concerns us: tables by schema and name, and what there is besides. */
export type Snapshot = { id: string; prevId: string; tables: Record<string, { schema: string; name: string }> };

export type Changes = {
  /** Resources whose tables are new. */
  resources: readonly string[];
  /** Something else changes, too. */
  isMore: boolean;
};

/** What changes from one snapshot to the next; null when nothing does. */
export function changedTables(before: Snapshot, after: Snapshot): Changes | null {
  const added = Object.entries(after.tables).filter(([name]) => before.tables[name] === undefined);
  const resources = added.filter(([, { schema }]) => schema === 'procore');
  const rest = withoutTables(after, new Set(resources.map(([name]) => name)));
  const isMore = !isDeepStrictEqual(rest, withoutTables(before, new Set()));
  if (resources.length === 0 && !isMore) return null;
  return { resources: resources.map(([, { name }]) => name), isMore };
}

/** A good name for a migration that adds one or two resources and nothing else; else only a person knows one. */
export function migrationName({ resources, isMore }: Changes): string | null {
  if (isMore || resources.length > 2) return null;
  return `add-${resources.join('-and-').replaceAll('_', '-')}`;
}

function withoutTables(snapshot: Snapshot, names: ReadonlySet<string>): unknown {
  const tables = Object.fromEntries(Object.entries(snapshot.tables).filter(([name]) => !names.has(name)));
  // Each snapshot has an id of its own and that of the one before. As JSON, for that is how it was read.
  return JSON.parse(JSON.stringify({ ...snapshot, tables, id: null, prevId: null }));
}
