// The access token of one service account (DMSA), kept fresh.
//
//   none ──token()──▶ asking ──▶ fresh ──time──▶ due (still given out; a new one is asked for) ──time──▶ expired = none
//                       │          └────────────refuse()────────────────────────────────────────────────▶ none
//                       ├─ rejected: for ever, every call fails at once and nobody is asked again
//                       └─ unreachable: calls fail at once for a moment, then the next one asks again
//
// However many callers there are, at most one question is out at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { type AccessToken, renewAfterMs } from './access-token.ts';
import { AuthError } from './errors.ts';
import { isLoopback } from './is-loopback.ts';
import { requestToken } from './request-token.ts';

export type Auth = {
  /**
   * A token that is valid now. Waits while one is asked for; `signal` ends the wait of this caller only.
   * Throws an AuthError when none can be had.
   */
  token(signal?: AbortSignal): Promise<string>;
  /** To be told when Procore answered 401 to this token: unless a newer one is there already, the next call gets one. */
  refuse(token: string): void;
  /** Ends what is under way; calls fail from then on. */
  close(): Promise<void>;
};

const defaultTimeoutMs = 10_000;
const pausesBeforeRetryMs = [300, 900];
const pauseAfterFailureMs = 1_000;

/**
 * Obtains and renews access tokens by the client credentials grant at `{loginUrl}/oauth/token`. `onSecret` learns of
 * each token before anyone else. `timeoutMs` (10 s) limits each acquisition, its two retries included.
 * Throws a TypeError when `loginUrl` is neither https nor http to this machine.
 */
export function createAuth(options: {
  loginUrl: URL;
  clientId: string;
  clientSecret: string;
  onSecret?: (token: string) => void;
  now?: () => number;
  random?: () => number;
  timeoutMs?: number;
}): Auth {
  const { loginUrl, clientId, clientSecret, now = Date.now, random = Math.random } = options;
  const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
  if (loginUrl.protocol !== 'https:' && !(loginUrl.protocol === 'http:' && isLoopback(loginUrl))) {
    throw new TypeError(`the login server must be asked over https, not at ${loginUrl.origin}`);
  }
  const dispatcher = new Agent({ connect: { timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const closing = new AbortController();
  let current: (AccessToken & { renewAt: number }) | null = null;
  let underWay: Promise<string> | null = null;
  let rejected: AuthError | null = null;
  let failed: { error: AuthError; askAgainAt: number } | null = null;

  async function obtain(): Promise<string> {
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await askUntilAnswered(signal);
    } catch (error) {
      if (error instanceof AuthError) throw error;
      if (closing.signal.aborted) throw closed();
      throw fail(new AuthError('unreachable', `the login server ${loginUrl.origin} gave no answer in ${timeoutMs} ms`));
    }
  }

  async function askUntilAnswered(signal: AbortSignal): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      const askedAt = now();
      const answer = await requestToken({ loginUrl, clientId, clientSecret, dispatcher }, signal);
      if (answer.kind === 'token') return keep(answer.value, answer.lifetimeMs, askedAt);
      const pauseMs = pausesBeforeRetryMs[attempt];
      if (answer.error.reason === 'rejected') {
        rejected = answer.error;
        throw answer.error;
      }
      if (answer.again === 'later' || pauseMs === undefined) throw fail(answer.error, answer.retryAfterMs);
      await sleep(jittered(pauseMs), undefined, { signal });
    }
  }

  function keep(value: string, lifetimeMs: number, askedAt: number): string {
    options.onSecret?.(value);
    // Counted from the question, not the answer: rather a little too early than too late.
    current = { value, expiresAt: askedAt + lifetimeMs, renewAt: askedAt + renewAfterMs(lifetimeMs, random) };
    failed = null;
    return value;
  }

  function fail(error: AuthError, retryAfterMs: number | null = null): AuthError {
    failed = { error, askAgainAt: now() + (retryAfterMs ?? jittered(pauseAfterFailureMs)) };
    return error;
  }

  function jittered(ms: number): number {
    return ms * (0.75 + random() / 2);
  }

  function renew(): Promise<string> {
    underWay ??= obtain().finally(() => {
      underWay = null;
    });
    return underWay;
  }

  function valid(at: number): string | null {
    if (current === null || at >= current.expiresAt) return null;
    const mayAsk = failed === null || at >= failed.askAgainAt;
    if (at >= current.renewAt && mayAsk) renew().catch(() => {}); // kept in `failed` or `rejected`
    return current.value;
  }

  return {
    token: async (signal) => {
      signal?.throwIfAborted();
      if (closing.signal.aborted) throw closed();
      if (rejected !== null) throw rejected;
      const at = now();
      const value = valid(at);
      if (value !== null) return value;
      if (underWay === null && failed !== null && at < failed.askAgainAt) throw failed.error;
      return await orAborted(renew(), signal);
    },
    refuse: (token) => {
      if (current?.value === token) current = null;
    },
    close: async () => {
      closing.abort();
      await underWay?.catch(() => {});
      await dispatcher.destroy();
    },
  };
}

function closed(): Error {
  return new Error('no more tokens: this process is closing');
}

/** Waits for the promise, but no longer than until the signal aborts; the promise itself goes on. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
