import type { MirroredColumn, MirroredTable } from '@procore-mirror/database';
import { type CatalogueEntry, type CatalogueEntryInput, catalogueEntry } from './catalogue-entry.ts';
import columnsByResource from './columns.json' with { type: 'json' };
import { directory } from './directory.ts';
import { field } from './field.ts';
import { financials } from './financials.ts';
import { portfolio } from './portfolio.ts';
import { projectManagement } from './project-management.ts';

/** An entry together with the table that mirrors it. */
export type CataloguedResource = CatalogueEntry & { table: MirroredTable };

export type Catalogue = {
  /** In the order of the catalogue files; parents stand before their children. */
  resources: readonly CataloguedResource[];
  /** The resource of this name, in any case: names differ in case between Procore's lists (Bim, BIM). */
  find: (resource: string) => CataloguedResource | undefined;
  /** The resource of this name; throws when the catalogue lacks it, so only for names from the catalogue itself. */
  get: (resource: string) => CataloguedResource;
};

/** Makes a catalogue of entries; throws when an entry is malformed or names a resource the catalogue lacks. */
export function createCatalogue(entries: readonly CatalogueEntryInput[]): Catalogue {
  const resources = entries.map((entry) => withTable(catalogueEntry.parse(entry)));
  const byName = new Map(resources.map((resource) => [resource.resource.toLowerCase(), resource]));
  const find: Catalogue['find'] = (name) => byName.get(name.toLowerCase());
  const get: Catalogue['get'] = (name) => {
    const found = find(name);
    if (found === undefined) throw new Error(`the catalogue has no resource "${name}"`);
    return found;
  };
  for (const { parent, alsoChanges } of resources) {
    for (const name of parent === null ? alsoChanges : [parent.resource, ...alsoChanges]) get(name);
  }
  return { resources, find, get };
}

/** The resources that this version mirrors. */
export const catalogue: Catalogue = createCatalogue([
  ...portfolio,
  ...directory,
  ...projectManagement,
  ...financials,
  ...field,
]);

function withTable(entry: CatalogueEntry): CataloguedResource {
  const keys = new Set(['id', 'company_id', 'project_id', entry.parent?.key]);
  const columns: Record<string, { name: string; type: string; note?: string }[]> = columnsByResource;
  return {
    ...entry,
    table: {
      name: entry.resource.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_'),
      resource: entry.resource,
      scope: entry.scope,
      idType: entry.idType,
      idRepeatsAcrossProjects: entry.idRepeatsAcrossProjects,
      parentKey: entry.parent?.key ?? null,
      columns: (columns[entry.resource] ?? []).filter(({ name }) => !keys.has(name)) as MirroredColumn[],
    },
  };
}
