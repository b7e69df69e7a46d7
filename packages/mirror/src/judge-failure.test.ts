import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { judgeFailure } from './judge-failure.ts';

const half = () => 0.5;
const status = (code: number) => new ProcoreResponseError(`GET /x: ${code}`, { status: code });
const noToken = (isRejected: boolean) => new ProcoreTokenError('no token', { isRejected });

test.each([
  [new ProcoreBusyError('429', { resumeAt: 5, status: 429 }), 0, { outcome: 'wait', resumeAt: 5 }],
  [new ProcoreUnreachableError('reset'), 0, { outcome: 'retry', pauseMs: 1000 }],
  [new ProcoreUnreachableError('reset'), 3, { outcome: 'retry', pauseMs: 8000 }],
  [new ProcoreUnreachableError('reset'), 1000, { outcome: 'retry', pauseMs: 300_000 }],
  [noToken(true), 0, { outcome: 'stop' }],
  [noToken(false), 0, { outcome: 'retry', pauseMs: 1000 }],
  [status(401), 0, { outcome: 'unauthorized' }],
  [status(403), 2, { outcome: 'refused', pauseMs: 4000 }],
  [status(404), 0, { outcome: 'absent' }],
  [status(410), 0, { outcome: 'absent' }],
  [status(302), 99, { outcome: 'retry', pauseMs: 300_000 }],
  [status(408), 0, { outcome: 'retry', pauseMs: 1000 }],
  [status(500), 99, { outcome: 'retry', pauseMs: 300_000 }],
  [status(422), 1, { outcome: 'retry', pauseMs: 2000 }],
  [status(422), 2, { outcome: 'dead', reason: 'answer_422' }],
  [new ProcoreFormatError('GET /x', { issues: ['cut'] }), 7, { outcome: 'retry', pauseMs: 128_000 }],
  [new ProcoreFormatError('GET /x', { issues: ['cut'] }), 8, { outcome: 'dead', reason: 'malformed_answer' }],
])('%s after %i failures', (error, attempts, outcome) => {
  expect(judgeFailure(error, attempts, half)).toEqual(outcome);
});

test('pauses of several workers differ by up to half', () => {
  const pauses = [0, 0.999].map((random) => judgeFailure(new ProcoreUnreachableError('x'), 0, () => random));
  expect(pauses).toMatchObject([{ pauseMs: 750 }, { pauseMs: 1250 }]);
});
