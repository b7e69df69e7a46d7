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
  expect(verdict(change, selection)).toEqual({ outcome: 'ignored', reason });
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
