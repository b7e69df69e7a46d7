export {
  type Catalogue,
  type CataloguedResource,
  catalogue,
  createCatalogue,
  isListedByParent,
  ourEntries,
  parentsOf,
} from './catalogue.ts';
export { type CatalogueEntry, type CatalogueEntryInput, type Envelope, envelopesOf } from './catalogue-entry.ts';
export { chooseResources, unknownResource } from './choose-resources.ts';
export { CatalogueError } from './errors.ts';
export { loadCatalogue } from './load-catalogue.ts';
export { nearestNames, probableName } from './nearest-names.ts';
