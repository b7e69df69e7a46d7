import { expect, test } from 'vitest';
import { shortageInWords } from './shortage-in-words.ts';

const now = new Date('2026-06-30T10:00:00Z');
const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

test.each([
  [0, 23, 'about 23 min to go'],
  [479, 23, 'about 23 min to go'],
  [900, 23, 'about 83 min to go'],
  [1_000, 45, 'about 3 h to go'],
  [100_000, 45, 'about 9 d to go'],
])('%i calls to go, the next in %i minutes: %s', (callsToGo, minutes, ends) => {
  const shortage = { companyId: '1', limit: 600, left: 0, nextAt: at(minutes).toISOString() };
  const words = shortageInWords(shortage, callsToGo, now);
  expect(words).toMatch(/^0 of 600 calls left, next at \d\d:\d\d, /);
  expect(words.endsWith(ends)).toBe(true);
});
