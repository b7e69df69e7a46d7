import { expect, test } from 'vitest';
import { judgeOldSecret, type OldSecret } from './old-secret.ts';

const came = (key: string, lastAt = '2026-06-30T10:00:00Z') => ({ key, firstAt: '2026-06-30T08:00:00Z', lastAt });
const seen = { isShown: true, isEmpty: true } as const;

type Use = Parameters<typeof judgeOldSecret>[0];
const allNew: Use = {
  deliveries: [came('new'), came('old', '2026-06-30T07:00:00Z')],
  hooks: [{ key: 'new', count: 2 }],
};

test.each<[string, Use, Parameters<typeof judgeOldSecret>[2], OldSecret['because']]>([
  ['it may go', allNew, seen, null],
  [
    'one hook was given the old one',
    { ...allNew, hooks: [...allNew.hooks, { key: 'old', count: 1 }] },
    seen,
    'elsewhere',
  ],
  ['Procore shows another one', allNew, { ...seen, isShown: false }, 'elsewhere'],
  ['nobody noted it, and Procore shows the new one', { ...allNew, hooks: [{ key: null, count: 2 }] }, seen, null],
  [
    'nobody noted it, and both end alike',
    { ...allNew, hooks: [{ key: null, count: 2 }] },
    { ...seen, isShown: null },
    'elsewhere',
  ],
  ['both end alike, and it was noted', allNew, { ...seen, isShown: null }, null],
  ['no delivery came with it', { ...allNew, deliveries: [came('old')] }, seen, 'not proved'],
  ['Procore has something left', allNew, { ...seen, isEmpty: false }, 'undelivered'],
  ['Procore does not tell', allNew, { ...seen, isEmpty: null }, 'not known'],
])('%s', (_, use, known, because) => {
  expect(judgeOldSecret(use, 'new', known)).toMatchObject({ because, mayGo: because === null });
});

test('tells of the last delivery with any other value', () => {
  const deliveries = [came('new'), came('old', '2026-06-30T07:00:00Z'), came('older', '2026-06-30T09:30:00+02:00')];
  expect(judgeOldSecret({ ...allNew, deliveries }, 'new', seen)).toMatchObject({
    ...{
      lastWithOldAt: '2026-06-30T09:30:00+02:00',
      lastWithNewAt: '2026-06-30T10:00:00Z',
      hooks: { new: 2, other: 0 },
    },
  });
});
