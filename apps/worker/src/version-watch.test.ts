import { DatabaseVersionError } from '@procore-mirror/database';
import { expect, test } from 'vitest';
import { startVersionWatch, type VersionWatch } from './version-watch.ts';

const newer = new DatabaseVersionError('this database is newer');

/** A watch over a database that answers so, and from then on as it did last; what it says, in order. */
function aWatch(answers: readonly (Error | null)[], { leaveAfterMs = 1 } = {}) {
  const said: unknown[] = [];
  const looks: number[] = [];
  const watch: VersionWatch = startVersionWatch({
    check: async () => {
      const answer = answers[Math.min(looks.push(looks.length), answers.length) - 1];
      if (answer) throw answer;
    },
    everyMs: 1,
    leaveAfterMs,
    log: { warn: (keys: object) => said.push({ ...keys, problem: watch.problem() }) } as never, // it uses no more of a log
    fail: (error) => said.push(error),
  });
  return { watch, said, looks };
}

test('a database that fits, or is away for a while, is no news', async () => {
  const { watch, said, looks } = aWatch([null, new Error('connection refused'), null]);
  await expect.poll(() => looks.length).toBeGreaterThan(5);
  expect([watch.problem(), said]).toEqual([null, []]);
  watch.close();
});

test('one that does not fit any more is a problem at once, and after a moment the end', async () => {
  const { watch, said, looks } = aWatch([null, null, newer]);
  await expect.poll(() => said).toHaveLength(2);
  expect(said).toEqual([{ error: newer, ends_in_ms: 1, problem: newer.message }, newer]);
  expect([watch.problem(), looks.length]).toEqual([newer.message, 4]);
  watch.close();
});

test('what passes before the end is no end', async () => {
  const { watch, said, looks } = aWatch([newer, null]);
  await expect.poll(() => looks.length).toBeGreaterThan(5);
  expect([watch.problem(), said]).toEqual([null, [expect.objectContaining({ error: newer })]]);
  watch.close();
});

test('a process that ends meanwhile does not fail', async () => {
  const { watch, said } = aWatch([newer], { leaveAfterMs: 600_000 });
  await expect.poll(() => said).toHaveLength(1);
  watch.close();
  expect(said).toHaveLength(1);
});
