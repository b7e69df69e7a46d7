import { expect, test } from 'vitest';
import { pauseAfter } from './delivery-job.ts';

test.each([
  [1, 250],
  [2, 500],
  [5, 4_000],
  [8, 30_000],
  [1_000_000, 30_000],
])('after %i failures the pause is at most %i ms and not much less', (failures, ms) => {
  expect(pauseAfter(failures, () => 1)).toBe(ms);
  expect(pauseAfter(failures, () => 0)).toBe(ms * 0.8);
});
