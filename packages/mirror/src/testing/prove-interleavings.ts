// Comparisons between edits, events and fetches, in orders that chance chooses.
import fc from 'fast-check';
import { anyClimb, anyInterleaving, playInterleaving } from './play-interleaving.ts';
import { scriptProcore, startTestMirror } from './test-mirror.ts';

const KINDS = { listing: anyInterleaving, climb: anyClimb };

/** Plays so many interleavings with a comparison of this kind. Returns how many were played; throws at a difference that is false or missed. */
export async function proveInterleavings(kind: keyof typeof KINDS, numRuns: number): Promise<number> {
  const procore = await scriptProcore();
  const mirror = await startTestMirror(procore);
  let companies = 0;
  try {
    await fc.assert(
      fc.asyncProperty(KINDS[kind], async (interleaving) => {
        companies += 1;
        await playInterleaving({ mirror, procore, companyId: String(companies) }, interleaving);
      }),
      { numRuns },
    );
  } finally {
    await mirror.close();
  }
  return companies;
}
