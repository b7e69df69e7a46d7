// 2,000 projects and 600 calls an hour for a week: `pnpm prove keep-up`.
import { expect, test } from 'vitest';
import { keepUp } from './keep-up.ts';

test('with 2,000 projects and 600 calls an hour looking after itself takes its shares, and no hook or log is unseen for long', async () => {
  const found = await keepUp({ projects: 2000, callsPerHour: 600, days: 7, editsPerHour: 60 });
  console.info(JSON.stringify(found));
  const { shares, unseen, limited } = found;
  expect(shares.hooks + shares.log + shares.proofs).toBeGreaterThanOrEqual(0.15);
  expect(shares.hooks + shares.log + shares.proofs).toBeLessThanOrEqual(0.25);
  expect(shares.proofs).toBeCloseTo(0.1, 1);
  expect(unseen.hooks).toBeLessThan(72);
  expect(unseen.logs).toBeLessThan(36);
  expect(limited).toBe(0);
});
