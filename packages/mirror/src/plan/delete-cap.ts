const FEWEST = 20;
const SHARE = 0.01;

/** How many rows of a resource in a scope a proof may bury at most, of so many; `cap`: what an operator said. */
export function deleteCap(rows: number, cap: number | undefined): number {
  return cap ?? Math.max(FEWEST, Math.floor(rows * SHARE));
}
