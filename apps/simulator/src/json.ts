// JSON that keeps every digit. Numbers that a double cannot hold stay as the text they were sent as (`JSON.rawJSON`).

type RawJson = { readonly rawJSON: string };
type JsonWithRaw = {
  rawJSON: (text: string) => RawJson;
  parse: (text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown) => unknown;
};

// TypeScript does not know these parts of JSON yet; Node 24 has them.
const json = JSON as unknown as JsonWithRaw;

/** Parses JSON; numbers whose digits a double would change become raw JSON. Throws SyntaxError. */
export function parseJson(text: string): unknown {
  return json.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? json.rawJSON(source) : value,
  );
}

/** The number with exactly these digits, as it is to appear in JSON. */
export function numberOf(digits: string): number | RawJson {
  const number = Number(digits);
  return String(number) === digits ? number : json.rawJSON(digits);
}

/** The digits of a number that `parseJson` or `numberOf` gave, or the text itself; null for anything else. */
export function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'object' && value !== null && 'rawJSON' in value) return String(value.rawJSON);
  return null;
}

/** Is it an object with keys, as opposed to a list, a raw number or a scalar? */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !('rawJSON' in value);
}
