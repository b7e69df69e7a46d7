import fc from 'fast-check';
import { expect, test } from 'vitest';
import { renewAfterMs } from './access-token.ts';

test.each([
  { lifetimeMs: 5_400_000, random: 0.5, renewAfter: 5_340_000 },
  { lifetimeMs: 5_400_000, random: 0, renewAfter: 5_355_000 },
  { lifetimeMs: 900_000, random: 0.5, renewAfter: 840_000 },
  { lifetimeMs: 100_000, random: 0.5, renewAfter: 80_000 },
  { lifetimeMs: 3_000, random: 0.5, renewAfter: 2_400 },
  { lifetimeMs: 3_000, random: 0, renewAfter: 2_550 },
])(
  'a token of $lifetimeMs ms is renewed after $renewAfter ms (random $random)',
  ({ lifetimeMs, random, renewAfter }) => {
    expect(renewAfterMs(lifetimeMs, () => random)).toBe(renewAfter);
  },
);

test('any token is renewed in the last quarter of its life, and before its end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 1e12 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (ms, random) => {
      const renewAfter = renewAfterMs(ms, () => random);
      expect(renewAfter).toBeGreaterThanOrEqual(ms * 0.75);
      expect(renewAfter).toBeLessThan(ms);
      expect(ms - renewAfter).toBeLessThanOrEqual(75_000);
    }),
  );
});
