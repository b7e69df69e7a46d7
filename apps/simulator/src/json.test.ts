import fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberOf, parseJson, textOf } from './json.ts';

const digits = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 1n, max: 10n ** 40n }),
    fc.constantFrom('', '.0', '.10', '.000000000000000000001', 'e5'),
  )
  .map(([sign, whole, rest]) => `${sign}${whole}${rest}`);

test('any number keeps its digits through parsing and writing', () => {
  fc.assert(
    fc.property(fc.array(digits), (numbers) => {
      const text = `{"a":[${numbers.join(',')}]}`;
      expect(JSON.stringify(parseJson(text))).toBe(text);
    }),
  );
});

test('any JSON value is what JSON.parse would make of it', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(JSON.stringify(parseJson(text))).toBe(text);
    }),
  );
});

test('ids beyond 2^53 become numbers of JSON and text again without a loss', () => {
  for (const id of ['7', '9007199254740991', '9007199254740993', '18446744073709551615']) {
    expect(JSON.stringify({ id: numberOf(id) })).toBe(`{"id":${id}}`);
    expect(textOf(numberOf(id))).toBe(id);
  }
});
