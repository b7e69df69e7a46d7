import { expect, test } from 'vitest';
import { type CallFailure, startProgress } from './progress.ts';

const aFailure = (id: string): CallFailure => ({
  kind: 'trouble',
  trouble: { reason: 'failing', detail: 'x', atLeastMs: 0 },
  givesUp: null,
  call: { kind: 'show', id, parentId: null },
});

test('a probe is over when something is answered, or when it has found out that nothing is', () => {
  const answered = startProgress({ isProbe: true, isWide: true, asks: 'both' });
  expect([answered.isProbe(), answered.isWide]).toEqual([true, true]);
  expect([answered.answered(), answered.isProbe()]).toEqual([true, false]);
  const refused = startProgress({ isProbe: true, isWide: false, asks: 'both' });
  refused.probed();
  expect([refused.isProbe(), refused.isWide]).toEqual([false, false]);
});

test('only the first answer takes up what was parked', () => {
  const progress = startProgress({ isProbe: false, isWide: false, asks: 'both' });
  expect([progress.answered(), progress.answered()]).toEqual([true, false]);
});

test('failures wait in order until somebody settles them, and are settled once', () => {
  const progress = startProgress({ isProbe: false, isWide: false, asks: 'both' });
  progress.failed(aFailure('1'));
  progress.failed(aFailure('2'));
  expect(progress.failures()).toEqual([aFailure('1'), aFailure('2')]);
  expect(progress.takeFailures()).toEqual([aFailure('1'), aFailure('2')]);
  expect([progress.failures(), progress.takeFailures()]).toEqual([[], []]);
});

test('what went wrong last is told in the end', () => {
  const progress = startProgress({ isProbe: false, isWide: false, asks: 'both' });
  expect(progress.lastError()).toBeNull();
  for (const error of ['one', 'other']) progress.wentWrong(error);
  expect(progress.lastError()).toBe('other');
});
