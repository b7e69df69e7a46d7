import { expect, test } from 'vitest';
import { createAuthorization } from './authorization.ts';

const isProved = createAuthorization(['Bearer the-new-value-123', 'Basic dGhlOm9sZC1vbmU=']);

test.each(['Bearer the-new-value-123', 'Basic dGhlOm9sZC1vbmU='])('%s proves the sender', (header) => {
  expect(isProved(header)).toBe(true);
});

test.each([
  undefined,
  '',
  'Bearer the-new-value-12',
  'Bearer the-new-value-1234',
  'bearer the-new-value-123',
  'the-new-value-123',
  'Bearer the-new-value-123,Basic dGhlOm9sZC1vbmU=',
  'x'.repeat(10_000),
])('%s does not', (header) => {
  expect(isProved(header)).toBe(false);
});

test('without accepted values nobody is proved', () => {
  expect(createAuthorization([])('')).toBe(false);
});
