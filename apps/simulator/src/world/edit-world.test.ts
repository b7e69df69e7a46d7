import { afterEach, beforeEach, expect, test } from 'vitest';
import { companyId, startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
beforeEach(async () => {
  client = await startSimulator();
});
afterEach(() => client.close());

const control = () => client.simulator.control;
const one = (resource: string, action: string, edit: Record<string, unknown> = {}) =>
  control().edit({ edits: [{ resource, action: action as 'create', ...edit }] }).records[0]!;
const emitted = () =>
  [...control().events({})].map(({ resource, kind, recordId }) => `${resource} ${kind} ${recordId}`);
const text = (resource: string, id: string) => [...control().world({ resource, id })][0]!.text;

test('create, update and delete change the record and send an event each', async () => {
  const { id } = one('RFIs', 'create', { projectId: client.projectId });
  control().setClock({ advanceMs: 5000 });
  one('RFIs', 'update', { id, fields: { subject: 'Ceiling' } });
  const path = `/rest/v1.0/projects/${client.projectId}/rfis/${id}`;
  const { json } = await client.get(path);
  expect(json).toMatchObject({
    subject: 'Ceiling',
    updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  const { created_at, updated_at } = json as Record<string, string>;
  expect(Date.parse(updated_at!) - Date.parse(created_at!)).toBeGreaterThanOrEqual(5000);
  one('RFIs', 'delete', { id });
  expect((await client.get(path)).status).toBe(404);
  expect(emitted()).toEqual([`RFIs create ${id}`, `RFIs update ${id}`, `RFIs delete ${id}`]);
});

test('an update without fields changes something, by chance', () => {
  const { id } = one('Submittals', 'create');
  const before = text('Submittals', id);
  for (let each = 0; each < 5; each++) one('Submittals', 'update', { id });
  expect(text('Submittals', id)).not.toBe(before);
});

test('a restored record answers again and sends an update, and its children with it', async () => {
  const { id, projectId } = one('RFIs', 'create');
  const reply = one('RFI Replies', 'create', { parentId: id });
  const gone = one('RFI Replies', 'create', { parentId: id });
  one('RFI Replies', 'delete', { id: gone.id });
  one('RFIs', 'delete', { id });
  one('RFIs', 'restore', { id });
  expect((await client.get(`/rest/v1.0/projects/${projectId}/rfis/${id}`)).status).toBe(200);
  expect((await client.get(`/rest/v1.0/projects/${projectId}/rfis/${id}/replies/${reply.id}`)).status).toBe(200);
  // Deleted before its parent was, so not restored with it.
  expect((await client.get(`/rest/v1.0/projects/${projectId}/rfis/${id}/replies/${gone.id}`)).status).toBe(404);
  expect(emitted().slice(-2)).toEqual([`RFIs update ${id}`, `RFI Replies update ${reply.id}`]);
});

test('deleting a parent deletes its children, each with its own event', () => {
  const { id } = one('Change Events', 'create');
  const lines = [1, 2].map(() => one('Change Event Line Items', 'create', { parentId: id }).id);
  one('Change Events', 'delete', { id });
  expect(emitted().slice(-3)).toEqual([
    ...lines.map((line) => `Change Event Line Items delete ${line}`),
    `Change Events delete ${id}`,
  ]);
  expect([...control().world({ resource: 'Change Event Line Items', id: lines[0]! })]).toMatchObject([
    { deleted: true },
  ]);
});

test('an edited child changes what its parent shows, and the parent itself only if the settings say so', () => {
  const { id } = one('RFIs', 'create');
  const { id: reply } = one('RFI Replies', 'create', { parentId: id });
  const updatedAt = () => [...control().world({ resource: 'RFIs', id })][0]!.updatedAt;
  const before = updatedAt();
  control().setClock({ advanceMs: 10_000 });
  one('RFI Replies', 'update', { id: reply, fields: { plain_text_body: 'Use 3/8 inch' } });
  expect(updatedAt()).toBe(before);
  expect(text('RFIs', id)).toContain('Use 3/8 inch');
  expect(emitted()).toEqual([`RFIs create ${id}`, `RFI Replies create ${reply}`, `RFI Replies update ${reply}`]);
  control().change({ parentSendsUpdate: true });
  one('RFI Replies', 'update', { id: reply });
  expect(updatedAt()).not.toBe(before);
  expect(emitted().at(-1)).toBe(`RFIs update ${id}`);
});

test('an edited user is edited in every project, and sends Company Users update alone', async () => {
  const [placed] = [...control().world({ resource: 'Project Users' })];
  one('Company Users', 'update', { id: placed!.id, fields: { job_title: 'Superintendent', role: 'not shared' } });
  expect(emitted()).toEqual([`Company Users update ${placed!.id}`]);
  const { json } = await client.get(`/rest/v1.0/projects/${placed!.projectId}/users/${placed!.id}`);
  expect(json).toMatchObject({ job_title: 'Superintendent' });
  expect(json).not.toHaveProperty('role');
});

test('a resource without an update trigger changes silently', () => {
  const [placed] = [...control().world({ resource: 'Project Users' })];
  one('Project Users', 'update', { id: placed!.id, projectId: placed!.projectId, fields: { notes: 'badge 7' } });
  expect(text('Project Users', placed!.id)).toContain('badge 7');
  expect(emitted()).toEqual([]);
});

test('a silent edit sends nothing', () => {
  one('RFIs', 'create', { silent: true });
  expect(emitted()).toEqual([]);
});

test.each(['Projects', 'Company Users', 'Company Vendors'])('%s cannot be deleted, only made inactive', (resource) => {
  expect(() => one(resource, 'delete')).toThrow('only made inactive');
});

test('edits that make no sense say why', () => {
  const { id } = one('RFIs', 'create');
  expect(() => one('RFIs', 'create', { id })).toThrow('exists already');
  expect(() => one('RFIs', 'restore', { id })).toThrow('is not deleted');
  expect(() => one('RFIs', 'update', { id: '1' })).toThrow('no record 1');
  expect(() => one('Nonsense', 'create')).toThrow('no resource is called');
  one('RFIs', 'delete', { id });
  expect(() => one('RFIs', 'update', { id })).toThrow('is deleted');
  expect(() => one('RFIs', 'create', { companyId: '5' })).toThrow('no company 5');
});

test('somebody taken out of a project can be put into it again', async () => {
  const [placed] = [...control().world({ resource: 'Project Users' })];
  const where = { id: placed!.id, projectId: placed!.projectId };
  const path = `/rest/v1.0/projects/${where.projectId}/users/${where.id}`;
  one('Project Users', 'delete', where);
  expect((await client.get(path)).status).toBe(404);
  one('Project Users', 'create', where);
  expect((await client.get(path)).status).toBe(200);
  expect(emitted()).toEqual([`Project Users delete ${where.id}`, `Project Users create ${where.id}`]);
});

test('while the read lag lasts, shows and lists answer the state before the edit', async () => {
  const { id } = one('RFIs', 'create', { projectId: client.projectId, fields: { subject: 'before' } });
  const list = `/rest/v1.0/projects/${client.projectId}/rfis`;
  const subjects = async () => {
    const shown = await client.get(`${list}/${id}`);
    const listed = (await client.list(list)).find((item) => String(item.id) === id);
    return [shown.status === 200 ? (shown.json as Record<string, unknown>).subject : shown.status, listed?.subject];
  };
  control().change({ readLagMsOf: { RFIs: 60_000 } });
  one('RFIs', 'update', { id, fields: { subject: 'after' } });
  expect(await subjects()).toEqual(['before', 'before']);
  expect(text('RFIs', id)).toContain('after');
  control().setClock({ advanceMs: 60_000 });
  expect(await subjects()).toEqual(['after', 'after']);
  one('RFIs', 'delete', { id });
  expect(await subjects()).toEqual(['after', 'after']);
  control().setClock({ advanceMs: 60_000 });
  expect(await subjects()).toEqual([404, undefined]);
  const late = one('RFIs', 'create', { projectId: client.projectId });
  expect((await client.get(`${list}/${late.id}`)).status).toBe(404);
  control().setClock({ advanceMs: 60_000 });
  expect((await client.get(`${list}/${late.id}`)).status).toBe(200);
});

test('edits by chance are of the kinds and resources asked for, and can be very many at once', () => {
  const { made, events } = control().edit({
    count: 5000,
    kinds: { create: 1 },
    resources: ['Submittals'],
    silent: true,
  });
  expect([made, events]).toEqual([5000, 0]);
  expect(control().counts().Submittals).toEqual({ live: 5030, deleted: 0 });
  const mixed = control().edit({ count: 1000 });
  expect([mixed.made, mixed.records.length]).toEqual([1000, 1000]);
  expect(new Set(mixed.records.map(({ resource }) => resource)).size).toBeGreaterThan(10);
  expect(new Set(mixed.records.map(({ action }) => action))).toEqual(
    new Set(['create', 'update', 'delete', 'restore']),
  );
  expect(() => control().edit({ count: 1, resources: ['Nonsense'] })).toThrow('Nonsense');
});

test('spread edits are made as the clock goes on', async () => {
  control().edit({ count: 10, spreadOverMs: 3_600_000, resources: ['RFIs'], kinds: { update: 1 } });
  expect(control().outstanding()).toBe(10);
  for (let hour = 0; hour < 20 && control().outstanding() > 0; hour++) {
    control().setClock({ advanceMs: 360_000 });
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(control().outstanding()).toBe(0);
  expect(emitted().length).toBe(10);
});

test('people edit by themselves at the rate of the settings', async () => {
  control().change({ editsPerMinute: 60_000 });
  await expect.poll(() => emitted().length, { timeout: 20_000 }).toBeGreaterThan(5);
});

test('the same seed gives the same company', async () => {
  const second = await startSimulator();
  const names = (of: TestClient) =>
    [...of.simulator.control.world({ resource: 'RFIs' })].map(({ id, text: shown }) => [id, JSON.parse(shown).subject]);
  expect(names(second)).toEqual(names(client));
  const other = await startSimulator({ seed: 2 });
  expect(names(other)).not.toEqual(names(client));
  await Promise.all([second.close(), other.close()]);
});

test('seeding adds companies and projects of the sizes asked for, without events', () => {
  const fresh = control().seed({ name: 'Second', projects: 1, sizes: { RFIs: 7, 'RFI Replies': 2, Trades: 3 } });
  const of = (resource: string) => [...control().world({ resource, companyId: fresh.companyId })].length;
  expect([of('Projects'), of('RFIs'), of('RFI Replies'), of('Trades')]).toEqual([1, 7, 14, 3]);
  const more = control().seed({ companyId, projects: 2, sizes: { Submittals: 0 } });
  expect(more.projectIds.length).toBe(2);
  expect(emitted()).toEqual([]);
});
