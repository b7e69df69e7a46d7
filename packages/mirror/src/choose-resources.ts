import type { Catalogue } from './catalogue/catalogue.ts';
import { CatalogueError } from './errors.ts';

/**
 * The operator's choice of resources; null stands for all. Throws a CatalogueError that lists every name which the
 * catalogue lacks, each with the one that was probably meant.
 */
export function chooseResources(catalogue: Catalogue, names: readonly string[] | undefined): readonly string[] | null {
  if (names === undefined) return null;
  const all = [...catalogue.resources, ...catalogue.unread].map(({ resource }) => resource);
  const known = new Set(all.map((name) => name.toLowerCase()));
  const unknown = names.filter((name) => !known.has(name.toLowerCase()));
  if (unknown.length > 0)
    throw new CatalogueError(unknown.map((name) => `there is no resource "${name}"${hint(name, all)}`));
  return names;
}

function hint(name: string, all: readonly string[]): string {
  const [nearest] = all
    .map((one) => ({ one, distance: distanceBetween(name.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
  if (nearest === undefined || nearest.distance > name.length / 2) return '; docs/tables.md lists all';
  return `, did you mean "${nearest.one}"?`;
}

/** How many letters must be added, dropped or changed to turn one text into the other (Levenshtein). */
function distanceBetween(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...b].entries()) {
      const changed = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(changed, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
