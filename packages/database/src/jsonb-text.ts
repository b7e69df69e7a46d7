// Makes JSON text of Procore's acceptable to Postgres' jsonb without ever turning a number into a JavaScript number.
// The input is complete, valid JSON; the output differs from it only where jsonb would refuse it.

/** The text as jsonb takes it: U+FFFD for characters it cannot hold, strings for numbers and depths it refuses. */
export function asJsonb(json: string): string {
  return quoteRefused(replaceEscapes(json));
}

/** The same of JSON in UTF-8. */
export function asJsonbBytes(json: Buffer): Buffer {
  return changeText(json, asJsonb);
}

/** Replaces what no Postgres text can hold, NUL and lone surrogates, with U+FFFD. Cheap when there is nothing to do. */
export function replaceUnstorable(json: Buffer): Buffer {
  return SUSPICIOUS.some((bytes) => json.includes(bytes)) ? changeText(json, replaceEscapes) : json;
}

/** What the changes look for is ASCII, so a character stands for each byte here and comes back as it was. */
function changeText(json: Buffer, change: (text: string) => string): Buffer {
  return Buffer.from(change(json.toString('latin1')), 'latin1');
}

const SUSPICIOUS = ['\\u0000', '\\ud', '\\uD'].map((text) => Buffer.from(text));
const ESCAPE =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})|[\s\S])/g;

function replaceEscapes(json: string): string {
  // Every escape is matched, so that the second half of an escaped backslash starts none.
  return json.replaceAll(ESCAPE, (sequence, unstorable) => (unstorable === undefined ? sequence : '\\ufffd'));
}

/** Postgres' parser needs stack for each level; with its default settings it gives up at about 6,000. */
const MAX_DEPTH = 1000;
/** Digits that Postgres' numeric holds before and after the point. */
const MAX_INTEGER_DIGITS = 131_072;
const MAX_FRACTION_DIGITS = 16_383;

function quoteRefused(json: string): string {
  const pieces: string[] = [];
  let copiedTo = 0;
  for (const { start, end } of refusedValues(json)) {
    pieces.push(json.slice(copiedTo, start), JSON.stringify(json.slice(start, end)));
    copiedTo = end;
  }
  return pieces.join('') + json.slice(copiedTo);
}

/** Numbers beyond Postgres' range, and values nested too deep. */
function* refusedValues(json: string): Generator<{ start: number; end: number }> {
  let depth = 0;
  let deepFrom = 0;
  for (const { text, start, end } of tokens(json)) {
    const step = STEPS.get(text) ?? 0;
    if (step === 1 && depth === MAX_DEPTH) deepFrom = start;
    depth += step;
    if (step === -1 && depth === MAX_DEPTH) yield { start: deepFrom, end };
    if (step === 0 && depth <= MAX_DEPTH && isBeyondNumeric(text)) yield { start, end };
  }
}

const STEPS = new Map([
  ['[', 1],
  ['{', 1],
  [']', -1],
  ['}', -1],
]);

/** Brackets and numbers, in order; strings are skipped. */
function* tokens(json: string): Generator<{ text: string; start: number; end: number }> {
  const token = /["[{\]}]|-?\d[\d.eE+-]*/g;
  for (let match = token.exec(json); match !== null; match = token.exec(json)) {
    if (match[0] === '"') token.lastIndex = endOfString(json, match.index);
    else yield { text: match[0], start: match.index, end: token.lastIndex };
  }
}

function endOfString(json: string, start: number): number {
  let end = json.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end === -1 ? json.length : end + 1;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function isBeyondNumeric(number: string): boolean {
  const [, integer = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const shift = Number(exponent);
  return integer.length + shift > MAX_INTEGER_DIGITS || fraction.length - shift > MAX_FRACTION_DIGITS;
}
