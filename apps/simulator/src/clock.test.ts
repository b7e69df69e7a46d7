import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Clock, createClock, dateOf, wholeSeconds } from './clock.ts';

let clock: Clock;
beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-23T17:52:30Z') });
  clock = createClock();
});
afterEach(() => {
  vi.useRealTimers();
});

const sleepers = (...lengths: number[]) => {
  const woken: number[] = [];
  const all = Promise.all(lengths.map((ms) => clock.sleep(ms).then(() => woken.push(ms))));
  return { woken, all };
};

test('it is real time until it is made faster or moved ahead', async () => {
  expect(wholeSeconds(clock.now())).toBe('2026-11-23T17:52:30Z');
  await vi.advanceTimersByTimeAsync(1500);
  expect(wholeSeconds(clock.now())).toBe('2026-11-23T17:52:31Z');
  clock.setSpeed(3600);
  await vi.advanceTimersByTimeAsync(1000);
  expect(wholeSeconds(clock.now())).toBe('2026-11-23T18:52:31Z');
  clock.advance(86_400_000);
  expect(dateOf(clock.now())).toBe('2026-11-24');
});

test('sleepers wake in their order when their time has come, and not before', async () => {
  const { woken, all } = sleepers(3000, 1000, 2000);
  await vi.advanceTimersByTimeAsync(999);
  expect(woken).toEqual([]);
  await vi.advanceTimersByTimeAsync(1001);
  expect(woken).toEqual([1000, 2000]);
  await vi.advanceTimersByTimeAsync(1000);
  await all;
});

test('moving the clock ahead, or making it faster, wakes whoever is due', async () => {
  const { woken } = sleepers(3_600_000, 7_200_000);
  clock.advance(3_600_000);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual([3_600_000]);
  clock.setSpeed(3600);
  await vi.advanceTimersByTimeAsync(1000);
  expect(woken).toEqual([3_600_000, 7_200_000]);
});

test('at speed 0 time stands still until it is moved ahead', async () => {
  clock.setSpeed(0);
  const { woken } = sleepers(0, 1000, 2000);
  await vi.advanceTimersByTimeAsync(86_400_000);
  expect(woken).toEqual([0]);
  expect(wholeSeconds(clock.now())).toBe('2026-11-23T17:52:30Z');
  clock.advance(1000);
  await vi.advanceTimersByTimeAsync(0);
  expect(woken).toEqual([0, 1000]);
});

test('a sleep ends with its signal', async () => {
  const stop = new AbortController();
  const asleep = clock.sleep(1000, stop.signal);
  stop.abort(new Error('enough'));
  await expect(asleep).rejects.toThrow('enough');
  await expect(clock.sleep(1, stop.signal)).rejects.toThrow('enough');
});
