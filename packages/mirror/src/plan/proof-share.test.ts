import { expect, test } from 'vitest';
import { proofCallsLeft, roundOfProofsMs } from './proof-share.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test.each<[number, number, number | null, number]>([
  [0, 0, 600, 60],
  [60, 0, 600, 0],
  [10, 57, 600, 50],
  [10, 97, 600, 11],
  [0, 0, 5, 1],
  [100, 0, 3600, 260],
  [9999, 9999, null, Number.POSITIVE_INFINITY],
])(
  'after %i calls, and %i of the delivery log, of %j an hour the schedule has %i left',
  (used, usedByLog, hourLimit, left) => {
    expect(proofCallsLeft({ used, usedByLog, hourLimit })).toBe(left);
  },
);

test('a round takes as long as is set where the share suffices, else longer', () => {
  expect(roundOfProofsMs(740, 600, DAY)).toBe(DAY);
  expect(roundOfProofsMs(74_000, 600, DAY) / DAY).toBeCloseTo(51.4, 1);
  expect(roundOfProofsMs(74_000, 3600, DAY) / DAY).toBeCloseTo(8.6, 1);
  expect(roundOfProofsMs(74_000, null, DAY)).toBe(DAY);
});
