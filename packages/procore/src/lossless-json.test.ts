import { describe, expect, test } from 'vitest';
import { parseForQuoting, parseWithTextIds } from './lossless-json.ts';

test('whole numbers become text with all their digits, the others stay', () => {
  expect(parseWithTextIds('{"a":9007199254740993,"b":[1.5,-2,1e3,0],"c":"1","d":null,"e":true}')).toEqual({
    a: '9007199254740993',
    b: [1.5, -2, 1000, '0'],
    c: '1',
    d: null,
    e: true,
  });
});

test('a __proto__ key is a key like others', () => {
  const value = parseWithTextIds('{"__proto__":{"id":1}}');
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value as object)).toEqual(['__proto__']);
});

test('what is quoted is what was written', () => {
  const text = '{"a":9007199254740993,"b":[1.10,-0,1E+400,123456789012345678901234567890],"__proto__":{"c":"\\u0000"}}';
  expect(JSON.stringify(parseForQuoting(text))).toBe(text);
});

describe.each([
  ['arrays', '[', ']'],
  ['objects', '{"x":', '}'],
  ['both, with strings like brackets', '[{"a":"}]\\"[{","x":', ',"y":"{\\\\"}]'],
])('%s', (_, open, close) => {
  test.each([30, 100, 900, 5000, 50_000, 300_000])(
    'nested %i deep do not keep what is beside them from being read',
    (depth) => {
      const text = `{"id":9007199254740993,"deep":${open.repeat(depth)}7${close.repeat(depth)},"b":[{"id":5}]}`;
      expect(parseWithTextIds(text)).toMatchObject({ id: '9007199254740993', b: [{ id: '5' }] });
      const quoted = JSON.stringify(parseForQuoting(text));
      expect(quoted.startsWith('{"id":9007199254740993,"deep":')).toBe(true);
      expect(quoted.endsWith('"b":[{"id":5}]}')).toBe(true);
      if (depth <= 100) expect(quoted).toBe(text);
    },
  );
});

test('what nests too deep is kept as text', () => {
  const text = `{"deep":${'['.repeat(5000)}1.0${']'.repeat(5000)}}`;
  let value = (parseForQuoting(text) as { deep: unknown }).deep;
  let levels = 0;
  for (; Array.isArray(value); value = value[0]) levels += 1;
  expect(value).toBe(`${'['.repeat(5000 - levels)}1.0${']'.repeat(5000 - levels)}`);
});

test('what is no JSON is a SyntaxError at any depth', () => {
  expect(() => parseWithTextIds('['.repeat(100_000))).toThrow(SyntaxError);
});
