// Comparisons between edits, events and fetches, in orders that chance chooses.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyClimb, anyInterleaving, playInterleaving } from './testing/play-interleaving.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());

let companies = 0;

test.each([
  ['a listing', anyInterleaving, 1000],
  ['a climb', anyClimb, 500],
])(
  'no difference is false and none is missed in interleavings with %s',
  { timeout: 1_200_000 },
  async (_, any, numRuns) => {
    const before = companies;
    await fc.assert(
      fc.asyncProperty(any, async (interleaving) => {
        companies += 1;
        await playInterleaving({ mirror, procore, companyId: String(companies) }, interleaving);
      }),
      { numRuns },
    );
    expect(companies - before).toBeGreaterThanOrEqual(numRuns);
  },
);
