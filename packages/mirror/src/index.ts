export { type Catalogue, type CataloguedResource, catalogue, createCatalogue } from './catalogue/catalogue.ts';
