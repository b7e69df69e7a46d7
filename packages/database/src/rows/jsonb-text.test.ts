import fc from 'fast-check';
import { expect, test } from 'vitest';
import { asJsonb, asJsonbAtFirstSight, asJsonbBytes } from './jsonb-text.ts';

test('JSON that jsonb takes is left as it is', () => {
  const plain = fc.json({ noUnicodeString: true, maxDepth: 5 });
  fc.assert(fc.property(plain, (json) => asJsonb(json) === json));
});

test('any JSON stays JSON, and only NUL and lone surrogates change', () => {
  const text = fc.string({
    unit: fc.constantFrom('\0', '\ud83d', '\ude00', '\u{1f600}', '\\', '"', 'u0000', 'a', '[', '7'),
  });
  // Longer than one character: V8 may read the name "\ufffd", which is one that is escaped, as a backslash.
  const name = text.map((chosen) => `${chosen}.`);
  fc.assert(
    fc.property(fc.dictionary(name, text), (record) => {
      // Escapes every character, so that pairs and lone halves come as `\ud83d`.
      const escaped = JSON.stringify(record).replaceAll(
        /[\u007f-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16)}`,
      );
      const expected = Object.entries(record).map((entry) =>
        entry.map((part) => part.toWellFormed().replaceAll('\0', '\ufffd')),
      );
      expect(JSON.parse(asJsonb(escaped))).toEqual(Object.fromEntries(expected));
      expect(JSON.parse(String(asJsonbAtFirstSight(Buffer.from(escaped))))).toEqual(Object.fromEntries(expected));
    }),
  );
});

test.each([
  ['{"a":1e400000,"b":-1.5E+400000}', '{"a":"1e400000","b":"-1.5E+400000"}'],
  ['[1e-20000, "1e400000", "\\"1e400000", 3]', '["1e-20000", "1e400000", "\\"1e400000", 3]'],
  ['1e400000', '"1e400000"'],
  [`[${'9'.repeat(131_073)}]`, `["${'9'.repeat(131_073)}"]`],
  [`[${'9'.repeat(131_072)}]`, `[${'9'.repeat(131_072)}]`],
])('numbers beyond the range of numeric become strings (%#)', (json, expected) => {
  expect(asJsonb(json)).toBe(expected);
});

test('values nested too deep become strings that hold their JSON', () => {
  const deep = `[1, ${'['.repeat(1200)}{"a\\"]": "]", "n": 1e400000}${']'.repeat(1200)}, {"b": [2]}]`;
  let level: unknown = JSON.parse(asJsonb(deep));
  expect(level).toMatchObject([1, expect.anything(), { b: [2] }]);
  level = (level as unknown[])[1];
  for (let depth = 2; depth <= 1000; depth += 1) level = (level as unknown[])[0];
  expect(level).toBe(`${'['.repeat(201)}{"a\\"]": "]", "n": 1e400000}${']'.repeat(201)}`);
});

test('bytes change as text does, whatever characters they stand for', () => {
  const character = fc.constantFrom('é', '—', '😀', '\u0080', 'a', '\\u0000', '\\ud83d', '\\"', '\\n');
  fc.assert(
    fc.property(fc.array(character), fc.constantFrom('1', '1e400000'), (characters, number) => {
      const json = `{"é": "${characters.join('')}", "n": ${number}}`;
      expect(String(asJsonbBytes(Buffer.from(json)))).toBe(asJsonb(json));
    }),
  );
});

test('bytes that jsonb takes are not copied', () => {
  const bytes = Buffer.from('{"a": "\\u00e9 \\n \\\\ é"}');
  expect(asJsonbAtFirstSight(bytes)).toBe(bytes);
});
