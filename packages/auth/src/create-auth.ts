// The access token of one service account (DMSA), kept fresh.
//
//   none ──token()──▶ asking ──▶ fresh ──time──▶ due (still given out; a new one is asked for) ──time──▶ expired = none
//                       │          └────────────refuse()────────────────────────────────────────────────▶ none
//                       └─ rejected or unreachable: in trouble; calls fail at once until a pause is over, then the next
//                          call is a probe: it asks once. The pauses grow until one succeeds (pause-before-probe.ts);
//                          other credentials end the pause of a rejection
//
// However many callers there are, at most one question is out at a time.
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';
import { type AccessToken, renewAfterMs } from './access-token.ts';
import { AuthError } from './errors.ts';
import { isLoopback } from './is-loopback.ts';
import { pauseBeforeProbeMs, pauses } from './pause-before-probe.ts';
import { type Credentials, requestToken } from './request-token.ts';

export type Auth = {
  /**
   * A token that is valid now. Waits while one is asked for; `signal` ends the wait of this caller only.
   * Throws an AuthError when none can be had.
   */
  token: (signal?: AbortSignal) => Promise<string>;
  /** To be told when Procore answered 401 to this token: unless a newer one is there already, the next call gets one. */
  refuse: (token: string) => void;
  /** Why the last question to the login server failed, in words for the operator, or null. */
  trouble: () => string | null;
  /** Ends what is under way; calls fail from then on. */
  close: () => Promise<void>;
};

const DEFAULT_TIMEOUT_MS = 10_000;
const pausesBeforeRetryMs = [300, 900];

/** What holds while the last question failed. */
type Trouble = {
  error: AuthError;
  credentials: Credentials;
  /** When it first failed for this reason since the last success. */
  since: Partial<Record<AuthError['reason'], number>>;
  at: number;
  pauseMs: number;
};

/**
 * Obtains and renews access tokens by the client credentials grant at `{loginUrl}/oauth/token`. `credentials` is asked
 * before each question, and by each call while they are rejected. `onSecret` learns of each token before anyone else,
 * `onTrouble` when trouble begins, becomes another, and (null) ends, `onRejected` each time that the credentials are refused. `timeoutMs` (10 s) limits each acquisition, its
 * two retries included. Throws a TypeError when `loginUrl` is neither https nor http to this machine.
 */
export function createAuth(options: {
  loginUrl: URL;
  credentials: () => Credentials;
  onSecret?: (token: string) => void;
  onTrouble?: (trouble: AuthError | null) => void;
  onRejected?: () => void;
  now?: () => number;
  random?: () => number;
  timeoutMs?: number;
}): Auth {
  const { loginUrl, now = Date.now, random = Math.random } = options;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  if (loginUrl.protocol !== 'https:' && !(loginUrl.protocol === 'http:' && isLoopback(loginUrl))) {
    throw new TypeError(`the login server must be asked over https, not at ${loginUrl.origin}`);
  }
  const dispatcher = new Agent({ connect: { timeout: timeoutMs }, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  const closing = new AbortController();
  let current: (AccessToken & { renewAt: number }) | null = null;
  let underWay: Promise<string> | null = null;
  let trouble: Trouble | null = null;

  async function obtain(): Promise<string> {
    const credentials = options.credentials();
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
    try {
      return await askUntilAnswered(credentials, signal);
    } catch (error) {
      if (error instanceof AuthError) throw error;
      if (closing.signal.aborted) throw closed();
      const message = `the login server ${loginUrl.origin} gave no answer in ${timeoutMs} ms`;
      throw fail(new AuthError('unreachable', message), credentials);
    }
  }

  async function askUntilAnswered(credentials: Credentials, signal: AbortSignal): Promise<string> {
    const retries = trouble === null ? pausesBeforeRetryMs : []; // a probe asks once
    for (let attempt = 0; ; attempt++) {
      const askedAt = now();
      const answer = await requestToken({ loginUrl, ...credentials, dispatcher }, signal);
      if (answer.kind === 'token') return keep(answer.value, answer.lifetimeMs, askedAt);
      const pauseMs = retries[attempt];
      if (answer.again === 'later' || pauseMs === undefined) throw fail(answer.error, credentials, answer.retryAfterMs);
      await sleep(jittered(pauseMs), undefined, { signal });
    }
  }

  function keep(value: string, lifetimeMs: number, askedAt: number): string {
    options.onSecret?.(value);
    // Counted from the question, not the answer: rather a little too early than too late.
    current = { value, expiresAt: askedAt + lifetimeMs, renewAt: askedAt + renewAfterMs(lifetimeMs, random) };
    const ended = trouble !== null;
    trouble = null;
    if (ended) options.onTrouble?.(null);
    return value;
  }

  function fail(error: AuthError, credentials: Credentials, retryAfterMs: number | null = null): AuthError {
    const { reason } = error;
    const at = now();
    const before = isSame(trouble?.credentials, credentials) ? trouble : null; // other credentials are another story
    const firstAt = before?.since[reason] ?? at;
    const pauseMs =
      reason === 'rejected'
        ? pauseBeforeProbeMs(at - firstAt, pauses.refused)
        : Math.max(jittered(pauseBeforeProbeMs(at - firstAt, pauses.unreachable)), retryAfterMs ?? 0);
    trouble = { error, credentials, since: { ...before?.since, [reason]: firstAt }, at, pauseMs };
    if (reason === 'rejected') {
      current = null;
      options.onRejected?.();
    }
    if (before?.error.reason !== reason) options.onTrouble?.(error);
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
    if (at >= current.renewAt && pausing(at) === null) renew().catch(() => {}); // kept in `trouble`
    return current.value;
  }

  /** The trouble because of which the login server is left alone now. */
  function pausing(at: number): Trouble | null {
    if (trouble === null) return null;
    const passedMs = at - trouble.at;
    if (passedMs < 0 || passedMs >= trouble.pauseMs) return null; // less than nothing: the clock was set back
    if (trouble.error.reason === 'rejected' && !isSame(trouble.credentials, options.credentials())) return null;
    return trouble;
  }

  return {
    token: async (signal) => {
      signal?.throwIfAborted();
      if (closing.signal.aborted) throw closed();
      const at = now();
      const value = valid(at);
      if (value !== null) return value;
      const pause = underWay === null ? pausing(at) : null;
      if (pause !== null) throw pause.error;
      return await orAborted(renew(), signal);
    },
    refuse: (token) => {
      if (current?.value === token) current = null;
    },
    trouble: () => trouble?.error.message ?? null,
    close: async () => {
      closing.abort();
      await underWay?.catch(() => {});
      await dispatcher.destroy();
    },
  };
}

function isSame(before: Credentials | undefined, after: Credentials): boolean {
  return before?.clientId === after.clientId && before.clientSecret === after.clientSecret;
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
