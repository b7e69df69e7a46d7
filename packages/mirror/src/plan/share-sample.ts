// How many records of a sample each table has: records are chosen at random from all rows, whatever table they are in.

/** Of tables with so many rows. Where the sample is no smaller than all of them together each has its rows. `random`: at least 0, below 1. */
export function shareSample(rows: readonly number[], size: number, random: () => number): number[] {
  const all = rows.reduce((sum, count) => sum + count, 0);
  if (size >= all) return [...rows];
  const shares = rows.map(() => 0);
  const ends: number[] = [];
  for (const count of rows) ends.push((ends.at(-1) ?? 0) + count);
  for (const chosen of chooseFrom(all, size, random)) {
    const table = tableOf(ends, chosen);
    shares[table] = (shares[table] ?? 0) + 1;
  }
  return shares;
}

/** So many different numbers below `all`, each as likely as any other (Floyd). */
function chooseFrom(all: number, size: number, random: () => number): Set<number> {
  const chosen = new Set<number>();
  for (let next = all - size; next < all; next += 1) {
    const one = Math.floor(random() * (next + 1));
    chosen.add(chosen.has(one) ? next : one);
  }
  return chosen;
}

/** In which table the row of this number is: the first that ends beyond it. */
function tableOf(ends: readonly number[], row: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ends[middle] ?? 0) > row) high = middle;
    else low = middle + 1;
  }
  return low;
}
