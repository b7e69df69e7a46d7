import { describe, expect, test } from 'vitest';
import { readCount, readPauseMs, readRateLimit, readRetryAfterMs } from './rate-limit.ts';

const now = Date.UTC(2026, 5, 30, 12, 0, 0);
const second = now / 1000;
const rate = (limit: string, remaining: string, reset: string): Record<string, string> => ({
  'x-rate-limit-limit': limit,
  'x-rate-limit-remaining': remaining,
  'x-rate-limit-reset': reset,
});

describe('the rate limit', () => {
  test('is read from its three headers', () => {
    expect(readRateLimit(rate('600', '42', String(second + 90)), now)).toEqual({
      limit: 600,
      remaining: 42,
      resetAt: second + 90,
      resetInMs: 90_000,
    });
  });

  test('never ends in the past, nor later than its longest window', () => {
    expect(readRateLimit(rate('25', '0', String(second - 60)), now)?.resetInMs).toBe(0);
    expect(readRateLimit(rate('25', '0', String(now)), now)?.resetInMs).toBe(3_600_000);
  });

  test.each([
    {},
    { 'x-rate-limit-limit': '600', 'x-rate-limit-remaining': '1' },
    rate('600', '-1', '1'),
    rate('600', '1.5', '1'),
    rate('', '1', '1'),
    rate('a lot', '1', '1'),
    rate('600', '1', '9'.repeat(400)),
  ])('is unknown without them: %o', (headers) => {
    expect(readRateLimit(headers, now)).toBeNull();
  });
});

test.each([
  ['0', 0],
  ['17', 17_000],
  ['1.5', 1500],
  [' 3 ', 3000],
  ['Tue, 30 Jun 2026 12:00:30 GMT', 30_000],
  ['Tue, 30 Jun 2026 11:00:00 GMT', 0],
  ['999999999', 86_400_000],
  ['soon', null],
  ['-5', null],
  ['', null],
  [undefined, null],
])('Retry-After "%s" is %s ms', (value, ms) => {
  expect(readRetryAfterMs({ 'retry-after': value }, now)).toBe(ms);
});

test.each([
  ['Retry-After before the reset', 429, { 'retry-after': '20', ...rate('25', '0', String(second + 5)) }, 20_000],
  [
    'the reset where Retry-After is unreadable',
    429,
    { 'retry-after': 'x', ...rate('25', '0', String(second + 5)) },
    5000,
  ],
  ['the reset alone', 429, { 'x-rate-limit-reset': String(second + 5) }, 5000],
  ['a second when the reset is over', 429, rate('25', '0', String(second - 5)), 1000],
  ['a second when Retry-After is none', 429, { 'retry-after': '0' }, 1000],
  ['the reset when 503 means a used-up window', 503, rate('600', '0', String(second + 50)), 50_000],
  ['ten seconds when 503 says nothing of its length', 503, rate('600', '599', String(second + 3000)), 10_000],
  ['ten seconds when nothing is known', 429, {}, 10_000],
] as [string, 429 | 503, Record<string, string>, number][])('a pause is %s (%i)', (_, status, headers, ms) => {
  expect(readPauseMs(status, headers, now)).toBe(ms);
});

test('of several headers of one name the first counts', () => {
  expect(readCount({ total: ['7', '8'] }, 'total')).toBe(7);
});
