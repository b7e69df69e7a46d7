// The promise of the system at full size (`pnpm prove promise`); promise-*.test.ts keep it in small with each run of the tests.
import { test } from 'vitest';
import { FULL, keepPromise } from './keep-promise.ts';

test.each(['postgres', 'redis'] as const)('the mirror ends equal to the world, with the queue on %s', (backend) =>
  keepPromise(backend, FULL),
);
