import { expect, test } from 'vitest';
import { createServerClock } from './server-clock.ts';

const noon = Date.UTC(2026, 5, 30, 12, 0, 0);

/** An answer of a server whose clock is so far ahead of ours; it takes 80 ms to come. */
function anAnswer(sentAt: number, aheadMs: number) {
  const date = Math.floor((sentAt + 40 + aheadMs) / 1000) * 1000;
  return { date, sentAt, receivedAt: sentAt + 80 };
}

test('before the first answer our own time counts', () => {
  expect(createServerClock().earliest(noon)).toBe(noon);
});

test.each([0, 123_456, -7_890])(
  'several answers leave little doubt when the server is %i ms ahead, and none is too early',
  (aheadMs) => {
    const clock = createServerClock();
    for (let call = 0; call < 25; call += 1) {
      const now = noon + call * 430;
      clock.see(anAnswer(now, aheadMs));
      expect(clock.earliest(now)).toBeLessThanOrEqual(now + aheadMs);
    }
    expect(clock.earliest(noon)).toBeGreaterThan(noon + aheadMs - 150);
  },
);

test.each([3_600_000, -3_600_000])('a clock that is set by %i ms is followed at once', (step) => {
  const clock = createServerClock();
  for (let call = 0; call < 25; call += 1) clock.see(anAnswer(noon + call * 430, 0));
  clock.see(anAnswer(noon + 20_000, step));
  expect(clock.earliest(noon)).toBeGreaterThan(noon + step - 1100);
  expect(clock.earliest(noon)).toBeLessThanOrEqual(noon + step);
});

test('what was learnt long ago is forgotten, for clocks drift', () => {
  const clock = createServerClock();
  clock.see(anAnswer(noon, 0));
  for (let minute = 1; minute < 20; minute += 1) clock.see(anAnswer(noon + minute * 60_000 + 500, -400));
  expect(clock.earliest(noon)).toBeLessThanOrEqual(noon - 400);
});
