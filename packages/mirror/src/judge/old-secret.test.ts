import { expect, test } from 'vitest';
import { isFirstShown, judgeOldSecret, type OldSecret } from './old-secret.ts';

type Use = Parameters<typeof judgeOldSecret>[0];
type Known = Parameters<typeof judgeOldSecret>[2];

const at = (time: string) => `2026-06-30T${time}Z`;
/** In a project; what was told last happened when the last came, unless it says otherwise. */
const came = (key: string, lastAt = at('10:00:00'), more: Partial<Use['deliveries'][number]> = {}) => ({
  ...{ key, companyId: '1', projectId: '7', firstAt: at('08:00:00'), lastAt, lastHappenedAt: lastAt, ...more },
});
const seen: Known = { isShown: true, isEmpty: true, changedAt: null, asOf: new Date(at('10:30:00')) };
const allNew: Use = {
  deliveries: [came('new'), came('old', at('07:00:00'))],
  hooks: [{ key: 'new', count: 2 }],
};
/** Deliveries came with the new value, and these with the old one. */
const also = (...old: Use['deliveries']): Use => ({ ...allNew, deliveries: [came('new'), ...old] });
const happened = (lastHappenedAt: string, more: Partial<Use['deliveries'][number]> = {}) =>
  came('old', at('10:20:00'), { lastHappenedAt, ...more });

test.each<[string, Use, Known, OldSecret['because']]>([
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
  ['what happened before comes late with the old one', also(happened(at('07:59:00'))), seen, null],
  ['what happened at the same time by another clock', also(happened(at('08:00:01'))), seen, null],
  ['what happened since comes with the old one', also(happened(at('08:01:00'))), seen, 'elsewhere'],
  [
    'and in another project, of a hook nobody sees',
    also(happened(at('08:01:00'), { projectId: '8' })),
    seen,
    'elsewhere',
  ],
  ['and in another company', also(happened(at('08:01:00'), { companyId: '2' })), seen, 'elsewhere'],
  [
    'a project whose hook was changed later has new ones since',
    also(
      came('new', at('10:10:00'), { projectId: '8', firstAt: at('09:00:00') }),
      happened(at('08:30:00'), { projectId: '8' }),
    ),
    seen,
    null,
  ],
  [
    'what happened since comes with the old one, more than 12 hours ago',
    also(happened(at('08:01:00'))),
    { ...seen, asOf: new Date(at('20:01:01')) },
    null,
  ],
  [
    'all hooks were changed after it happened',
    also(happened(at('08:01:00'))),
    { ...seen, changedAt: new Date(at('09:00:00')) },
    null,
  ],
  [
    'all hooks were changed before it happened',
    also(happened(at('09:01:00'))),
    { ...seen, changedAt: new Date(at('09:00:00')) },
    'elsewhere',
  ],
])('%s', (_, use, known, because) => {
  expect(judgeOldSecret(use, 'new', known)).toMatchObject({ because, mayGo: because === null });
});

test('tells of the first and last deliveries of all scopes, whatever their time zone', () => {
  const deliveries = [
    came('new'),
    came('new', at('10:05:00'), { projectId: null, firstAt: '2026-06-30T09:30:00+02:00' }),
    came('old', at('07:00:00')),
    came('older', '2026-06-30T09:20:00+02:00'),
  ];
  expect(judgeOldSecret({ ...allNew, deliveries }, 'new', seen)).toMatchObject({
    lastWithOldAt: '2026-06-30T09:20:00+02:00',
    firstWithNewAt: '2026-06-30T09:30:00+02:00',
    lastWithNewAt: at('10:05:00'),
    stillWithOld: null,
    hooks: { new: 2, other: 0 },
  });
});

test('tells where a hook still delivers with another value, and of the last that happened', () => {
  const use = also(happened(at('08:01:00')), happened(at('09:01:00'), { projectId: null }));
  expect(judgeOldSecret(use, 'new', seen).stillWithOld).toEqual({
    ...{ companyId: '1', projectId: null, happenedAt: at('09:01:00') },
  });
});

type Scope = Parameters<typeof isFirstShown>[0][number];
const shows = (...tails: Scope['ours'][number]['authorizationTail'][]): Scope => ({
  ...{
    actions: [],
    trouble: null,
    ours: tails.map((authorizationTail, id) => ({ id: String(id), authorizationTail })),
  },
});
const planned = (...actions: Scope['actions']): Scope => ({ ...shows('-next'), actions });

test.each<[string, Scope[], boolean | null]>([
  ['every hook ends like the first value', [shows('-next'), shows('-next')], true],
  ['a scope needs no hook', [shows('-next'), shows()], true],
  ['a hook ends otherwise', [shows('-next'), shows('efore')], false],
  ['a second hook of a scope ends otherwise', [shows('-next', 'efore')], false],
  ['a hook sends none', [shows('-next'), shows(null)], false],
  ['nothing is shown of a hook', [shows('-next'), shows(undefined)], null],
  ['nothing is shown of one, and another ends otherwise', [shows(undefined), shows('efore')], false],
  ['another value ends alike', [shows('t')], null],
  ['a hook is missing', [planned({ do: 'create', triggers: [] })], false],
  ['a hook is to get another value', [planned({ do: 'patch', hookId: '1', change: { authorization: 'x' } })], false],
  ['a hook is to be revived', [planned({ do: 'patch', hookId: '1', change: { status: 'active' } })], true],
  ['a scope could not be looked at', [{ ...shows(), trouble: '403' }], false],
])('where %s, the first value is shown everywhere: %s', (_, scopes, isShown) => {
  expect(isFirstShown(scopes, ['Bearer the-next', 'Bearer the-last', 'Bearer of-before'])).toBe(isShown);
});
