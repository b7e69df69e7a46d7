// The lists that a resource is compared by.
import { isListedByParent } from '@procore-mirror/catalogue';
import type { Comparison, Part } from './comparison.ts';
import { parentsToLookUnder } from './read-parents.ts';

type Search = readonly (readonly [string, string])[];

/** The lists, in the order of their names: of all, each asked with one of `searches`, and further ones; or of each parent. */
export async function listParts(comparison: Comparison, searches: readonly Search[]): Promise<Part[]> {
  const { entry } = comparison.run;
  const { list } = entry;
  if (list === null || list.shared) return [];
  if (isListedByParent(entry)) {
    const [searchParams = []] = searches;
    return (await parentsToLookUnder(comparison)).map((parentId) => ({ name: parentId, parentId, searchParams }));
  }
  const own: Partial<Part>[] = searches.map((searchParams) => ({ searchParams }));
  const parts = [...own, ...list.also.map((also) => ({ also }))];
  return parts.map((part, index) => ({ ...part, name: String(index).padStart(3, '0'), parentId: null }));
}
