import { test } from 'vitest';
import { keepPromise, PROMISE_WITHIN_MS } from './keep-promise.ts';

test('the mirror ends equal to the world, with the queue on Postgres', { timeout: PROMISE_WITHIN_MS }, () =>
  keepPromise('postgres'),
);
