import { expect, test } from 'vitest';
import { aliveAt, continues } from './last-alive.ts';

const unknown = { webhookAuthorization: 'Bearer of-the-test', clientSecret: 'secret-of-the-test' };
const hours = 3_600_000;
const real = { isReal: true };
const simulated = { isReal: false };

test.each([real, simulated])('%j: after a night it continues, after a day it fills again', (wanted) => {
  const remembered = { ...unknown, ...aliveAt(wanted, 0) };
  expect(continues(wanted, remembered, 10 * hours)).toBe(true);
  expect(continues(wanted, remembered, 24 * hours)).toBe(false);
  expect(continues(wanted, unknown, 10 * hours)).toBe(false);
});

test('that a simulated mirror ran says nothing of the real one', () => {
  expect(continues(real, { ...unknown, ...aliveAt(simulated, 0) }, 1 * hours)).toBe(false);
});
