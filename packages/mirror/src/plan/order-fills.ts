// In which order resources are filled: those of companies before those of projects, parents before their children, and what lists carry
// whole before what they carry in part, because that takes a call for each record afterwards.
import { type Catalogue, type CataloguedResource, parentsOf } from '@procore-mirror/catalogue';

/** The position of each resource that has a list, by name. */
export function orderFills(catalogue: Catalogue): ReadonlyMap<string, number> {
  const ranks = new Map<string, readonly number[]>();
  const rankOf = (entry: CataloguedResource): readonly number[] => {
    const known = ranks.get(entry.resource);
    if (known !== undefined) return known;
    const parents = parentsOf(catalogue, entry)
      .filter(({ scope }) => scope === entry.scope)
      .map(rankOf);
    const isPart = entry.list?.carries !== 'whole record';
    const part = Math.max(isPart ? 1 : 0, ...parents.map(([, of = 0]) => of));
    const depth = 1 + Math.max(0, ...parents.map(([, , of = 0]) => of));
    const rank = [entry.scope === 'company' ? 0 : 1, part, depth];
    ranks.set(entry.resource, rank);
    return rank;
  };
  const listed = catalogue.mirrored.filter(({ list }) => list !== null);
  const ordered = listed.toSorted((a, b) => compare(rankOf(a), rankOf(b)));
  return new Map(ordered.map(({ resource }, index) => [resource, index]));
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((number, index) => number !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
