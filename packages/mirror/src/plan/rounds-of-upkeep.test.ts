import { expect, test } from 'vitest';
import { roundsOfUpkeep } from './rounds-of-upkeep.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const pace = { checkHooksEveryMs: HOUR, repairEveryMs: 900_000, verifyEveryMs: DAY };
/** A hook for the company and each project, 36 tables in use of each. */
const company = (projects: number) => ({
  ...{ hooks: projects + 1, logCalls: projects + 1, projects, tables: 36 * projects, callsPerTable: 1 },
});
const hoursOf = (projects: number, hourLimit: number | null, own: Partial<typeof pace> = {}) => {
  const rounds = roundsOfUpkeep({ ...company(projects), hourLimit }, { ...pace, ...own });
  return Object.values(rounds).map((ms) => (ms === null ? null : Number((ms / HOUR).toFixed(1))));
};

// Hooks, delivery log, proofs.
test.each<[number, number | null, number[]]>([
  [1, 600, [1, 24, 24]],
  [1, 3600, [1, 24, 24]],
  [20, 600, [1, 24, 24]],
  [20, 3600, [1, 24, 24]],
  [2000, 600, [71.1, 34.5, 1233.3]], // 3 days, 35 hours, 51 days
  [2000, 3600, [10.9, 24, 205.6]], // 8.6 days
  [2000, null, [1, 24, 24]],
])('%i projects at %j calls an hour', (projects, hourLimit, hours) => {
  expect(hoursOf(projects, hourLimit)).toEqual(hours);
});

test('what is switched off has no round, and a comparison that takes three calls makes it three times as long', () => {
  expect(hoursOf(20, 600, { checkHooksEveryMs: 0 })).toEqual([null, 24, 24]);
  expect(hoursOf(20, 600, { repairEveryMs: 0, verifyEveryMs: 0 })).toEqual([1, null, null]);
  const many = { ...company(2000), hourLimit: 600 };
  const [one, three] = [1, 3].map((callsPerTable) => roundsOfUpkeep({ ...many, callsPerTable }, pace).proofsMs ?? 0);
  expect(Math.round(((three ?? 0) - (one ?? 0)) / HOUR)).toBe(2400);
  expect(roundsOfUpkeep({ ...many, callsPerTable: null }, pace).proofsMs).toBe(one);
});
