import type { MirroredTable } from '@procore-mirror/database';
import type { CatalogueEntry } from './catalogue-entry.ts';

/** An entry together with the table that mirrors it. */
export type CataloguedResource = CatalogueEntry & { table: MirroredTable };

export type Catalogue = {
  /** Those that are mirrored, in the order of the catalogue files, but for parents, which stand before their children. */
  resources: readonly CataloguedResource[];
  /** Those whose records cannot be read: their events are logged, no more. */
  unread: readonly CatalogueEntry[];
  /** The resource of this name, in any case: names differ in case between Procore's lists (Bim, BIM). */
  find: (resource: string) => CataloguedResource | undefined;
  /** The resource of this name; throws when the catalogue lacks it, so only for names from the catalogue itself. */
  get: (resource: string) => CataloguedResource;
  /** The resource of this name among those that cannot be read, in any case. */
  findUnread: (resource: string) => CatalogueEntry | undefined;
};
