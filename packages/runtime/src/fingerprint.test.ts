import { expect, test } from 'vitest';
import { fingerprint } from './fingerprint.ts';

test('the same value gives the same 16 digits, in every process and version', () => {
  expect(fingerprint('Bearer a-value-that-is-long-enough')).toBe('24ef453bd26448e2');
});

test.each(['', 'Bearer a-value-that-is-long-enougH', 'ä'.repeat(40)])('another one gives others: %s', (value) => {
  expect(fingerprint(value)).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprint(value)).not.toBe(fingerprint('Bearer a-value-that-is-long-enough'));
});
