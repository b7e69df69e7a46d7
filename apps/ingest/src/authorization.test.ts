import { fingerprint } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { createAuthorization } from './authorization.ts';

const keyOf = createAuthorization(['Bearer the-new-value-123', 'Basic dGhlOm9sZC1vbmU=']);

test.each(['Bearer the-new-value-123', 'Basic dGhlOm9sZC1vbmU='])(
  '%s proves the sender, and its key tells which',
  (header) => {
    expect(keyOf(header)).toBe(fingerprint(header));
  },
);

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
  expect(keyOf(header)).toBeNull();
});

test('without accepted values nobody is proved', () => {
  expect(createAuthorization([])('')).toBeNull();
});
