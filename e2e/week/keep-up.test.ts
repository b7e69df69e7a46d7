// A small edition of keep-up.prove.ts: a tenth of the projects, and of the calls.
import { expect, test } from 'vitest';
import { keepUp } from './keep-up.ts';

test('with many projects and few calls looking after itself takes its shares, and no hook or log is unseen for long', async () => {
  const { shares, unseen, limited } = await keepUp({ projects: 200, callsPerHour: 60, days: 3.2, editsPerHour: 6 });
  expect(shares.hooks + shares.log + shares.proofs).toBeGreaterThanOrEqual(0.15);
  expect(shares.hooks + shares.log + shares.proofs).toBeLessThanOrEqual(0.25);
  expect(shares.proofs).toBeCloseTo(0.1, 1);
  expect(unseen.hooks).toBeLessThan(72);
  expect(unseen.logs).toBeLessThan(36);
  expect(limited).toBe(0);
}, 600_000);
