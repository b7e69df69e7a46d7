import {
  ProcoreBusyError,
  ProcoreFormatError,
  ProcoreResponseError,
  ProcoreUnreachableError,
} from '@procore-mirror/procore';
import { expect, test } from 'vitest';
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
  expect(slept).toEqual([5_000, 2_000]);
});

test('a Procore that stays out of reach is a refusal after five attempts', async () => {
  const { slept, o } = patience();
  const work = failing(...Array.from({ length: 9 }, () => new ProcoreUnreachableError('no answer')));
  expect(await tryCalls(work, o)).toEqual({ refused: 'no answer' });
  expect(slept).toHaveLength(4);
});

test.each([
  ['an answer that refuses', new ProcoreResponseError('forbidden', { status: 403 })],
  ['an answer that cannot be read', new ProcoreFormatError('odd', { issues: [] })],
])('%s concerns this work only', async (_, error) => {
  expect(await tryCalls(failing(error), patience().o)).toEqual({ refused: error.message });
});

test('anything else is thrown', async () => {
  await expect(tryCalls(failing(new Error('no database')), patience().o)).rejects.toThrow('no database');
});
