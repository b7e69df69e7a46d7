// Comparisons between edits, events and fetches, in orders that chance chooses: `pnpm prove interleavings`.
import { expect, test } from 'vitest';
import { proveInterleavings } from './testing/prove-interleavings.ts';

test.each([
  ['listing', 1000],
  ['climb', 500],
] as const)(
  'no difference is false and none is missed in interleavings with a %s',
  async (kind, numRuns) => expect(await proveInterleavings(kind, numRuns)).toBeGreaterThanOrEqual(numRuns),
  1_200_000,
);
