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

/** Signs of what jsonb refuses: an exponent of many digits, and thousands of levels that end together. */
const SUSPECT_EXPONENT = /\d[eE][+-]?\d{4}/;
const SUSPECT_DEPTH = /[\]}]{4000}/;
/** To look through more would take memory for one more copy; what is larger is stored twice if it must. */
const MOST_LOOKED_THROUGH = 4 * 1024 * 1024;

/** The same for a fraction of the time, because not all that jsonb refuses is looked for. */
export function asJsonbAtFirstSight(json: Buffer): Buffer {
  if (json.length <= MOST_LOOKED_THROUGH) {
    const text = json.toString('latin1');
    if (SUSPECT_EXPONENT.test(text) || SUSPECT_DEPTH.test(text)) return asJsonbBytes(json);
  }
  return SUSPICIOUS.some((bytes) => json.includes(bytes)) ? changeText(json, replaceEscapes) : json;
}

/** What the changes look for is ASCII, so a character stands for each byte here and comes back as it was. */
function changeText(json: Buffer, change: (text: string) => string): Buffer {
  return Buffer.from(change(json.toString('latin1')), 'latin1');
}

const SUSPICIOUS = ['\\u0000', '\\ud', '\\uD'].map((text) => Buffer.from(text));
const ESCAPE =
  /\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})|[\s\S])/g;

/** Replaces what no Postgres text can hold, NUL and lone surrogates, with U+FFFD. */
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

/** Numbers beyond Postgres' range, and values nested too deep. A page has some megabytes, so each character is seen once. */
function* refusedValues(json: string): Generator<{ start: number; end: number }> {
  let depth = 0;
  let deepFrom = 0;
  for (let start = 0, end = 0; start < json.length; start = end) {
    const character = json[start] ?? '';
    end = endOfToken(json, start, character);
    const step = stepOf(character);
    if (step === 1 && depth === MAX_DEPTH) deepFrom = start;
    depth += step;
    if (step === -1 && depth === MAX_DEPTH) yield { start: deepFrom, end };
    if (end - start > 1 && depth <= MAX_DEPTH && isBeyondNumeric(json.slice(start, end))) yield { start, end };
  }
}

function stepOf(character: string): number {
  if (character === '[' || character === '{') return 1;
  return character === ']' || character === '}' ? -1 : 0;
}

function endOfToken(json: string, start: number, character: string): number {
  if (character === '"') return endOfString(json, start);
  return character === '-' || isDigit(character) ? endOfNumber(json, start) : start + 1;
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function endOfNumber(json: string, start: number): number {
  let end = start + 1;
  while (isDigit(json[end] ?? '') || '+-.eE'.includes(json[end] ?? ' ')) end += 1;
  return end;
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
  if (number.startsWith('"') || (number.length < 1000 && !/e/i.test(number))) return false;
  const [, integer = '', fraction = '', exponent = '0'] = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(number) ?? [];
  const shift = Number(exponent);
  return integer.length + shift > MAX_INTEGER_DIGITS || fraction.length - shift > MAX_FRACTION_DIGITS;
}
