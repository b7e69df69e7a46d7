import { test } from 'vitest';
import { fetchBatches, foldBurst, keepWithinLimits } from './few-calls.ts';

// At full size: few-calls.prove.ts.
const MINUTES = { timeout: 300_000 };

test('two hundred events for one record cost at most three calls', MINUTES, ({ expect }) => foldBurst(expect, 200));

test('events for eighty records are taken at once and fetched within the limits', MINUTES, ({ expect }) =>
  keepWithinLimits(expect, 80),
);

test.for([
  { what: 'a complete list', resource: 'Locations', needsShow: false },
  { what: 'a list that carries part of them', resource: 'RFIs', needsShow: true },
])(
  'four hundred records in four batches with $what are up to date after eight calls, and complete after a show of each',
  MINUTES,
  (of, { expect }) => fetchBatches(expect, { batches: 4, ...of }),
);
