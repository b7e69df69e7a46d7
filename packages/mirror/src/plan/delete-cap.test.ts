import { expect, test } from 'vitest';
import { deleteCap } from './delete-cap.ts';

test.each([
  [0, undefined, 20],
  [2_099, undefined, 20],
  [2_100, undefined, 21],
  [50_000, undefined, 500],
  [50_000, 0, 0],
  [10, 1_000, 1_000],
])('of %i rows, told %s, at most %i are buried', (rows, cap, most) => {
  expect(deleteCap(rows, cap)).toBe(most);
});
