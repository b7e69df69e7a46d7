// Which resources belong together: parents, children, and what goes along with another.
import type { CatalogueEntry } from './catalogue-entry.ts';
import type { Catalogue, CataloguedResource } from './catalogued-resource.ts';

/** The resources that may be the parent of this one's records: usually one, none for most. */
export function parentsOf({ find }: Pick<Catalogue, 'find'>, { parent, list }: CatalogueEntry): CataloguedResource[] {
  const names = parent !== null ? [parent.resource, ...parent.alsoOf] : list?.under ? [list.under.resource] : [];
  return names.map(find).filter((found) => found !== undefined && found.table !== null);
}

/** Is the list one of each parent's, in contrast to one of the whole company or project? */
export function isListedByParent({ parent, list }: CatalogueEntry): boolean {
  const key = parent?.key ?? list?.under?.key;
  return key !== undefined && list?.path.includes(`{${key}}`) === true;
}

/** Does the list show every record there is, so that a complete reading of it tells which are gone? */
export function listsAll(entry: CatalogueEntry): boolean {
  const { list, parent } = entry;
  if (list === null || list.shared || list.todayOnly || list.also.length > 0 || list.hides !== null) return false;
  return parent !== null || !isListedByParent(entry); // else no row tells in which list it should be
}

/** The column that says of which day a record is, where its list shows some days only; null: its list is none of days, or no column says so. */
export function dayColumnOf({ list, table }: CataloguedResource): string | null {
  const isThere = table.columns.some(({ name, type }) => name === list?.dayField && type === 'date');
  return list?.todayOnly === true && isThere ? list.dayField : null;
}

/** Do its list, and those of what it is listed by, show every record there is? Else no comparison proves that none is lacking. */
export function isProvable({ list, table }: CataloguedResource): boolean {
  return list !== null && table.provedBy !== undefined;
}

/** A resource whose rows depend on where a record of another one is. */
export type Dependent = {
  entry: CataloguedResource;
  /**
   * What ties its records to that one. `inside`: they live in it and come with it. `row`: they have endpoints of their own, and their
   * rows name it. `list`: it has a list of them, and nothing else says that they are its own.
   */
  tie: 'inside' | 'row' | 'list';
  /** Do its records send no event when they are deleted with that one? */
  isSilent: boolean;
};

/**
 * Whose rows depend on where a record of this resource is? What moves, comes back or is gone takes these along, and theirs with them.
 * Not those of a project where the record is of the company: nobody knows in which project to look.
 */
export function dependentsOf(
  catalogue: Pick<Catalogue, 'mirrored'>,
  { resource, scope }: CataloguedResource,
): Dependent[] {
  return catalogue.mirrored.flatMap((entry) => {
    const tie = tieTo(entry, resource);
    if (tie === null || (entry.scope === 'project' && scope === 'company')) return [];
    return [{ entry, tie, isSilent: goesWithParent(entry) }];
  });
}

function tieTo({ parent, list }: CataloguedResource, resource: string): Dependent['tie'] | null {
  if (parent === null) return list?.under?.resource === resource ? 'list' : null;
  if (parent.embeddedAs !== null) return parent.resource === resource ? 'inside' : null;
  return [parent.resource, ...parent.alsoOf].includes(resource) ? 'row' : null;
}

/** The resources whose records live inside this one's and have no endpoint of their own. */
export function embeddedIn(catalogue: Pick<Catalogue, 'mirrored'>, entry: CataloguedResource): CataloguedResource[] {
  return dependentsOf(catalogue, entry).flatMap((dependent) => (dependent.tie === 'inside' ? dependent.entry : []));
}

/** Do its records send no event when they are deleted with their parent? */
export function goesWithParent({ parent, events }: CataloguedResource): boolean {
  return parent !== null && (parent.embeddedAs !== null || !events.includes('delete'));
}

/** The resources that one call for this one's records brings, too. */
export function carriedAlong(catalogue: Catalogue, entry: CataloguedResource): CataloguedResource[] {
  const { parent } = entry;
  if (parent === null || parent.embeddedAs === null) return embeddedIn(catalogue, entry);
  return [catalogue.get(parent.resource)];
}
