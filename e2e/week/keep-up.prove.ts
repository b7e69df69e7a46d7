// Many projects and few calls for days, in virtual time: `pnpm prove keep-up`. A tenth of the calls, and not quite of the projects, goes first.
import { expect, test } from 'vitest';
import { keepUp } from './keep-up.ts';

test.each([
  { projects: 170, callsPerHour: 60, days: 3.2, editsPerHour: 6 }, // of 60 calls 9.7 % are five whole ones
  { projects: 2000, callsPerHour: 600, days: 3.2, editsPerHour: 60 },
])(
  'with $projects projects and $callsPerHour calls an hour looking after itself takes its shares, and no hook or log is unseen for long',
  async (options) => {
    const found = await keepUp(options);
    console.info(JSON.stringify(found));
    const { shares, unseen, limited } = found;
    expect(shares.hooks + shares.log + shares.proofs).toBeGreaterThanOrEqual(0.15);
    expect(shares.hooks + shares.log + shares.proofs).toBeLessThanOrEqual(0.25);
    expect(shares.proofs).toBeCloseTo(0.1, 1);
    expect(unseen.hooks).toBeLessThan(72);
    expect(unseen.logs).toBeLessThan(36);
    expect(limited).toBe(0);
  },
  3 * 3_600_000,
);
