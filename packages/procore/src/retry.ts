// Whether a failed request is sent once more. Pure: the client acts on the decision.
import { meaningOf } from './status-meaning.ts';

export type RetryPolicy = { extraTries: number; firstDelayMs: number; longestDelayMs: number };

/** The default: a stumble is got over here, an outage is left to the caller, who can wait without holding a slot. */
export const twoMoreTriesInAboutTwoSeconds: RetryPolicy = { extraTries: 2, firstDelayMs: 500, longestDelayMs: 5_000 };

/** For a trial that another request follows if it fails. */
export const onlyOneTry: RetryPolicy = { extraTries: 0, firstDelayMs: 0, longestDelayMs: 0 };

export type RequestFailure =
  /** No answer; `sent` is false only when surely no byte of the request left. A time-out took long enough: who waits longer is slower. */
  | { kind: 'unreachable'; sent: boolean; isTimeOut: boolean }
  | { kind: 'status'; status: number }
  /** 2xx, but the JSON stops short or is none. */
  | { kind: 'unreadable' }
  /** Known to come again, or not ours to wait for. */
  | { kind: 'final' };

export type RetryDecision = { retry: 'no' } | { retry: 'with a new token' } | { retry: 'later'; delayMs: number };

/**
 * Decides what follows a failure. `attempt` counts the tries before this one without those that a 401 cost;
 * `tokenRefused` says that one was refused already; `random` is in [0, 1).
 */
export function decideRetry(o: {
  method: string;
  failure: RequestFailure;
  attempt: number;
  tokenRefused: boolean;
  policy: RetryPolicy;
  random: number;
}): RetryDecision {
  // A request that was refused for its token was not carried out, so any method may try again.
  if (o.failure.kind === 'status' && meaningOf(o.failure.status) === 'unauthorized') {
    return o.tokenRefused ? { retry: 'no' } : { retry: 'with a new token' };
  }
  if (o.attempt >= o.policy.extraTries || !mayRepeat(o.method, o.failure)) return { retry: 'no' };
  const ceiling = Math.min(o.policy.firstDelayMs * 2 ** o.attempt, o.policy.longestDelayMs);
  return { retry: 'later', delayMs: Math.round(ceiling * (0.5 + o.random / 2)) };
}

function mayRepeat(method: string, failure: RequestFailure): boolean {
  switch (failure.kind) {
    case 'unreachable':
      return !failure.isTimeOut && (method === 'GET' || !failure.sent);
    case 'unreadable':
      return method === 'GET';
    case 'status':
      return method === 'GET' && meaningOf(failure.status) === 'failing';
    case 'final':
      return false;
  }
}
