// JSON.parse turns 5982324300946918154 into 5982324300946918000. Its reviver is told the source text of each number, so
// nothing needs to be lost.

// Node 24 has it, TypeScript's library not yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON: (source: string) => unknown };

/** Parses JSON with whole numbers, which are ids nearly everywhere, as text; other numbers stay. Throws SyntaxError. */
export function parseWithTextIds(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && /^\d+$/.test(source) ? source : value;
  });
}

/** Parses JSON so that JSON.stringify of any part gives each number as it was written. Throws SyntaxError. */
export function parseForQuoting(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? rawJSON(context.source) : value,
  );
}

const steps: Readonly<Record<string, number>> = { '[': 1, '{': 1, ']': -1, '}': -1 };

/** Whether the brackets of a JSON text nest deeper than `limit`. Walks the text, so no depth is too much for it. */
export function nestsDeeperThan(limit: number, text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at];
    if (character === '"') inString = !inString;
    else if (inString) at += character === '\\' ? 1 : 0;
    else depth += steps[character ?? ''] ?? 0;
    if (depth > limit) return true;
  }
  return false;
}
