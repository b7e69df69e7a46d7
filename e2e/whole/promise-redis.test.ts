import { test } from 'vitest';
import { keepPromise, PROMISE_WITHIN_MS, SMALL } from './keep-promise.ts';

// At full size: promise.prove.ts.
test('the mirror ends equal to the world, with the queue on Redis', { timeout: PROMISE_WITHIN_MS }, () =>
  keepPromise('redis', SMALL),
);
