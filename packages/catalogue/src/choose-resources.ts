import type { Catalogue } from './catalogued-resource.ts';
import { CatalogueError } from './errors.ts';
import { probableName } from './nearest-names.ts';

/**
 * The operator's choice of resources; null stands for all. Throws a CatalogueError that lists every name which the
 * catalogue lacks, each with the one that was probably meant.
 */
export function chooseResources(catalogue: Catalogue, names: readonly string[] | undefined): readonly string[] | null {
  if (names === undefined) return null;
  const problems = names.flatMap((name) => unknownResource(catalogue, name) ?? []);
  if (problems.length > 0) throw new CatalogueError(problems);
  return names;
}

/**
 * What to say of a name that no resource of the catalogue has, and none of those `besides`, in any case, with the name that was
 * probably meant; null where one has it.
 */
export function unknownResource(catalogue: Catalogue, name: string, besides: readonly string[] = []): string | null {
  const all = catalogue.entries.map(({ resource }) => resource).concat(besides);
  if (all.some((one) => one.toLowerCase() === name.toLowerCase())) return null;
  const meant = probableName(name, all);
  const hint = meant === undefined ? '; docs/tables.md lists all' : `, did you mean "${meant}"?`;
  return `there is no resource "${name}"${hint}`;
}
