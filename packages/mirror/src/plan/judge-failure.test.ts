import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreTooLargeError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { InDoubtError } from '../errors.ts';
import { judgeFailure, pauseOf } from './judge-failure.ts';

const status = (code: number) => new ProcoreResponseError(`GET /x: ${code}`, { status: code });
const busy = (status: 429 | 503) => new ProcoreBusyError('later', { resumeAt: 65_000, status });

test.each([
  ['our limit', busy(429), { kind: 'limited' }],
  ['an address that is busy', busy(503), { trouble: { reason: 'failing', atLeastMs: 60_000 }, givesUp: null }],
  ['a reset', new ProcoreUnreachableError('reset'), { trouble: { reason: 'unreachable' }, givesUp: null }],
  ['a time-out', new ProcoreUnreachableError('x', { isTimeOut: true }), { trouble: { reason: 'slow' }, givesUp: null }],
  ['no token', new ProcoreTokenError('x', { isRejected: true }), { trouble: { reason: 'no_token' }, givesUp: null }],
  ['301', status(301), { trouble: { reason: 'unreachable' }, givesUp: null }],
  ['302', status(302), { trouble: { reason: 'unreachable' }, givesUp: null }],
  ['401', status(401), { trouble: { reason: 'unauthorized' }, givesUp: null }],
  ['403', status(403), { trouble: { reason: 'forbidden' }, givesUp: { reason: 'answer_403', afterFailures: 12 } }],
  ['404', status(404), { kind: 'absent' }],
  ['405', status(405), { trouble: { reason: 'failing' }, givesUp: { reason: 'answer_405', afterFailures: 3 } }],
  ['408', status(408), { trouble: { reason: 'failing' }, givesUp: { reason: 'answer_408', afterFailures: 12 } }],
  ['409', status(409), { trouble: { reason: 'failing' }, givesUp: { reason: 'answer_409', afterFailures: 3 } }],
  ['410', status(410), { kind: 'absent' }],
  ['422', status(422), { trouble: { reason: 'failing' }, givesUp: { reason: 'answer_422', afterFailures: 3 } }],
  ['500', status(500), { trouble: { reason: 'failing' }, givesUp: null }],
  ['524', status(524), { trouble: { reason: 'failing' }, givesUp: null }],
  [
    'nonsense',
    new ProcoreFormatError('x', { issues: ['cut'] }),
    { givesUp: { reason: 'malformed_answer', afterFailures: 12 } },
  ],
  [
    'an answer that is too large',
    new ProcoreTooLargeError('x'),
    { givesUp: { reason: 'answer_too_large', afterFailures: 12 } },
  ],
  ['a listing in doubt', new InDoubtError('x', { issues: ['it shifted'] }), { kind: 'in doubt' }],
  ['an error of ours', new TypeError('undefined is no function'), null],
])('%s', (_, error, failure) => {
  const judged = judgeFailure(error, () => 5_000);
  if (failure === null) expect(judged).toBeNull();
  else expect(judged).toMatchObject(failure);
});

test.each([
  ['failing', 0, 1],
  ['failing', 2, 2.25],
  ['failing', 4, 5.063],
  ['failing', 21, 4987.885],
  ['failing', 1000, 7200],
  ['forbidden', 0, 5],
  ['slow', 0, 60],
  ['slow', 8, 60],
  ['slow', 22, 7200],
] as const)('a record that is %s waits after %i failures', (reason, attempts, seconds) => {
  expect(pauseOf({ reason, detail: '', atLeastMs: 0 }, attempts, () => 0.5)).toBe(seconds * 1000);
});

test('a record waits as long as Procore says, two hours at most, and several workers not all as long', () => {
  expect(pauseOf({ reason: 'failing', detail: '', atLeastMs: 90_000 }, 0, () => 0.5)).toBe(90_000);
  expect(pauseOf({ reason: 'failing', detail: '', atLeastMs: 86_400_000 }, 0, () => 0.5)).toBe(7_200_000);
  const trouble = { reason: 'failing', detail: '', atLeastMs: 0 } as const;
  expect([0, 0.999].map((random) => pauseOf(trouble, 0, () => random))).toEqual([750, 1250]);
});
