// JSON.parse turns 5982324300946918154 into 5982324300946918000. Its reviver is told the source text of each number, so
// nothing needs to be lost (docs/procore.md: Ids).

// Node 24 has it, TypeScript's library not yet.
const { rawJSON } = JSON as typeof JSON & { rawJSON: (source: string) => unknown };

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;

/**
 * Parses JSON with whole numbers, which are ids nearly everywhere, as text; other numbers stay. What nests so deep that a
 * stack could end is text, too. Throws SyntaxError.
 */
export function parseWithTextIds(text: string): unknown {
  return parse(text, (_key, value, context) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && /^\d+$/.test(source) ? source : value;
  });
}

/** Parses JSON so that JSON.stringify of any part gives each number as it was written; what nests too deep is text. Throws SyntaxError. */
export function parseForQuoting(text: string): unknown {
  return parse(text, (_key, value, context) =>
    typeof value === 'number' && context?.source !== undefined ? rawJSON(context.source) : value,
  );
}

/** No answer or event of Procore's nests deeper than about ten levels. */
const DEEPEST = 64;

/** JSON.parse takes any depth, but with a reviver each level needs stack, and so do those who walk the value. */
function parse(text: string, reviver: Reviver): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return JSON.parse(quoteDeep(text), reviver);
  }
}

/** The text with each value that is nested too deep as a string of what was written. */
function quoteDeep(text: string): string {
  const pieces: string[] = [];
  let copiedTo = 0;
  for (const { step, depth, index } of brackets(text)) {
    if (step === 1 && depth === DEEPEST + 1) {
      pieces.push(text.slice(copiedTo, index));
      copiedTo = index;
    } else if (step === -1 && depth === DEEPEST) {
      pieces.push(JSON.stringify(text.slice(copiedTo, index + 1)));
      copiedTo = index + 1;
    }
  }
  return pieces.join('') + text.slice(copiedTo);
}

/** The brackets of a JSON text in order, with the depth after each. */
function* brackets(text: string): Generator<{ step: number; depth: number; index: number }> {
  let depth = 0;
  let inString = false;
  for (const { 0: token, index } of text.matchAll(/[[{\]}"]|\\./g)) {
    if (token === '"') inString = !inString;
    const step = inString ? 0 : (steps[token] ?? 0);
    depth += step;
    if (step !== 0) yield { step, depth, index };
  }
}

const steps: Readonly<Record<string, number>> = { '[': 1, '{': 1, ']': -1, '}': -1 };
