// A smaller edition of interleavings.prove.ts.
import { expect, test } from 'vitest';
import { proveInterleavings } from './testing/prove-interleavings.ts';

test.each([
  ['listing', 200],
  ['climb', 100],
] as const)(
  'no difference is false and none is missed in interleavings with a %s',
  async (kind, numRuns) => expect(await proveInterleavings(kind, numRuns)).toBeGreaterThanOrEqual(numRuns),
  1_200_000,
);
