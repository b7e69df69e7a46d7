export { catalogue, createCatalogue } from './catalogue.ts';
export { type CatalogueEntry, type CatalogueEntryInput, type Wrapper, wrappersOf } from './catalogue-entry.ts';
export type { Catalogue, CataloguedResource } from './catalogued-resource.ts';
export { chooseResources, unknownResource } from './choose-resources.ts';
export { isDeprecated } from './deprecated-paths.ts';
export { CatalogueError } from './errors.ts';
export { loadCatalogue } from './load-catalogue.ts';
export { misspelledName, nearestNames, probableName } from './nearest-names.ts';
export { ourEntries } from './our-entries.ts';
export {
  carriedAlong,
  type Dependent,
  dayColumnOf,
  dependentsOf,
  embeddedIn,
  goesWithParent,
  isListedByParent,
  isProvable,
  listsAll,
  parentsOf,
} from './relatives.ts';
export { isLogModule, isToolOff, type ProjectTool, toolNames } from './tools.ts';
