import { describe, expect, test } from 'vitest';
import { decideRetry, type RequestFailure, type RetryDecision, twoMoreTriesInAboutTwoSeconds } from './retry.ts';

const decide = (options: Partial<Parameters<typeof decideRetry>[0]> & { failure: RequestFailure }): RetryDecision =>
  decideRetry({
    method: 'GET',
    attempt: 0,
    tokenRefused: false,
    policy: twoMoreTriesInAboutTwoSeconds,
    random: 0.5,
    ...options,
  });
const status = (value: number): RequestFailure => ({ kind: 'status', status: value });

test.each([
  ['GET', { kind: 'unreachable', sent: true, isTimeOut: false }, 'later'],
  ['GET', { kind: 'unreachable', sent: false, isTimeOut: false }, 'later'],
  ['GET', { kind: 'unreachable', sent: true, isTimeOut: true }, 'no'],
  ['GET', { kind: 'unreachable', sent: false, isTimeOut: true }, 'no'],
  ['GET', { kind: 'unreadable' }, 'later'],
  ['GET', { kind: 'final' }, 'no'],
  ['GET', status(500), 'later'],
  ['GET', status(502), 'later'],
  ['GET', status(504), 'later'],
  ['GET', status(301), 'no'],
  ['GET', status(400), 'no'],
  ['GET', status(403), 'no'],
  ['GET', status(404), 'no'],
  ['GET', status(408), 'no'],
  ['GET', status(429), 'no'],
  ['GET', status(501), 'later'],
  ['GET', status(503), 'no'],
  ['POST', { kind: 'unreachable', sent: true, isTimeOut: false }, 'no'],
  ['POST', { kind: 'unreachable', sent: false, isTimeOut: false }, 'later'],
  ['DELETE', { kind: 'unreachable', sent: true, isTimeOut: false }, 'no'],
  ['POST', { kind: 'unreadable' }, 'no'],
  ['POST', status(500), 'no'],
  ['PATCH', status(401), 'with a new token'],
  ['GET', status(401), 'with a new token'],
] as [string, RequestFailure, RetryDecision['retry']][])('%s after %o: %s', (method, failure, retry) => {
  expect(decide({ method, failure }).retry).toBe(retry);
});

test('a token is refused once per call, whatever the number of tries', () => {
  expect(decide({ failure: status(401), tokenRefused: true })).toEqual({ retry: 'no' });
  expect(decide({ failure: status(401), attempt: 2 })).toEqual({ retry: 'with a new token' });
});

test('a failure is tried twice more', () => {
  expect([0, 1, 2, 3].map((attempt) => decide({ failure: status(500), attempt }).retry)).toEqual([
    'later',
    'later',
    'no',
    'no',
  ]);
});

describe('the pause', () => {
  const policy = { extraTries: 9, firstDelayMs: 100, longestDelayMs: 1000 };
  const pauses = (random: number): unknown[] =>
    [0, 1, 2, 3, 4, 8].map((attempt) => decide({ failure: status(500), attempt, policy, random }));

  test('doubles up to the longest', () => {
    expect(pauses(1)).toEqual([100, 200, 400, 800, 1000, 1000].map((delayMs) => ({ retry: 'later', delayMs })));
  });

  test('leaves half to chance', () => {
    expect(pauses(0)).toEqual([50, 100, 200, 400, 500, 500].map((delayMs) => ({ retry: 'later', delayMs })));
  });
});
