import type { MirroredTable } from '@procore-mirror/database';
import { type CatalogueEntry, type CatalogueEntryInput, catalogueEntry } from './catalogue-entry.ts';
import type { Catalogue, CataloguedResource, UnreadResource } from './catalogued-resource.ts';
import { checkCatalogue } from './check-catalogue.ts';
import { CatalogueError } from './errors.ts';
import { KNOWN_COLUMNS, ourEntries } from './our-entries.ts';
import { isListedByParent, listsAll, parentsOf } from './relatives.ts';
import { tableNameOf } from './table-names.ts';

/** What a catalogue is made of: entries, some of which come from the operator's file. */
export type CatalogueSource = { entry: CatalogueEntry; isUsers: boolean };

/** Makes a catalogue of our entries; throws when one is malformed or does not fit the others. */
export function createCatalogue(entries: readonly CatalogueEntryInput[]): Catalogue {
  return catalogueOf(entries.map((entry) => ({ entry: catalogueEntry.parse(entry), isUsers: false })));
}

/** Makes a catalogue; throws a CatalogueError that lists every entry which does not fit the others. */
export function catalogueOf(sources: readonly CatalogueSource[]): Catalogue {
  const problems = checkCatalogue(sources.map(({ entry }) => entry));
  if (problems.length > 0) throw new CatalogueError(problems);
  const made = sources.map((source) => (source.entry.unread === null ? withTable(source) : withoutTable(source)));
  const known = made.map((entry) => withProof(entry, finder(made)));
  const find = finder(known);
  const withTables = known.filter((entry) => entry.table !== null);
  const mirrored = parentsFirst(withTables, find);
  return {
    entries: [...mirrored, ...known.filter((entry) => entry.table === null)],
    mirrored,
    tables: mirrored.map(({ table }) => table),
    find,
    get: (name) => {
      const found = find(name);
      if (found === undefined || found.table === null) throw new Error(`the catalogue mirrors no resource "${name}"`);
      return found;
    },
  };
}

/** The resources that this version knows; what an operator adds comes with `loadCatalogue`. */
export const catalogue: Catalogue = createCatalogue(ourEntries);

function finder(entries: readonly (CataloguedResource | UnreadResource)[]): Catalogue['find'] {
  const byName = new Map(entries.map((entry) => [entry.resource.toLowerCase(), entry]));
  return (name) => byName.get(name.toLowerCase());
}

function withProof<T extends CataloguedResource | UnreadResource>(entry: T, find: Catalogue['find']): T {
  const provedBy = entry.table === null ? undefined : proofOf(entry, find);
  return provedBy === undefined ? entry : { ...entry, table: { ...entry.table, provedBy } };
}

/** What shows that its table holds all there is; undefined: nothing does. */
function proofOf(entry: CatalogueEntry, find: Catalogue['find']): MirroredTable['provedBy'] {
  const { list, parent, resource } = entry;
  const isInside = list === null && parent !== null && parent.embeddedAs !== null;
  const sources = isInside ? parentsOf({ find }, entry) : [entry];
  const above = sources.map((source) => listedWith(source, find));
  if (sources.length === 0 || !sources.every((source) => listsAll(source) && source.scope === entry.scope))
    return undefined;
  if (above.some((names) => names === undefined)) return undefined;
  return {
    compares: list?.carries === 'whole record',
    fills: sources.map((source) => source.resource),
    parents: [...new Set(above.flatMap((names) => names ?? []))].filter((name) => name !== resource),
  };
}

/** Those whose records tell in which lists its own are, and in which theirs are; undefined: no list shows all of these. */
function listedWith(entry: CatalogueEntry, find: Catalogue['find']): string[] | undefined {
  if (!isListedByParent(entry)) return [];
  const names: string[] = [];
  for (const parent of parentsOf({ find }, entry)) {
    const above = parent.resource === entry.resource ? [] : listedWith(parent, find);
    if (above === undefined || parent.scope !== entry.scope || !listsAll(parent)) return undefined;
    names.push(parent.resource, ...above);
  }
  return names;
}

function parentsFirst(
  resources: readonly CataloguedResource[],
  find: Catalogue['find'],
): readonly CataloguedResource[] {
  const ordered = new Set<CataloguedResource>();
  const add = (entry: CataloguedResource): void => {
    if (ordered.has(entry)) return;
    for (const parent of parentsOf({ find }, entry)) add(parent);
    ordered.add(entry);
  };
  resources.forEach(add);
  return [...ordered];
}

function filledBy({ resource, list, parent }: CatalogueEntry): string[] {
  if (list !== null) return list.shared ? [] : [resource];
  return parent !== null && parent.embeddedAs !== null ? [parent.resource, ...parent.alsoOf] : [];
}

function withoutTable({ entry }: CatalogueSource): UnreadResource {
  return { ...entry, table: null };
}

function withTable({ entry, isUsers }: CatalogueSource): CataloguedResource {
  const keys = new Set(['id', 'company_id', 'project_id', entry.parent?.key]);
  const columns = entry.columns ?? KNOWN_COLUMNS.get(entry.resource) ?? [];
  return {
    ...entry,
    table: {
      name: tableNameOf(entry.resource),
      resource: entry.resource,
      scope: entry.scope,
      idType: entry.idType,
      idRepeatsAcrossProjects: entry.idRepeatsAcrossProjects,
      parentKey: entry.parent?.key ?? null,
      columns: columns.filter(({ name }) => !keys.has(name)),
      filledBy: filledBy(entry),
      ...(isUsers && { isUsers }),
    },
  };
}
