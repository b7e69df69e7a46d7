import { expect, test } from 'vitest';
import { hookCallsLeft, isListDue, listEveryMs, pauseOfLooks, roundOfLooksMs } from './hook-share.ts';

test.each<[number, number | null, boolean, number]>([
  [0, 600, false, 32],
  [32, 600, false, 0],
  [30, 600, true, 270],
  [0, 10, false, 1],
  [5000, null, false, Number.POSITIVE_INFINITY],
])('after %i calls, of %j an hour, first set-up %j, hooks have %i left', (used, hourLimit, isSetup, left) => {
  expect(hookCallsLeft({ used, hourLimit }, isSetup)).toBe(left);
});

test('a round takes as long as is set where the share suffices, else longer', () => {
  expect(roundOfLooksMs(21, 600, 3_600_000)).toBe(3_600_000);
  expect(roundOfLooksMs(2001, 600, 3_600_000) / 3_600_000).toBeCloseTo(71, 0);
  expect(roundOfLooksMs(2001, null, 3_600_000)).toBe(3_600_000);
});

const hour = 3_600_000;
test.each([
  ['as often as is set where the share suffices', 21, 1, 600, 1],
  ['and however long the list is', 21, 7, 600, 1],
  ['and where there is no limit', 2001, 7, null, 1],
  ['rarely where it does not, and the list is long', 2001, 11, 600, 330 / 32],
  ['rarely where calls are few', 201, 1, 60, 10],
  ['at least daily', 2001, 7, 60, 24],
])('projects are listed %s', (_, scopes, listCalls, hourLimit, hours) => {
  expect(listEveryMs({ scopes, listCalls, hourLimit }, hour) / hour).toBeCloseTo(hours, 5);
});

test.each<[string, number | null, number | null, boolean, boolean]>([
  ['never listed', null, null, true, true],
  ['listed an hour ago', hour, null, false, true],
  ['listed an hour ago, with the share used up', hour, null, true, false],
  ['listed a minute ago', 60_000, null, false, false],
  ['announced just now', hour / 2, 500, false, false],
  ['announced', 60_000, 3_000, false, true],
  ['announced right after a list', 10_000, 3_000, false, false],
  ['announced, with the share used up', 20_000, 3_000, true, false],
  ['announced, with the share used up, for a while', 46_000, 30_000, true, true],
])('projects that were %s: due %#', (_, listedMs, announcedMs, isShort, due) => {
  expect(isListDue({ listedMs, announcedMs }, { everyMs: hour, isShort })).toBe(due);
});

test('who could not be looked at is tried again with growing pauses, up to how often it is looked at anyway', () => {
  const pauses = (everyMs: number) => [1, 2, 3, 6, 7, 50].map((failures) => pauseOfLooks(failures, everyMs) / 60_000);
  expect(pauses(3_600_000)).toEqual([1, 2, 4, 32, 60, 60]);
  expect(pauses(6_000)).toEqual([0.1, 0.1, 0.1, 0.1, 0.1, 0.1]);
});
