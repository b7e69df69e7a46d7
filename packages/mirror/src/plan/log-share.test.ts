import { expect, test } from 'vitest';
import { turnOfLogMs } from './log-share.ts';

test.each([
  [21, 600, 24],
  [696, 600, 24],
  [1160, 600, 16],
  [2001, 600, 1.5],
  [5000, 600, 0],
  [2001, null, 24],
])('of %i logs, with %j calls an hour, it is the turn of each after %s hours', (hooks, hourLimit, hours) => {
  expect(turnOfLogMs(hooks, hourLimit) / 3_600_000).toBeCloseTo(hours, 2);
});
