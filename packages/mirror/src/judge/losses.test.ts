import { expect, test } from 'vitest';
import { judgeLosses, type Losses } from './losses.ts';

const since = '2026-06-29T20:00:00.000Z';
const at = (clock: string) => Date.parse(`2026-06-30T${clock}:00.000Z`);
const lately = {
  events: { total: 3, repaired: 0, repairedAt: null, isAtLeast: false },
  ...{ deadLetters: 0, gaps: [], notComparable: [] },
  logs: { since: '2026-06-01T00:00:00Z', until: '2026-06-30T06:00:00Z' },
  undeliveredReadAt: null,
};
/** It ran all night, but for these times. */
const away = (...times: [from: string, to: string][]) => ({
  runs: [{ id: 'r', sinceMs: times.length === 0 ? 0 : at(times.at(-1)?.[1] ?? ''), untilMs: at('07:00') }],
  gaps: times.map(([from, to]) => ({ id: 'r', kind: 'down' as const, sinceMs: at(from), untilMs: at(to) })),
  nowMs: at('07:00'),
});
const judge = (change: Partial<Parameters<typeof judgeLosses>[0]> = {}) =>
  judgeLosses({ since, findings: [], lately, receivers: away(), complete: null, ...change });

test.each<[string, Parameters<typeof judge>[0], Losses['lost'], string[]]>([
  ['where all is well', {}, 'nothing known', []],
  ['what has nothing to do with it', { findings: [{ code: 'calls-used-up' }] }, 'nothing known', []],
  ['a time whose log was read', { receivers: away(['02:10', '02:25']) }, 'nothing known', []],
  ['one after that', { receivers: away(['02:10', '02:25'], ['06:30', '06:40']) }, 'not known yet', ['log-not-read']],
  [
    'one of which a log was never read',
    { receivers: away(['02:10', '02:25']), lately: { ...lately, logs: null } },
    'not known yet',
    ['log-not-read'],
  ],
  [
    'one after which it was read what Procore could not deliver',
    {
      receivers: away(['06:30', '06:40']),
      lately: { ...lately, logs: null, undeliveredReadAt: '2026-06-30T06:40:00Z' },
    },
    'nothing known',
    [],
  ],
  [
    'one in which that was read',
    { receivers: away(['06:30', '06:40']), lately: { ...lately, undeliveredReadAt: '2026-06-30T06:39:00Z' } },
    'not known yet',
    ['log-not-read'],
  ],
  [
    'a time without events of what no list shows',
    { lately: { ...lately, notComparable: ['Generic Tool Items'] } },
    'something',
    ['gap-not-compared'],
  ],
  ['hooks that nobody could look at', { findings: [{ code: 'hook-wrong' }] }, 'not known yet', ['hook-wrong']],
  ['what is parked', { findings: [{ code: 'scope-parked' }] }, 'not known yet', ['scope-parked']],
  ['a table that could not be filled', { findings: [{ code: 'fill-failed' }] }, 'something', ['fill-failed']],
  ['a table that is to be compared', { findings: [{ code: 'events-missed' }] }, 'not known yet', ['events-missed']],
  [
    'what lacks, before what is open',
    { findings: [{ code: 'undelivered' }, { code: 'dead-letters' }, { code: 'dead-letters' }] },
    'something',
    ['dead-letters', 'undelivered'],
  ],
])('%s', (_, change, lost, because) => {
  expect(judge(change)).toMatchObject({ lost, because });
});

test('times that were over before are left out', () => {
  const { missed } = judge({
    since: '2026-06-30T02:30:00.000Z',
    receivers: away(['02:10', '02:25'], ['03:00', '03:10']),
  });
  expect(missed).toEqual([{ since: '2026-06-30T03:00:00.000Z', until: '2026-06-30T03:10:00.000Z', isRead: true }]);
});
