import { catalogue } from '@procore-mirror/catalogue';
import { expect, test } from 'vitest';
import { planHooks, wantedTriggers } from './apply-hooks.ts';

const url = 'https://mirror.example.com/webhooks/procore';
const hook = {
  id: '5',
  status: 'active',
  namespace: 'procore-mirror',
  payloadVersion: 'v4.0',
  destinationUrl: url,
  projectId: null,
  triggerCount: null,
};
const wanted = [
  { resource: 'RFIs', eventType: 'create' },
  { resource: 'RFIs', eventType: 'delete' },
];

test('without a hook of ours one is to be created with all triggers', () => {
  expect(planHooks([], wanted, url)).toEqual({ hookId: null, missing: wanted });
});

test('only missing triggers are added, whatever the case of their names', () => {
  const triggers = [{ id: '1', resource: 'rfis', eventType: 'create' }];
  expect(planHooks([{ hook, triggers }], wanted, url)).toEqual({ hookId: '5', missing: [wanted[1]] });
});

test.each([{ destinationUrl: 'https://elsewhere.example.com/' }, { status: 'disabled' }])(
  'a hook with %j is not ours to use',
  (change) => {
    expect(planHooks([{ hook: { ...hook, ...change }, triggers: [] }], wanted, url)).toMatchObject({ hookId: null });
  },
);

test('company hooks ask for company resources, project hooks for the others, and no resource for events it never sends', () => {
  const selection = { companyIds: null, resources: ['Projects', 'Trades', 'RFIs'] };
  expect(
    wantedTriggers(catalogue, 'company', selection).map(({ resource, eventType }) => `${resource} ${eventType}`),
  ).toEqual(['Projects create', 'Projects update', 'Trades create', 'Trades delete']);
  expect(new Set(wantedTriggers(catalogue, 'project', selection).map(({ resource }) => resource))).toEqual(
    new Set(['RFIs']),
  );
});
