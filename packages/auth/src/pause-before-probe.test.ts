import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pauseBeforeProbeMs, pauses } from './pause-before-probe.ts';

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

test.each([
  { failing: 0, refused: 20 * second, unreachable: second },
  { failing: 2 * second, refused: 20 * second, unreachable: second },
  { failing: 30 * second, refused: 20 * second, unreachable: 15 * second },
  { failing: minute, refused: 30 * second, unreachable: 30 * second },
  { failing: 10 * minute, refused: 5 * minute, unreachable: minute },
  { failing: 4 * hour, refused: 2 * hour, unreachable: minute },
  { failing: 400 * hour, refused: 2 * hour, unreachable: minute },
  { failing: -hour, refused: 20 * second, unreachable: second },
])('after $failing ms: $refused ms when refused, $unreachable ms when unreachable', (row) => {
  expect(pauseBeforeProbeMs(row.failing, pauses.refused)).toBe(row.refused);
  expect(pauseBeforeProbeMs(row.failing, pauses.unreachable)).toBe(row.unreachable);
});

test('what refuses for a day is probed about 27 times, and an outage of any length ends within half of it and a second', () => {
  let probes = 0;
  for (let at = 0; at < 24 * hour; at += pauseBeforeProbeMs(at, pauses.refused)) probes += 1;
  expect(probes).toBeGreaterThan(20);
  expect(probes).toBeLessThan(30);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 24 * hour }), (outageMs) => {
      let at = 0;
      while (at < outageMs) at += pauseBeforeProbeMs(at, pauses.unreachable);
      expect(at - outageMs).toBeLessThanOrEqual(Math.min(outageMs / 2 + second, minute));
    }),
  );
});
