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

/** The resources whose records live inside this one's and have no endpoint of their own. */
export function embeddedIn(catalogue: Catalogue, entry: CataloguedResource): CataloguedResource[] {
  return catalogue.mirrored.filter(
    ({ parent }) => parent !== null && parent.embeddedAs !== null && parent.resource === entry.resource,
  );
}

/** The resources whose records belong to this one's and have endpoints of their own. */
export function childrenOf(catalogue: Catalogue, parent: CataloguedResource): CataloguedResource[] {
  return catalogue.mirrored.filter((child) => child.parent?.embeddedAs === null && mayBelongTo(child, parent));
}

/** The resources whose records go with this one's, when these are deleted, without an event of their own. */
export function goneWith(catalogue: Catalogue, parent: CataloguedResource): CataloguedResource[] {
  return catalogue.mirrored.filter((child) => goesWithParent(child) && mayBelongTo(child, parent));
}

/** Not where the child is of a project and the parent of the company: nobody knows in which project to look. */
function mayBelongTo(
  { parent, scope }: CataloguedResource,
  { resource, scope: scopeOfParent }: CataloguedResource,
): boolean {
  const isParent = parent !== null && [parent.resource, ...parent.alsoOf].includes(resource);
  return isParent && (scope === 'company' || scopeOfParent === 'project');
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
