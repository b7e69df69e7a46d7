/** The names that are there, those first that are most like the one that is not. */
export function nearestNames(name: string, known: readonly string[]): string[] {
  return byDistance(name, known).map(({ one }) => one);
}

/** The name that was probably meant: at least half of its letters are there. */
export function probableName(name: string, known: readonly string[]): string | undefined {
  const [nearest] = byDistance(name, known);
  return nearest !== undefined && nearest.distance <= name.length / 2 ? nearest.one : undefined;
}

/** The nearest name, if no more than `most` letters of it are wrong. */
export function misspelledName(name: string, known: readonly string[], most: number): string | undefined {
  const [nearest] = byDistance(name, known);
  return nearest !== undefined && nearest.distance <= most ? nearest.one : undefined;
}

function byDistance(name: string, known: readonly string[]): { one: string; distance: number }[] {
  return known
    .map((one) => ({ one, distance: distanceBetween(name.toLowerCase(), one.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance);
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
