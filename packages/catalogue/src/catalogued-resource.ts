import type { MirroredTable } from '@procore-mirror/database';
import type { CatalogueEntry } from './catalogue-entry.ts';

/** An entry together with the table that mirrors it. */
export type CataloguedResource = CatalogueEntry & { table: MirroredTable };

/** An entry whose records cannot be read, so that there is no table: its events are logged, no more. */
export type UnreadResource = CatalogueEntry & { table: null };

export type Catalogue = {
  /** All there are: those that are mirrored, as in `mirrored`, then those that cannot be read. */
  entries: readonly (CataloguedResource | UnreadResource)[];
  /** In the order of the catalogue files, but for parents, which stand before their children. */
  mirrored: readonly CataloguedResource[];
  /** Their tables, in the same order. */
  tables: readonly MirroredTable[];
  /** The entry of this name, in any case: names differ in case between Procore's lists (Bim, BIM). */
  find: (resource: string) => CataloguedResource | UnreadResource | undefined;
  /** The mirrored resource of this name; throws when there is none, so only for names that the catalogue itself has given. */
  get: (resource: string) => CataloguedResource;
};
