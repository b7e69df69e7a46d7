import { ProcoreBusyError, ProcoreResponseError, ProcoreUnreachableError } from '@procore-mirror/procore';
import { describe, expect, test } from 'vitest';
import { FillIncompleteError, InDoubtError, ScopeParkedError } from '../errors.ts';
import { judgeFill, MOST_ATTEMPTS } from './judge-fill.ts';

const answered = (status: number) => new ProcoreResponseError('an answer', { status });
const issues = ['a page was cut'];
const judge = (error: unknown, attempts = 0, isParked = false) => judgeFill(error, { attempts, isParked });

test.each([
  ...[400, 404].map((status) => [String(status), answered(status)] as const),
  ['the rest was refused', new FillIncompleteError('some parents', { issues })] as const,
])('what another try would not help fails at once: %s', (_, error) => {
  expect(judge(error)).toBeNull();
  expect(judge(error, 0, true)).toBeNull();
});

test('a refusal is tried once more, and waits while the scope is parked', () => {
  expect(judge(answered(403))).toMatchObject({ isAttempt: true });
  expect(judge(answered(403), 1)).toBeNull();
  expect(judge(answered(403), 1, true)).toMatchObject({ isAttempt: false });
});

describe.each([
  ['500', answered(500)],
  ['401', answered(401)],
  ['no answer', new ProcoreUnreachableError('no answer')],
  ['a list in doubt', new InDoubtError('the list', { issues })],
  ['a bug of ours', new Error('a bug')],
])('what may pass is waited out: %s', (_, error) => {
  test('for some three minutes, ever longer', () => {
    const pauses = Array.from({ length: MOST_ATTEMPTS }, (_, attempts) => judge(error, attempts)?.pauseMs ?? 0);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.reduce((sum, pause) => sum + pause)).toBeGreaterThan(150_000);
    expect(judge(error, MOST_ATTEMPTS)).toBeNull();
  });

  test('as long as it takes while the scope is parked', () => {
    expect(judge(error, MOST_ATTEMPTS, true)).toMatchObject({ isAttempt: false });
  });
});

test.each([
  ['calls are used up', new ProcoreBusyError('busy', { resumeAt: 0, status: 429 })],
  ['the scope is parked', new ScopeParkedError('parked')],
])('that %s is no failure', (_, error) => {
  expect(judge(error, MOST_ATTEMPTS)).toMatchObject({ isAttempt: false });
});
