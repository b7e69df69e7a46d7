// Reads of a JSON text only the fields that are wanted. JSON.parse makes of a large answer a tree of several times its
// size; this goes through the bytes once, checks all of them as JSON.parse would, and skips what nobody asked for.

/** Below so many levels nothing is kept, wanted or not. */
const KEPT_LEVELS = 16;

const ESCAPED: ReadonlySet<number | undefined> = new Set(Buffer.from('"\\/bfnrt'));
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const UPPER_E = 0x45;
const OPEN_LIST = 0x5b;
const BACKSLASH = 0x5c;
const LOWER_E = 0x65;
const LOWER_U = 0x75;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
/** From a bracket to the one that closes it. */
const TO_CLOSER = 2;
const WORDS: readonly (readonly [Buffer, boolean | null])[] = [
  [Buffer.from('true'), true],
  [Buffer.from('false'), false],
  [Buffer.from('null'), null],
];

/** `at` is the byte to read next. */
type Reading = { bytes: Buffer; at: number; wanted: ReadonlySet<string> };

/**
 * The value of a complete JSON text in valid UTF-8: lists whole, of objects the fields with wanted names, and so on
 * inside. Whole numbers become text, with every digit. Of the outermost object the other names are there, too, without
 * their values. Throws SyntaxError, which quotes nothing, where JSON.parse would throw.
 */
export function readJson(bytes: Buffer, wanted: ReadonlySet<string>): unknown {
  const reading = { bytes, at: afterBlanks(bytes, 0), wanted };
  const value = readValue(reading, 0);
  if (afterBlanks(bytes, reading.at) !== bytes.length) throw malformed(reading.at);
  return value;
}

function readValue(reading: Reading, level: number): unknown {
  const { bytes, at } = reading;
  const first = bytes[at];
  if (level < KEPT_LEVELS && first === OPEN_LIST) return readList(reading, level);
  if (level < KEPT_LEVELS && first === OPEN_OBJECT) return readObject(reading, level);
  reading.at = afterValue(bytes, at);
  if (first === QUOTE) return textOf(bytes, at, reading.at);
  if (first === OPEN_LIST || first === OPEN_OBJECT) return undefined;
  const word = WORDS.find(([letters]) => letters[0] === first);
  return word === undefined ? numberOf(bytes.toString('latin1', at, reading.at)) : word[1];
}

function readList(reading: Reading, level: number): unknown[] {
  const { bytes } = reading;
  const list: unknown[] = [];
  reading.at = afterBlanks(bytes, reading.at + 1);
  for (let isOpen = !closes(reading, OPEN_LIST); isOpen; isOpen = !closes(reading, OPEN_LIST)) {
    if (list.length > 0) reading.at = afterComma(bytes, reading.at);
    list.push(readValue(reading, level + 1));
    reading.at = afterBlanks(bytes, reading.at);
  }
  return list;
}

function readObject(reading: Reading, level: number): Record<string, unknown> {
  const { bytes, wanted } = reading;
  const object: Record<string, unknown> = {};
  reading.at = afterBlanks(bytes, reading.at + 1);
  let isFirst = true;
  for (let isOpen = !closes(reading, OPEN_OBJECT); isOpen; isOpen = !closes(reading, OPEN_OBJECT)) {
    if (!isFirst) reading.at = afterComma(bytes, reading.at);
    isFirst = false;
    const start = reading.at;
    reading.at = afterString(bytes, start);
    const name = textOf(bytes, start, reading.at);
    reading.at = afterColon(bytes, reading.at);
    if (wanted.has(name)) setField(object, name, readValue(reading, level + 1));
    else {
      reading.at = afterValue(bytes, reading.at);
      if (level === 0) setField(object, name, undefined);
    }
    reading.at = afterBlanks(bytes, reading.at);
  }
  return object;
}

/** As JSON.parse does it: the last of several counts, and `__proto__` is a name like any other. */
function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value;
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
}

/** Goes past the bracket that closes what this one opened, if it is there. */
function closes(reading: Reading, opener: number): boolean {
  const isClosed = reading.bytes[reading.at] === opener + TO_CLOSER;
  if (isClosed) reading.at += 1;
  return isClosed;
}

function textOf(bytes: Buffer, start: number, end: number): string {
  const quoted = bytes.toString('utf8', start, end);
  return quoted.includes('\\') ? JSON.parse(quoted) : quoted.slice(1, -1);
}

function numberOf(text: string): string | number {
  return /^\d+$/.test(text) ? text : Number(text);
}

/** Without recursion: whatever the depth, it does not fail here. */
function afterValue(bytes: Buffer, start: number): number {
  if (bytes[start] !== OPEN_LIST && bytes[start] !== OPEN_OBJECT) return afterScalar(bytes, start);
  const closers: number[] = [];
  let at = start;
  do {
    const first = bytes[at];
    if (first === OPEN_LIST || first === OPEN_OBJECT) {
      closers.push(first + TO_CLOSER);
      at = afterBlanks(bytes, at + 1);
      if (bytes[at] === first + TO_CLOSER) at = afterClosers(bytes, at, closers);
      else if (first === OPEN_OBJECT) at = afterName(bytes, at);
    } else at = afterClosers(bytes, afterScalar(bytes, at), closers);
  } while (closers.length > 0);
  return at;
}

/** From the end of a value to the beginning of the next one inside the same brackets, or past the last bracket. */
function afterClosers(bytes: Buffer, start: number, closers: number[]): number {
  let at = start;
  for (let closer = closers.at(-1); closer !== undefined; closer = closers.at(-1)) {
    at = afterBlanks(bytes, at);
    if (bytes[at] !== closer) {
      at = afterComma(bytes, at);
      return closer === CLOSE_OBJECT ? afterName(bytes, at) : at;
    }
    closers.pop();
    at += 1;
  }
  return at;
}

function afterScalar(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return afterString(bytes, at);
  if (first === MINUS || isDigit(first)) return afterNumber(bytes, at);
  const word = WORDS.find(([letters]) => letters.equals(bytes.subarray(at, at + letters.length)));
  if (word === undefined) throw malformed(at);
  return at + word[0].length;
}

function afterString(bytes: Buffer, start: number): number {
  if (bytes[start] !== QUOTE) throw malformed(start);
  let at = start + 1;
  for (let byte = bytes[at]; byte !== QUOTE; byte = bytes[at]) {
    if (byte === undefined || byte < 0x20) throw malformed(at);
    at = byte === BACKSLASH ? afterEscape(bytes, at) : at + 1;
  }
  return at + 1;
}

function afterEscape(bytes: Buffer, at: number): number {
  const kind = bytes[at + 1];
  if (ESCAPED.has(kind)) return at + 2;
  if (kind !== LOWER_U || !/^[\da-fA-F]{4}$/.test(bytes.toString('latin1', at + 2, at + 6))) throw malformed(at);
  return at + 6;
}

function afterNumber(bytes: Buffer, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  at = bytes[at] === ZERO ? at + 1 : afterDigits(bytes, at);
  if (bytes[at] === POINT) at = afterDigits(bytes, at + 1);
  if (bytes[at] !== LOWER_E && bytes[at] !== UPPER_E) return at;
  const sign = bytes[at + 1];
  return afterDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
}

/** At least one. */
function afterDigits(bytes: Buffer, start: number): number {
  let at = start;
  while (isDigit(bytes[at])) at += 1;
  if (at === start) throw malformed(at);
  return at;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function afterName(bytes: Buffer, at: number): number {
  return afterColon(bytes, afterString(bytes, at));
}

function afterColon(bytes: Buffer, start: number): number {
  const at = afterBlanks(bytes, start);
  if (bytes[at] !== COLON) throw malformed(at);
  return afterBlanks(bytes, at + 1);
}

function afterComma(bytes: Buffer, at: number): number {
  if (bytes[at] !== COMMA) throw malformed(at);
  return afterBlanks(bytes, at + 1);
}

function afterBlanks(bytes: Buffer, start: number): number {
  let at = start;
  for (let byte = bytes[at]; byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09; byte = bytes[at])
    at += 1;
  return at;
}

function malformed(at: number): SyntaxError {
  return new SyntaxError(`no JSON at byte ${at}`);
}
