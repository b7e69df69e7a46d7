import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCount, readPause, readRateLimit, readRetryAfterMs } from './rate-limit.ts';

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
      resetInMs: 90_000,
    });
  });

  test.each([
    {},
    { 'x-rate-limit-limit': '600' },
    { 'x-rate-limit-remaining': '1', 'x-rate-limit-reset': '1' },
    rate('600', '-1', '1'),
    rate('600', '1.5', '1'),
    rate('', '1', '1'),
    rate('a lot', '1', '1'),
    rate('0', '0', '1'),
  ])('is unknown where they do not tell what it is and what is left: %o', (headers) => {
    expect(readRateLimit(headers, now)).toBeNull();
  });

  test.each(['2147483648', '9007199254740993', '9'.repeat(400)])('is as good as none when it is %s', (many) => {
    expect(readRateLimit(rate(many, many, '5'), now)).toMatchObject({ limit: 2 ** 31 - 1, remaining: 2 ** 31 - 1 });
  });

  test.each([
    ['seconds since 1970', second + 90, 90_000],
    ['and a part of one', `${second + 90}.25`, 90_250],
    ['milliseconds since 1970', now + 90_000, 90_000],
    ['seconds from now', 90, 90_000],
    ['the end of an answer that took long', second - 60, 0],
    ['a little more than an hour, by a clock that is wrong', second + 3_900, 3_600_000],
    ['a little more than an hour from now', 3_601, 3_600_000],
    ['long over', second - 61, null],
    ['long over, in milliseconds', now - 61_000, null],
    ['years away', second + 100_000_000, null],
    ['years away, in milliseconds', now + 100_000_000_000, null],
    ['hours away', second + 7_201, null],
    ['hours from now', 7_201, null],
    ['nothing', 0, null],
    ['negative', -5, null],
    ['a text', 'soon', null],
    ['a date', 'Tue, 30 Jun 2026 12:00:30 GMT', null],
    ['empty', '', null],
    ['a number without end', '9'.repeat(400), null],
  ])('ends, by a reset that is %s (%s), in %s ms', (_, reset, resetInMs) => {
    expect(readRateLimit(rate('25', '3', String(reset)), now)).toEqual({ limit: 25, remaining: 3, resetInMs });
  });

  test('may come without a reset', () => {
    const headers = { 'x-rate-limit-limit': '600', 'x-rate-limit-remaining': '1' };
    expect(readRateLimit(headers, now)).toEqual({ limit: 600, remaining: 1, resetInMs: null });
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
  [
    'Retry-After where it is later',
    'limited',
    { 'retry-after': '20', ...rate('25', '0', String(second + 5)) },
    20_000,
    true,
  ],
  [
    'the reset where it is later',
    'limited',
    { 'retry-after': '5', ...rate('25', '0', String(second + 20)) },
    20_000,
    true,
  ],
  ['the reset when Retry-After is unreadable', 'limited', { 'retry-after': 'x', ...rate('25', '0', '5') }, 5000, true],
  ['the reset alone', 'limited', { 'x-rate-limit-reset': String(second + 5) }, 5000, true],
  ['the reset of a window with calls left', 'limited', rate('25', '9', String(second + 5)), 5000, true],
  ['a second when the reset is over', 'limited', rate('25', '0', String(second - 5)), 1000, false],
  ['a second when Retry-After is none', 'limited', { 'retry-after': '0' }, 1000, false],
  ['a second when Retry-After is over', 'busy', { 'retry-after': 'Tue, 30 Jun 2026 11:59:30 GMT' }, 1000, false],
  ['an hour at most after a 429', 'limited', { 'retry-after': '999999999' }, 3_600_000, true],
  ['a day at most after a 503', 'busy', { 'retry-after': '999999999' }, 86_400_000, true],
  ['the reset when 503 means a used-up window', 'busy', rate('600', '0', String(second + 50)), 50_000, true],
  ['ten seconds when 503 says nothing of its length', 'busy', rate('600', '599', String(second + 3000)), 10_000, false],
  ['ten seconds when the reset is absurd', 'limited', rate('25', '0', '99999999999999'), 10_000, false],
  ['ten seconds when nothing is known', 'limited', {}, 10_000, false],
] as [string, 'limited' | 'busy', Record<string, string>, number, boolean][])(
  'a pause is %s (%i)',
  (_, meaning, headers, ms, isTold) => {
    expect(readPause(meaning, headers, now)).toEqual({ ms, isTold });
  },
);

const anyReset = fc.oneof(
  fc.integer({ min: -10_000, max: 10_000 }).map((seconds) => String(second + seconds)),
  fc.integer({ min: -10_000_000, max: 10_000_000 }).map((ms) => String(now + ms)),
  fc.integer().map(String),
  fc.bigInt().map(String),
  fc.double().map(String),
  fc.string(),
);
const anyHeaders = fc.record(
  {
    'retry-after': anyReset,
    'x-rate-limit-limit': anyReset,
    'x-rate-limit-remaining': anyReset,
    'x-rate-limit-reset': anyReset,
  },
  { requiredKeys: [] },
);

test('whatever the headers say, numbers fit, no window and no pause after a 429 is longer than an hour', () => {
  fc.assert(
    fc.property(anyHeaders, (headers) => {
      const known = readRateLimit(headers, now);
      for (const count of [known?.limit ?? 1, known?.remaining ?? 0]) {
        expect(Number.isInteger(count) && count >= 0 && count < 2 ** 31).toBe(true);
      }
      const resetInMs = known?.resetInMs ?? 0;
      expect(Number.isInteger(resetInMs) && resetInMs >= 0 && resetInMs <= 3_600_000).toBe(true);
      const { ms, isTold } = readPause('limited', headers, now);
      expect(Number.isInteger(ms) && ms >= 1000 && ms <= 3_600_000).toBe(true);
      const retryAfterMs = Math.min(readRetryAfterMs(headers, now) ?? 0, 3_600_000);
      if (isTold) expect(ms).toBeGreaterThanOrEqual(Math.max(resetInMs, retryAfterMs));
    }),
    { numRuns: 1000 },
  );
});

test('of several headers of one name the first counts', () => {
  expect(readCount({ total: ['7', '8'] }, 'total')).toBe(7);
});
