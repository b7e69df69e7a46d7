import { fingerprint } from '@procore-mirror/runtime';
import { expect, test } from 'vitest';
import { createAuthorization, followAuthorization } from './authorization.ts';

const { keyOf } = createAuthorization(['Bearer the-new-value-123', 'Basic dGhlOm9sZC1vbmU=']);

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
  expect(createAuthorization([]).keyOf('')).toBeNull();
});

test('what is accepted follows the values, and every change is told once', () => {
  let accepted = ['Bearer of-before-0000'];
  let changes = 0;
  const authorization = followAuthorization({
    accepted: () => accepted,
    onChange: () => {
      changes += 1;
    },
  });
  accepted = ['Bearer of-now-0000000', 'Bearer of-before-0000'];
  expect(accepted.map((value) => authorization.keyOf(value))).toEqual(accepted.map(fingerprint));
  expect(authorization.keys()).toEqual(accepted.map(fingerprint));
  accepted = ['Bearer of-now-0000000'];
  expect(authorization.keyOf('Bearer of-before-0000')).toBeNull();
  expect(changes).toBe(2);
  authorization.close();
});
