import { expect, test } from 'vitest';
import { worthOf } from './worth-of.ts';

const now = Date.parse('2026-11-27T12:00:00Z');
const nothing = { updatedAt: null, status: null, isActive: null };

test.each([
  ['open', { status: 'open' }, 0],
  ['open for years', { status: 'Open', updatedAt: '2020-01-01T00:00:00Z' }, 0],
  ['closed', { status: 'closed' }, 1],
  ['closed long ago', { status: 'Closed', updatedAt: '2020-01-01T00:00:00Z' }, 1],
  ['closed lately', { status: 'closed', updatedAt: '2026-11-01T00:00:00Z' }, 0],
  ['void, with blanks', { status: ' Void ' }, 1],
  ['of a status that somebody made up', { status: 'Waiting for the architect' }, 0],
  ['changed 90 days ago', { updatedAt: '2026-08-29T12:00:00Z' }, 0],
  ['changed before that, and nothing else is known', { updatedAt: '2026-08-29T11:59:59Z' }, 1],
  ['active', { isActive: true, updatedAt: '2020-01-01T00:00:00Z' }, 0],
  ['inactive', { isActive: false }, 1],
  ['of no known time', { updatedAt: 'yesterday' }, 0],
  ['of which nothing is known', {}, 0],
] as const)('a record that is %s', (_, known, worth) => {
  expect(worthOf({ ...nothing, ...known }, now)).toBe(worth);
});

test('a record that was not stored is of which nothing is known', () => {
  expect(worthOf(undefined, now)).toBe(0);
});
