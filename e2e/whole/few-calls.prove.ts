// Few calls at full size (`pnpm prove few-calls`); few-calls.test.ts keeps it in small with each run of the tests.
import { expect, test } from 'vitest';
import { fetchBatches, foldBurst, keepWithinLimits } from './few-calls.ts';

test('two thousand events for one record cost at most three calls', () => foldBurst(expect, 2000));

test('events for three hundred records are taken at once and fetched within the limits', () =>
  keepWithinLimits(expect, 300));

test.each([
  { what: 'a complete list', resource: 'Locations', needsShow: false },
  { what: 'a list that carries part of them', resource: 'RFIs', needsShow: true },
])(
  'two thousand records in twenty batches with $what are up to date after forty calls, and complete after a show of each',
  (of) => fetchBatches(expect, { batches: 20, ...of }),
);
