// Comparisons between edits, events and fetches, in orders that chance chooses.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anyInterleaving, playInterleaving } from './testing/play-interleaving.ts';
import { type ScriptedProcore, scriptProcore, startTestMirror, type TestMirror } from './testing/test-mirror.ts';

let procore: ScriptedProcore;
let mirror: TestMirror;

beforeAll(async () => {
  procore = await scriptProcore();
  mirror = await startTestMirror(procore);
});
afterAll(() => mirror.close());

test('no difference is false and none is missed in 1000 interleavings', { timeout: 1_200_000 }, async () => {
  let companies = 0;
  await fc.assert(
    fc.asyncProperty(anyInterleaving, async (interleaving) => {
      companies += 1;
      await playInterleaving({ mirror, procore, companyId: String(companies) }, interleaving);
    }),
    { numRuns: 1000 },
  );
  expect(companies).toBeGreaterThanOrEqual(1000);
});
