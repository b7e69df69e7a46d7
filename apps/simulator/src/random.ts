/** Chance with a seed: the same seed gives the same run. */
export type Random = {
  /** From 0 up to, not including, 1. */
  next: () => number;
  /** A whole number from `low` to `high`, both included. */
  between: (low: number, high: number) => number;
  chance: (share: number) => boolean;
  /** One of the items; throws RangeError when there are none. */
  pick: <T>(items: readonly T[]) => T;
  /** One of the keys, each as often as its weight says. */
  weighted: <K extends string>(weights: Readonly<Partial<Record<K, number>>>) => K;
  /** The seed of all that is still to come. */
  state: () => number;
};

/** A mulberry32 generator: small, fast, and good enough for make-believe. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const between: Random['between'] = (low, high) => low + Math.floor(next() * (high - low + 1));
  const pick: Random['pick'] = (items) => {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[between(0, items.length - 1)] as (typeof items)[number];
  };
  return {
    next,
    between,
    chance: (share) => share > 0 && next() < share,
    pick,
    weighted: (weights) => weigh(weights),
    state: () => state,
  };

  function weigh<K extends string>(weights: Readonly<Partial<Record<K, number>>>): K {
    const entries = Object.entries(weights) as [K, number][];
    let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [key, weight] of entries) {
      left -= weight;
      if (left < 0) return key;
    }
    return pick(entries.map(([key]) => key));
  }
}
