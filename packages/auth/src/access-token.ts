export type AccessToken = {
  value: string;
  /** Milliseconds since 1970 by our clock. */
  expiresAt: number;
};

const LONGEST_AHEAD_MS = 60_000;
const SHARE_OF_LIFETIME = 0.2;

/**
 * When to renew a token of this lifetime, counted from when it was asked for: 60 s or a fifth of its lifetime ahead of
 * its end, whichever is less, give or take a quarter of that, so that many processes do not ask at once.
 */
export function renewAfterMs(lifetimeMs: number, random: () => number): number {
  const aheadMs = Math.min(LONGEST_AHEAD_MS, lifetimeMs * SHARE_OF_LIFETIME);
  return lifetimeMs - aheadMs * (0.75 + random() / 2);
}
