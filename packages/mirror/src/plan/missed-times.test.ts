import { expect, test } from 'vitest';
import { downSince, missedTimes } from './missed-times.ts';

const run = (id: string, sinceMs: number, untilMs: number) => ({ id, sinceMs, untilMs });
const gap = (id: string, kind: 'down' | 'refused' | 'spooled', sinceMs: number, untilMs: number) => ({
  ...{ id, kind, sinceMs, untilMs },
});

test('a receiver that was down missed what came then', () => {
  const gaps = [gap('a', 'down', 10, 20), gap('a', 'down', 40, 50)];
  expect(missedTimes({ runs: [run('a', 50, 100)], gaps, nowMs: 100 })).toEqual([
    { sinceMs: 10, untilMs: 20 },
    { sinceMs: 40, untilMs: 50 },
  ]);
});

test('of several a moment counts only where none ran', () => {
  const runs = [run('a', 50, 100), run('b', 45, 100)];
  const gaps = [gap('a', 'down', 10, 50), gap('b', 'down', 30, 45)];
  expect(missedTimes({ runs, gaps, nowMs: 100 })).toEqual([{ sinceMs: 10, untilMs: 45 }]); // b is not known before 30
  const known = [...gaps, gap('b', 'down', 1, 5)];
  expect(missedTimes({ runs, gaps: known, nowMs: 100 })).toEqual([
    { sinceMs: 1, untilMs: 5 },
    { sinceMs: 30, untilMs: 45 },
  ]);
});

test('a receiver that begins with an empty directory follows one that ended', () => {
  expect(missedTimes({ runs: [run('a', 0, 30), run('b', 70, 100)], gaps: [], nowMs: 100 })).toEqual([
    { sinceMs: 30, untilMs: 70 },
  ]);
});

test('what one refused or spooled counts though others ran', () => {
  const gaps = [gap('a', 'refused', 10, 12), gap('a', 'spooled', 12, 15)];
  expect(missedTimes({ runs: [run('a', 0, 100), run('b', 0, 100)], gaps, nowMs: 100 })).toEqual([
    { sinceMs: 10, untilMs: 15 },
  ]);
});

test('what is not over yet is no missed time, and tells since when nobody runs', () => {
  const runs = [run('a', 0, 60), run('b', 20, 40)];
  expect(missedTimes({ runs, gaps: [], nowMs: 100 })).toEqual([]);
  expect(downSince({ runs, nowMs: 100 })).toBe(60);
  expect(downSince({ runs: [run('a', 0, 100)], nowMs: 100 })).toBeNull();
  expect(downSince({ runs: [], nowMs: 100 })).toBeNull();
});
