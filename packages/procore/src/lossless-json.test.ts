import { expect, test } from 'vitest';
import { nestsDeeperThan, parseForQuoting, parseWithTextIds } from './lossless-json.ts';

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

test.each([
  ['1', 0],
  ['[]', 1],
  ['{"a":[1,{"b":2}],"c":[]}', 3],
  ['["[[[[{{{{", "\\"[[", "\\\\", []]', 2],
])('%s nests %i deep', (text, depth) => {
  expect(nestsDeeperThan(depth, text)).toBe(false);
  expect(nestsDeeperThan(depth - 1, text)).toBe(true);
});
