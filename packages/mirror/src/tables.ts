import { drizzleTable } from '@procore-mirror/database';
import { catalogue } from './catalogue/catalogue.ts';

/** Every table of schema `procore`, by name; drizzle-kit compares them with `migrations/`. */
export const tables = Object.fromEntries(
  catalogue.resources.map(({ table }) => [table.name, drizzleTable(table)] as const),
);
