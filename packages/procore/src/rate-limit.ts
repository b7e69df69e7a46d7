// Procore tells of two windows, one hour and ten seconds, and each answer describes whichever is nearer to running out
// (https://procore.github.io/documentation/rate-limiting).

/** What one answer said of the nearer of Procore's two windows. */
export type RateLimit = {
  limit: number;
  remaining: number;
  /** Never negative. */
  resetInMs: number;
  /** The header itself, in seconds since the epoch by Procore's clock. */
  resetAt: number;
};

export type AnswerHeaders = Record<string, string | string[] | undefined>;

/** No window is longer than an hour; a later reset is a wrong header or a wrong clock. */
const longestWindowMs = 3_600_000;
/** A maintenance window may be longer, but nobody means years. */
const longestRetryAfterMs = 24 * 3_600_000;
const shortestPauseMs = 1_000;
/** The length of the spike window, the shortest after which anything can have changed. */
const defaultPauseMs = 10_000;

/** The rate limit that these headers describe; null when they lack one of its three numbers. `now`: Procore's time, ms. */
export function readRateLimit(headers: AnswerHeaders, now: number): RateLimit | null {
  const limit = readCount(headers, 'x-rate-limit-limit');
  const remaining = readCount(headers, 'x-rate-limit-remaining');
  const resetAt = readCount(headers, 'x-rate-limit-reset');
  const resetInMs = readResetInMs(headers, now);
  if (limit === null || remaining === null || resetAt === null || resetInMs === null) return null;
  return { limit, remaining, resetInMs, resetAt };
}

/** `Retry-After`, seconds or a date, as ms from now (Procore's time); null when it is absent or unreadable. */
export function readRetryAfterMs(headers: AnswerHeaders, now: number): number | null {
  const text = readHeader(headers, 'retry-after');
  if (text === null) return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : readHttpDate(text) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(Math.ceil(ms), 0), longestRetryAfterMs);
}

/**
 * How long to stay away after a 429 or 503, in ms. Retry-After comes first: Procore's error page names it, its
 * rate-limit page names the reset. A 503 is about load, so the reset of a window that has calls left says nothing.
 */
export function readPauseMs(status: 429 | 503, headers: AnswerHeaders, now: number): number {
  const usedUp = status === 429 || readCount(headers, 'x-rate-limit-remaining') === 0;
  const resetInMs = usedUp ? readResetInMs(headers, now) : null;
  return Math.max(readRetryAfterMs(headers, now) ?? resetInMs ?? defaultPauseMs, shortestPauseMs);
}

/** A header that counts something; null when it is absent or no whole number. */
export function readCount(headers: AnswerHeaders, name: string): number | null {
  const text = readHeader(headers, name);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function readResetInMs(headers: AnswerHeaders, now: number): number | null {
  const resetAt = readCount(headers, 'x-rate-limit-reset');
  if (resetAt === null) return null;
  return Math.min(Math.max(resetAt * 1000 - now, 0), longestWindowMs);
}

/** When the answer was written by Procore's clock, ms since 1970; null when it does not say. */
export function readDate(headers: AnswerHeaders): number | null {
  const date = readHttpDate(readHeader(headers, 'date') ?? '');
  return Number.isNaN(date) ? null : date;
}

/** NaN for what is no date; Date.parse alone takes "-5" for a day in 2001. */
function readHttpDate(text: string): number {
  return /^[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
}

function readHeader(headers: AnswerHeaders, name: string): string | null {
  const value = headers[name];
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined ? null : first.trim();
}
