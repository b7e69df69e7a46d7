import { expect, test } from 'vitest';
import { isNumericId } from './numeric-id.ts';

test.each([
  ['1', true],
  ['9223372036854775807', true],
  ['9223372036854775808', false],
  ['99999999999999999999', false],
  ['0', false],
  ['007', false],
  ['-1', false],
  ['1.0', false],
  ['1;2', false],
  ['1\n', false],
  ['', false],
  ['01KKEZ6PX3AZJ38KKBX6RYEJSW', false],
])('%j is an id of digits that a bigint holds, in its one spelling: %s', (id, expected) => {
  expect(isNumericId(id)).toBe(expected);
});
