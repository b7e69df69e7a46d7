import { catalogue } from '@procore-mirror/catalogue';
import type { ProcoreEvent } from '@procore-mirror/procore';
import { expect, test } from 'vitest';
import { newsOfEvent, type Selection } from './news-of-event.ts';

const all: Selection = { companyIds: null, resources: null };

function anEvent(change: Partial<ProcoreEvent> = {}): ProcoreEvent {
  return {
    id: '01JMYXMZRBVKK0PC6XS8SA4QRE',
    companyId: '8',
    projectId: '6778',
    resource: 'RFIs',
    recordId: '379913',
    kind: 'update',
    occurredAt: '2025-02-25T16:04:43.619085Z',
    payloadVersion: 'v4.0',
    related: [],
    ...change,
  };
}

const verdict = (change: Partial<ProcoreEvent>, selection = all) => newsOfEvent(anEvent(change), catalogue, selection);

test('an event of a mirrored resource asks for its record', () => {
  expect(verdict({})).toMatchObject({
    outcome: 'pending',
    news: { companyId: '8', projectId: '6778', resource: 'RFIs', recordId: '379913', parentId: null, isDelete: false },
  });
});

test('names are known in any case and spelled as the catalogue does', () => {
  expect(verdict({ resource: 'rfis' })).toMatchObject({ outcome: 'pending', news: { resource: 'RFIs' } });
});

test('a company resource has no project, whatever project an event names', () => {
  expect(verdict({ resource: 'Projects', projectId: '6778' })).toMatchObject({ news: { projectId: null } });
});

test('a related resource of the right kind is the parent', () => {
  const related = [
    { id: '1', resource: 'Direct Costs' },
    { id: '77', resource: 'Purchase Order Contracts' },
  ];
  const change = { resource: 'Purchase Order Contract Line Items', related };
  expect(verdict(change)).toMatchObject({ news: { parentId: '77' } });
});

test.each([
  [{ resource: 'Teapots' }, all, 'unknown_resource'],
  [{ resource: 'daily log/entries' }, all, 'no_known_endpoint'],
  [{ resource: 'Daily Logs' }, { ...all, resources: ['Submittals'] }, 'resource_not_selected'],
  [{}, { ...all, resources: ['Submittals'] }, 'resource_not_selected'],
  [{}, { ...all, companyIds: ['9'] }, 'company_not_selected'],
])('%j is ignored', (change, selection, reason) => {
  expect(verdict(change, selection)).toMatchObject({ outcome: 'ignored', reason });
});

test.each([
  ['of a project', { resource: 'submittals' }, ['Submittals of 6778']],
  ['with a parent that repeats it', { resource: 'RFI Replies' }, ['RFIs of 6778', 'RFI Replies of 6778']],
  ['with children', { resource: 'RFIs' }, ['RFIs of 6778', 'RFI Replies of 6778']],
  ['with children of children', { resource: 'RFQs' }, ['RFQs of 6778', 'RFQ Responses of 6778', 'RFQ Quotes of 6778']],
  [
    'of the company, with what changes along in its projects',
    { resource: 'Company Users' },
    ['Company Users of all', 'Project Users of all'],
  ],
  ['that names no project', { projectId: null, resource: 'Submittals' }, ['Submittals of all']],
  ['of an unknown name', { resource: 'Teapots' }, ['Teapots of all']],
])('an event that is ignored tells which tables will lack it: one %s', (_, change, places) => {
  const ignored = verdict(change, { ...all, companyIds: ['9'] });
  const lacking = ignored.outcome === 'ignored' ? ignored.lacking : [];
  const names = lacking.map(({ projectId, resource }) => `${resource} of ${projectId ?? 'all'}`);
  expect(names.toSorted()).toEqual(places.toSorted());
});

test.each([
  [{ recordId: '01JMYXMZRBVKK0PC6XS8SA4QRE' }, 'bad_id'],
  [{ recordId: '9999999999999999999' }, 'bad_id'],
  [{ companyId: '9999999999999999999' }, 'bad_id'],
  [{ projectId: null }, 'missing_project'],
])('%j becomes a dead letter', (change, reason) => {
  expect(verdict(change)).toMatchObject({ outcome: 'dead', reason });
});

test('the largest id that fits is taken', () => {
  expect(verdict({ recordId: '9223372036854775807' })).toMatchObject({ outcome: 'pending' });
});
