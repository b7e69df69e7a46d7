import { expect, test } from 'vitest';
import { isDoneInPart, isRedirect, meaningOf, type StatusMeaning } from './status-meaning.ts';

test.each([
  ['success', [200, 201, 204, 207, 299]],
  ['on the way', [100, 301, 302, 303, 304, 307, 308, 399, 407, 511]],
  ['unauthorized', [401]],
  ['refused', [403]],
  ['absent', [404, 410]],
  ['too large', [408]],
  ['limited', [429]],
  ['busy', [503]],
  ['failing', [500, 501, 502, 504, 505, 520, 524, 599]],
  ['not understood', [400, 402, 405, 406, 409, 411, 414, 416, 418, 422, 451, 499]],
] as [StatusMeaning, number[]][])('%s', (meaning, statuses) => {
  for (const status of statuses) expect([status, meaningOf(status)]).toEqual([status, meaning]);
});

test('a redirect, and what was done in part, are told apart from what means the same otherwise', () => {
  expect([299, 300, 301, 308, 399, 400, 407].filter(isRedirect)).toEqual([300, 301, 308, 399]);
  expect([200, 204, 207, 208].filter(isDoneInPart)).toEqual([207]);
});
