import { expect, test } from 'vitest';
import { type Ended, nextProofs } from './next-proofs.ts';

const DAY = 86_400_000;
const asBefore = { cheapInMs: null, listingInMs: null, listingSoonerMs: 0 };
const cheap: Ended = { rung: 'bin', repairs: true, outcome: 'equal' };

test.each<[string, Partial<Ended>, number, object]>([
  ['cheap rungs', {}, DAY, { cheapInMs: DAY }],
  ['cheap rungs every minute', {}, 60_000, { cheapInMs: 60_000 }],
  ['counts that prove nothing', { rung: 'count', outcome: 'not proved' }, DAY, { cheapInMs: DAY }],
  ['a whole list', { rung: 'listing' }, DAY, { cheapInMs: DAY, listingInMs: 7 * DAY }],
  [
    'a whole list that differs: once more a day later, when all is repaired',
    { rung: 'listing', outcome: 'differs' },
    DAY,
    { cheapInMs: DAY, listingInMs: DAY },
  ],
  [
    'what differs: its list a day after the last one',
    { outcome: 'differs' },
    DAY,
    { cheapInMs: DAY, listingSoonerMs: 6 * DAY },
  ],
  [
    'a whole list that proves nothing',
    { rung: 'listing', outcome: 'not proved' },
    DAY,
    { cheapInMs: DAY, listingInMs: 7 * DAY },
  ],
  ...[0, 1, 2, 6, 60].map((days): [string, Partial<Ended>, number, object] => [
    `a whole list that proves nothing of what differs for ${days} days`,
    { rung: 'listing', outcome: 'not proved', differsForMs: days * DAY },
    DAY,
    { cheapInMs: DAY, listingInMs: Math.min(Math.max(days / 2, 1), 7) * DAY },
  ]),
  ['what a person left as it is', { rung: 'listing', repairs: false, outcome: 'differs' }, DAY, {}],
  ['what a person found equal', { rung: 'listing', repairs: false }, DAY, { cheapInMs: DAY, listingInMs: 7 * DAY }],
  ['a tool that is off', { outcome: null }, DAY, { cheapInMs: 7 * DAY, listingInMs: 7 * DAY }],
  [
    'a scope that is parked',
    { outcome: 'not proved', isParked: true },
    DAY,
    { cheapInMs: DAY / 24, listingInMs: DAY / 24 },
  ],
  ['a sample', { rung: 'sample' }, DAY, {}],
  ['no schedule', {}, 0, {}],
])('after %s', (_, ended, everyMs, next) => {
  expect(nextProofs({ ...cheap, ...ended }, everyMs)).toEqual({ ...asBefore, ...next });
});
