import { expect, test } from 'vitest';
import { limitWarnings } from './limit-warnings.ts';

test('the same trouble is told once in a while, with how often it came', () => {
  const told: string[] = [];
  let now = 0;
  const warn = limitWarnings(
    (message) => told.push(message),
    10_000,
    () => now,
  );
  for (let n = 0; n < 50; n += 1) warn(new Error('away'));
  warn(Object.assign(new Error(''), { code: 'ECONNREFUSED' }));
  expect(told).toEqual(['queue: away', 'queue: ECONNREFUSED']);
  now = 10_000;
  warn(new Error('away'));
  expect(told.at(-1)).toBe('queue: away (and 49 times before)');
});

test('errors that are all different do not fill the memory', () => {
  const told: string[] = [];
  const warn = limitWarnings(
    (message) => told.push(message),
    10_000,
    () => 0,
  );
  for (let n = 0; n < 1_000; n += 1) warn(new Error(`number ${n}`));
  expect(told.length).toBe(1_000);
});
