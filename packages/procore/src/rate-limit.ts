// Procore tells of two windows, one hour and ten seconds, and each answer describes whichever is nearer to running out
// (docs/procore.md: Limits).

/** What one answer said of the nearer of Procore's two windows. */
export type RateLimit = {
  limit: number;
  remaining: number;
  /** From 0 to an hour; null when the header is absent or says nothing that can be true. */
  resetInMs: number | null;
};

/** How long to stay away. `isTold`: the answer said so; else it is a guess, to be doubled while refusals go on. */
export type Pause = { ms: number; isTold: boolean };

export type AnswerHeaders = Record<string, string | string[] | undefined>;

/** No window is longer than an hour, and so no pause after a 429; then one call asks again. */
const LONGEST_WINDOW_MS = 3_600_000;
/** What is said to end later than that is no end of a window, however wrong a clock is. */
const LATEST_RESET_MS = 2 * LONGEST_WINDOW_MS;
/** A slow answer may come after the end of the window that it tells of. */
const EARLIEST_RESET_MS = -60_000;
/** A maintenance window may be longer, but nobody means years. */
const LONGEST_RETRY_AFTER_MS = 24 * 3_600_000;
const SHORTEST_PAUSE_MS = 1_000;
/** The length of the spike window, the shortest after which anything can have changed. */
const DEFAULT_PAUSE_MS = 10_000;
/** Larger ones mean the same: nobody makes so many calls. */
const LARGEST_LIMIT = 2 ** 31 - 1;

/**
 * The rate limit that these headers describe; null when they do not tell both what it is and what is left. `now`: Procore's
 * time, ms.
 */
export function readRateLimit(headers: AnswerHeaders, now: number): RateLimit | null {
  const limit = readLimit(headers, 'x-rate-limit-limit');
  const remaining = readLimit(headers, 'x-rate-limit-remaining');
  if (limit === null || limit === 0 || remaining === null) return null;
  return { limit, remaining, resetInMs: readResetInMs(headers, now) };
}

/** `Retry-After`, seconds or a date, as ms from now (Procore's time); null when it is absent or unreadable. */
export function readRetryAfterMs(headers: AnswerHeaders, now: number): number | null {
  const text = readHeader(headers, 'retry-after');
  if (text === null) return null;
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : readHttpDate(text) - now;
  return Number.isNaN(ms) ? null : Math.min(Math.max(Math.ceil(ms), 0), LONGEST_RETRY_AFTER_MS);
}

/**
 * How long to stay away after a 429 or 503. Procore's error page names Retry-After, its rate-limit page the reset, so the
 * later of both counts. A 503 is about load, so the reset of a window that has calls left says nothing.
 */
export function readPause(meaning: 'limited' | 'busy', headers: AnswerHeaders, now: number): Pause {
  const usedUp = meaning === 'limited' || readLimit(headers, 'x-rate-limit-remaining') === 0;
  const ends = [readRetryAfterMs(headers, now), usedUp ? readResetInMs(headers, now) : null];
  const told = ends.filter((ms) => ms !== null);
  if (told.length === 0) return { ms: DEFAULT_PAUSE_MS, isTold: false };
  const ms = Math.min(Math.max(...told), meaning === 'limited' ? LONGEST_WINDOW_MS : LONGEST_RETRY_AFTER_MS);
  // Refused, but it is over: so much for what it told.
  return ms < SHORTEST_PAUSE_MS ? { ms: SHORTEST_PAUSE_MS, isTold: false } : { ms, isTold: true };
}

/** A header that counts something; null when it is absent or no whole number. */
export function readCount(headers: AnswerHeaders, name: string): number | null {
  const text = readHeader(headers, name);
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

function readLimit(headers: AnswerHeaders, name: string): number | null {
  const text = readHeader(headers, name);
  return text !== null && /^\d+$/.test(text) ? Math.min(Number(text), LARGEST_LIMIT) : null;
}

/** Procore's documentation has seconds since the epoch; others send milliseconds, or seconds from now. */
function readResetInMs(headers: AnswerHeaders, now: number): number | null {
  const text = readHeader(headers, 'x-rate-limit-reset');
  if (text === null || !/^\d+(\.\d+)?$/.test(text)) return null;
  const reset = Number(text);
  if (reset === 0) return null;
  const ms = isSmall(reset) ? reset * 1000 : (isInMs(reset) ? reset : reset * 1000) - now;
  if (ms < EARLIEST_RESET_MS || ms > LATEST_RESET_MS) return null;
  return Math.min(Math.max(Math.ceil(ms), 0), LONGEST_WINDOW_MS);
}

/** 1973 as seconds since the epoch. */
const isSmall = (reset: number): boolean => reset < 1e8;
/** The year 5138 as seconds since the epoch, 1973 as milliseconds. */
const isInMs = (reset: number): boolean => reset >= 1e11;

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
