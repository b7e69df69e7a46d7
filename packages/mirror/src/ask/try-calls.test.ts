import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreTokenError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { ScopeParkedError } from '../errors.ts';
import { tryCalls } from './try-calls.ts';

function patience() {
  const slept: number[] = [];
  const sleepMs = async (ms: number) => void slept.push(ms);
  return { slept, o: { signal: new AbortController().signal, now: () => 10_000, sleepMs } };
}

const failing = (...errors: unknown[]) => {
  const left = [...errors];
  return async () => {
    if (left.length > 0) throw left.shift();
    return 'done';
  };
};

test('it waits as long as a busy Procore asks for, and a moment when it is out of reach', async () => {
  const { slept, o } = patience();
  const work = failing(
    new ProcoreBusyError('busy', { status: 429, resumeAt: 15_000 }),
    new ProcoreUnreachableError('no answer'),
  );
  expect(await tryCalls(work, o)).toEqual({ done: 'done' });
  expect(slept).toEqual([5_000, 4_000]);
});

test('a Procore that stays out of reach is a refusal after two minutes', async () => {
  const { slept, o } = patience();
  const work = failing(...Array.from({ length: 9 }, () => new ProcoreUnreachableError('no answer')));
  expect(await tryCalls(work, o)).toEqual({ refused: 'no answer' });
  expect(slept.reduce((sum, ms) => sum + ms, 0)).toBe(122_000);
});

test('who is less patient is told earlier', async () => {
  const { slept, o } = patience();
  const work = failing(...Array.from({ length: 9 }, () => new ProcoreUnreachableError('no answer')));
  expect(await tryCalls(work, { ...o, pausesMs: [1_000, 3_000] })).toEqual({ refused: 'no answer' });
  expect(slept).toEqual([1_000, 3_000]);
});

const status = (code: number) => new ProcoreResponseError(`was answered ${code}`, { status: code });

test.each([302, 401, 500, 502, 504])('%i may pass', async (code) => {
  const { slept, o } = patience();
  expect(await tryCalls(failing(status(code), status(code)), o)).toEqual({ done: 'done' });
  expect(slept).toEqual([2_000, 4_000]);
});

test('a login that fails may pass, too: secrets are read again', async () => {
  const { o } = patience();
  const work = failing(new ProcoreTokenError('no token', { isRejected: true }));
  expect(await tryCalls(work, o)).toEqual({ done: 'done' });
});

test.each([
  ...[400, 403, 404, 408, 422].map((code) => [String(code), status(code)] as const),
  ['an answer that cannot be read', new ProcoreFormatError('odd', { issues: [] })] as const,
  ['a parked scope', new ScopeParkedError('not asked')] as const,
])('%s concerns this work only', async (_, error) => {
  const { slept, o } = patience();
  expect(await tryCalls(failing(error), o)).toEqual({ refused: error.message });
  expect(slept).toEqual([]);
});

test('anything else is thrown', async () => {
  await expect(tryCalls(failing(new Error('no database')), patience().o)).rejects.toThrow('no database');
});
