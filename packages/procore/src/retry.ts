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
export function decideRetry(options: {
  method: string;
  failure: RequestFailure;
  attempt: number;
  tokenRefused: boolean;
  policy: RetryPolicy;
  random: number;
}): RetryDecision {
  const { method, failure, attempt, policy, tokenRefused, random } = options;
  // A request that was refused for its token was not carried out, so any method may try again.
  if (failure.kind === 'status' && meaningOf(failure.status) === 'unauthorized') {
    return tokenRefused ? { retry: 'no' } : { retry: 'with a new token' };
  }
  if (attempt >= policy.extraTries || !mayRepeat(method, failure)) return { retry: 'no' };
  const ceiling = Math.min(policy.firstDelayMs * 2 ** attempt, policy.longestDelayMs);
  return { retry: 'later', delayMs: Math.round(ceiling * (0.5 + random / 2)) };
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
