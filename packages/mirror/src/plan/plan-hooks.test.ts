import { catalogue } from '@procore-mirror/catalogue';
import type { Hook } from '@procore-mirror/procore';
import { describe, expect, test } from 'vitest';
import {
  callsOf,
  hookToKeep,
  keyOfTriggers,
  needsTriggers,
  planHooks,
  type WantedHook,
  wantedTriggers,
} from './plan-hooks.ts';

const url = 'https://mirror.example.com/webhooks/procore';
const aHook = (more: Partial<Hook> = {}): Hook => ({
  id: '5',
  status: 'active',
  namespace: 'procore-mirror',
  payloadVersion: 'v4.0',
  destinationUrl: url,
  projectId: null,
  triggerCount: 2,
  authorizationTail: 'hoice',
  ...more,
});
const create = { resource: 'RFIs', eventType: 'create' };
const remove = { resource: 'RFIs', eventType: 'delete' };
const robots = { resource: 'Robots', eventType: 'create' };
const wanted: WantedHook = {
  destinationUrl: url,
  authorization: 'Bearer of-our-own-choice',
  accepted: ['Bearer of-our-own-choice', 'Bearer of-before'],
  payloadVersion: 'v4.0',
  triggers: { offered: [create, remove], notOffered: [robots] },
};
const listed = [
  { id: '1', ...create },
  { id: '2', ...remove },
];

test('without a hook of ours one is to be created with all triggers', () => {
  const plan = planHooks([], null, wanted);
  expect(plan).toEqual([{ do: 'create', triggers: [create, remove] }]);
  expect(callsOf(plan)).toBe(2);
});

test('where nothing is offered no hook is needed', () => {
  expect(planHooks([], null, { ...wanted, triggers: { offered: [], notOffered: [create] } })).toEqual([]);
});

test('a hook that is as it should be is left alone, and its triggers need not be known', () => {
  expect(needsTriggers(aHook(), undefined, wanted)).toBe(false);
  expect(planHooks([aHook()], null, wanted)).toEqual([]);
  expect(planHooks([aHook()], listed, wanted)).toEqual([]);
});

test.each<[Partial<Hook>, object | null]>([
  [{ status: 'disabled' }, { status: 'active' }],
  [{ destinationUrl: 'https://elsewhere.example.com/' }, { destinationUrl: url }],
  [{ destinationUrl: url.replace('mirror.', 'MIRROR.') }, null],
  [{ payloadVersion: 'v2.0' }, { payloadVersion: 'v4.0' }],
  [{ authorizationTail: 'other' }, { authorization: wanted.authorization }],
  [{ authorizationTail: 'ice' }, null],
  [{ authorizationTail: 'efore' }, null],
  [{ authorizationTail: null }, { authorization: wanted.authorization }],
  [{ authorizationTail: undefined }, null],
  [
    { status: 'disabled', destinationUrl: 'nonsense', payloadVersion: 'v3.0', authorizationTail: 'other' },
    { status: 'active', destinationUrl: url, payloadVersion: 'v4.0', authorization: wanted.authorization },
  ],
])('a hook with %j is patched with %j', (change, expected) => {
  const hook = aHook(change);
  expect(needsTriggers(hook, undefined, wanted)).toBe(expected !== null);
  const plan = planHooks([hook], listed, wanted);
  expect(plan).toEqual(expected === null ? [] : [{ do: 'patch', hookId: '5', change: expected }]);
  expect(callsOf(plan)).toBe(expected === null ? 0 : 2);
});

test('who does not know the secret leaves it as it is', () => {
  expect(planHooks([aHook({ authorizationTail: 'other' })], null, { ...wanted, authorization: null })).toEqual([]);
});

test('one that is known to carry another value gets ours, even if they end alike', () => {
  const plan = planHooks([aHook()], null, { ...wanted, isOtherKnown: true });
  expect(plan).toEqual([{ do: 'patch', hookId: '5', change: { authorization: wanted.authorization } }]);
  expect(planHooks([aHook()], null, { ...wanted, isOtherKnown: true, accepted: null })).toEqual([]);
});

describe('triggers', () => {
  const day = 86_400_000;
  const known = {
    ...{ hookId: '5', triggerCount: 2, secretKey: null, notOffered: [], refused: [], triggersAgeMs: 29 * day },
    wantedKey: keyOfTriggers([remove, create]),
  };
  test.each<[string, Partial<typeof known> | null, boolean]>([
    ['it is remembered to have them', {}, false],
    ['nothing of it is remembered', null, true],
    ['that is a month ago', { triggersAgeMs: 31 * day }, true],
    ['they were never listed', { triggersAgeMs: null } as never, true],
    ['it is another hook', { hookId: '6' }, true],
    ['it had another number of them', { triggerCount: 3 }, true],
    ['others were wanted then', { wantedKey: keyOfTriggers([create]) }, true],
    ['some were refused, but lately', { refused: ['RFIs update'], triggersAgeMs: day / 2 } as never, false],
    ['some were refused a day ago', { refused: ['RFIs update'], triggersAgeMs: 2 * day } as never, true],
  ])('where %s they are to be listed: %s', (_, change, expected) => {
    expect(needsTriggers(aHook(), change && { ...known, ...change }, wanted)).toBe(expected);
  });

  test.each([
    [1, true],
    [2, false],
    [3, true],
    [null, true],
  ])('of a hook that has %s are to be known: %s', (triggerCount, expected) => {
    expect(needsTriggers(aHook({ triggerCount }), undefined, wanted)).toBe(expected);
  });

  test('that are missing are added, whatever the spelling of those that are there', () => {
    const triggers = [{ id: '1', resource: 'rfis', eventType: 'CREATED' }];
    const plan = planHooks([aHook()], triggers, wanted);
    expect(plan).toEqual([{ do: 'add triggers', hookId: '5', triggers: [remove] }]);
    expect(callsOf(plan)).toBe(1);
  });

  test('of what is not mirrored, and second ones, are removed; those that another project does not offer stay', () => {
    const odd = [
      { id: '3', resource: 'Submittals', eventType: 'create' },
      { id: '4', ...create },
      { id: '5', ...robots },
    ];
    expect(planHooks([aHook()], [...listed, ...odd], wanted)).toEqual([
      { do: 'remove triggers', hookId: '5', triggers: odd.slice(0, 2) },
    ]);
  });

  test('are added and removed 500 a call', () => {
    const many = Array.from({ length: 501 }, (_, at) => ({ id: String(at), resource: `R${at}`, eventType: 'create' }));
    expect(callsOf([{ do: 'create', triggers: many }])).toBe(3);
    expect(callsOf([{ do: 'add triggers', hookId: '5', triggers: many }])).toBe(2);
    expect(callsOf([{ do: 'remove triggers', hookId: '5', triggers: many.slice(1) }])).toBe(1);
  });
});

describe('of several hooks', () => {
  test.each<[string, Partial<Hook>[], string]>([
    ['the active one with most triggers', [{ id: '1' }, { id: '2', triggerCount: 3 }, { id: '3' }], '2'],
    ['not a disabled one', [{ id: '1', status: 'disabled', triggerCount: 9 }, { id: '2' }], '2'],
    ['the oldest of equal ones', [{ id: '10' }, { id: '9' }], '9'],
    ['the oldest of disabled ones', [{ id: '10', triggerCount: 9 }, { id: '9' }].map(disabled), '9'],
    ['one of the wanted version', [{ id: '1', payloadVersion: 'v2.0', triggerCount: 9 }, { id: '2' }], '2'],
  ])('%s is kept', (_, hooks, kept) => {
    expect(hookToKeep(hooks.map(aHook), wanted)?.id).toBe(kept);
    expect(hookToKeep(hooks.map(aHook).toReversed(), wanted)?.id).toBe(kept);
  });

  test('the others are removed when it has all that is wanted, whatever their version', () => {
    const hooks = [aHook({ id: '7' }), aHook({ triggerCount: 1 }), aHook({ id: '8', payloadVersion: 'v2.0' })];
    const plan = planHooks(hooks, [{ id: '1', ...create }], { ...wanted, payloadVersion: 'v4.0' });
    expect(plan).toEqual([
      { do: 'add triggers', hookId: '7', triggers: [remove] },
      { do: 'remove', hookId: '5', because: 'second' },
      { do: 'remove', hookId: '8', because: 'second' },
    ]);
    expect(callsOf(plan)).toBe(7);
  });
});

describe('what is wanted', () => {
  const offers = [
    { resource: 'projects', eventTypes: ['CREATED', 'update', 'archive'] },
    { resource: 'Trades', eventTypes: ['create'] },
    { resource: 'Company Robots', eventTypes: ['create'] },
  ];
  const of = (resources: string[] | null, scope: 'company' | 'project') => {
    const { offered, notOffered } = wantedTriggers(catalogue, offers, { scope, resources });
    const names = (triggers: typeof offered) => triggers.map(({ resource, eventType }) => `${resource} ${eventType}`);
    return { offered: names(offered), notOffered: names(notOffered) };
  };

  test('in a company are the events of mirrored company resources that are offered, as Procore spells them', () => {
    expect(of(['Projects', 'Trades', 'RFIs'], 'company')).toEqual({
      offered: ['projects CREATED', 'projects update', 'Trades create'],
      notOffered: ['Trades delete'],
    });
  });

  test('in a project are those of the others', () => {
    expect(of(['Projects', 'RFIs'], 'project')).toEqual({
      offered: [],
      notOffered: ['RFIs create', 'RFIs update', 'RFIs delete'],
    });
  });
});

function disabled(hook: Partial<Hook>): Partial<Hook> {
  return { ...hook, status: 'disabled' };
}
