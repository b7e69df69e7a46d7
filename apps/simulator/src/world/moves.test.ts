import { afterEach, beforeEach, expect, test } from 'vitest';
import { startSimulator, type TestClient } from '../test-client.ts';

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
const world = (resource: string, id: string) => [...control().world({ resource, id })][0]!;
const fields = (resource: string, id: string): Record<string, unknown> => JSON.parse(world(resource, id).text);
const otherProject = () => [...control().world({ resource: 'Projects' })][1]!.id;
const status = async (path: string) => (await client.get(path)).status;
const idsOf = async (path: string) => (await client.list(`${path}?per_page=1000`)).map(({ id }) => String(id));
const rfis = (projectId: string) => `/rest/v1.0/projects/${projectId}/rfis`;
const lines = (contractId: string) => `/rest/v1.0/purchase_order_contracts/${contractId}/line_items`;

/** A purchase order and another one in the same project, with a line item in the first. */
function contracts(): { from: string; to: string; line: string } {
  const [from, to] = [1, 2].map(
    () => one('Purchase Order Contracts', 'create', { projectId: client.projectId, silent: true }).id,
  ) as [string, string];
  const line = one('Purchase Order Contract Line Items', 'create', { parentId: from, silent: true }).id;
  return { from, to, line };
}

test('a record moves to another project of its company, and its children go along without events', async () => {
  const { id } = one('RFIs', 'create', { projectId: client.projectId, silent: true });
  const reply = one('RFI Replies', 'create', { parentId: id, silent: true });
  const gone = one('RFI Replies', 'create', { parentId: id, silent: true });
  one('RFI Replies', 'delete', { id: gone.id, silent: true });
  const before = { rfi: world('RFIs', id).updatedAt, reply: world('RFI Replies', reply.id).updatedAt };
  control().setClock({ advanceMs: 10_000 });
  const toProjectId = otherProject();
  expect(one('RFIs', 'move', { id, toProjectId })).toMatchObject({ id, projectId: toProjectId, action: 'move' });
  expect(emitted()).toEqual([`RFIs update ${id}`]);
  expect([...control().events({ resource: 'RFIs' })]).toMatchObject([{ projectId: toProjectId }]);
  expect(await status(`${rfis(client.projectId)}/${id}`)).toBe(404);
  expect(await status(`${rfis(toProjectId)}/${id}/replies/${reply.id}`)).toBe(200);
  expect(await idsOf(rfis(client.projectId))).not.toContain(id);
  expect(await idsOf(rfis(toProjectId))).toContain(id);
  expect(world('RFIs', id).updatedAt).not.toBe(before.rfi);
  expect(world('RFI Replies', reply.id)).toMatchObject({ projectId: toProjectId, updatedAt: before.reply });
  // What was deleted comes back where its parent is.
  expect(one('RFI Replies', 'restore', { id: gone.id })).toMatchObject({ projectId: toProjectId, parentId: id });
});

test('a move between projects may send a delete at the old place, and the children updates', () => {
  control().change({ moveSendsDelete: true, moveTellsChildren: true });
  const { id, companyId } = one('RFIs', 'create', { projectId: client.projectId, silent: true });
  const { id: reply } = one('RFI Replies', 'create', { parentId: id, silent: true });
  const toProjectId = otherProject();
  one('RFIs', 'move', { id, toProjectId });
  expect([...control().events({})]).toMatchObject([
    { kind: 'delete', recordId: id, companyId, projectId: client.projectId },
    { kind: 'update', recordId: id, companyId, projectId: toProjectId },
    { kind: 'update', resource: 'RFI Replies', recordId: reply, projectId: toProjectId },
  ]);
});

test('the fields that name the project name the new one', () => {
  const toProjectId = otherProject();
  const change = one('Change Events', 'create', { projectId: client.projectId });
  one('Change Events', 'move', { id: change.id, toProjectId });
  expect(String(fields('Change Events', change.id).project_id)).toBe(toProjectId);
  const contract = one('Work Order Contracts', 'create', {
    projectId: client.projectId,
    fields: { project: { id: 1, name: 'Harbor Tower' } },
  });
  one('Work Order Contracts', 'move', { id: contract.id, toProjectId });
  expect(fields('Work Order Contracts', contract.id).project).toEqual({
    id: Number(toProjectId),
    name: 'Harbor Tower',
  });
});

test('a child moves to another parent, and both parents show it', async () => {
  const { from, to, line } = contracts();
  const move = () => one('Purchase Order Contract Line Items', 'move', { id: line, toParentId: to });
  expect(move()).toMatchObject({ projectId: client.projectId, parentId: to });
  expect(emitted()).toEqual([`Purchase Order Contract Line Items update ${line}`]);
  expect(fields('Purchase Order Contracts', from).line_items).toEqual([]);
  expect(fields('Purchase Order Contracts', to).line_items).toMatchObject([{ id: Number(line) }]);
  const query = `?project_id=${client.projectId}`;
  expect(await status(`${lines(from)}/${line}${query}`)).toBe(404);
  expect(await status(`${lines(to)}/${line}${query}`)).toBe(200);
  expect((await client.list(lines(from) + query)).length).toBe(0);
  expect((await client.list(lines(to) + query)).length).toBe(1);
  expect(move).toThrow('already');
});

test('both parents are touched where an edited child touches its parent', () => {
  const { from, to, line } = contracts();
  control().change({ parentSendsUpdate: true });
  one('Purchase Order Contract Line Items', 'move', { id: line, toParentId: to });
  expect(emitted()).toEqual([
    `Purchase Order Contract Line Items update ${line}`,
    `Purchase Order Contracts update ${from}`,
    `Purchase Order Contracts update ${to}`,
  ]);
});

test('a child that names its parent names the new one, of another kind, too', async () => {
  const { from } = contracts();
  const { id: workOrder } = one('Work Order Contracts', 'create', { projectId: client.projectId });
  const { id } = one('RFQs', 'create', { parentId: from });
  const { id: quote } = one('RFQ Quotes', 'create', { parentId: id });
  one('RFQs', 'move', { id, toParentId: workOrder });
  expect(String(fields('RFQs', id).commitment_contract_id)).toBe(workOrder);
  const quotes = `/rest/v1.0/rfqs/${id}/quotes/${quote}?project_id=${client.projectId}&contract_id=`;
  expect(await status(quotes + from)).toBe(404);
  expect(await status(quotes + workOrder)).toBe(200);
});

test('what is left out of a move is chosen by chance', () => {
  const moved = one('Submittals', 'move', { projectId: client.projectId });
  expect(moved.projectId).not.toBe(client.projectId);
  const { from, line } = contracts();
  const child = one('Purchase Order Contract Line Items', 'move', { id: line });
  expect(child).toMatchObject({ projectId: client.projectId, parentId: expect.not.stringMatching(from) });
  expect(one('Standard Cost Codes', 'move')).toMatchObject({ projectId: null, parentId: expect.any(String) });
});

test('moves that make no sense say why', () => {
  const { projectId } = client;
  const { id } = one('RFIs', 'create', { projectId });
  expect(() => one('RFIs', 'move', { id, toProjectId: projectId })).toThrow('already');
  expect(() => one('RFIs', 'move', { id, toProjectId: '1' })).toThrow('no record 1');
  expect(() => one('RFIs', 'move', { id, toParentId: '1' })).toThrow('no parent');
  one('RFIs', 'delete', { id });
  expect(() => one('RFIs', 'move', { id, toProjectId: otherProject() })).toThrow('is deleted');
  const { to, line } = contracts();
  const item = { id: line, toParentId: to };
  const resource = 'Purchase Order Contract Line Items';
  expect(() => one(resource, 'move', { id: line, toProjectId: otherProject() })).toThrow('stay in the project');
  one('Purchase Order Contracts', 'delete', { id: to });
  expect(() => one(resource, 'move', item)).toThrow('deleted');
  const elsewhere = one('Purchase Order Contracts', 'create', { projectId: otherProject() });
  expect(() => one(resource, 'move', { id: line, toParentId: elsewhere.id })).toThrow('no record');
});

test.each(['Projects', 'Trades', 'Project Users', 'Project Vendors'])('%s cannot move', (resource) => {
  expect(() => one(resource, 'move')).toThrow('cannot move');
});

test('the only project, or the only parent, leaves nowhere to move to', () => {
  const { companyId, projectIds } = control().seed({ projects: 1, sizes: { 'Drawing Areas': 1, Drawings: 1 } });
  expect(() => one('RFIs', 'move', { companyId })).toThrow('no such record');
  expect(() => one('Drawings', 'move', { companyId, projectId: projectIds[0] })).toThrow('no such record');
});

test('while the read lag lasts, a moved record answers at its old place and not at its new one', async () => {
  const { id } = one('RFIs', 'create', { projectId: client.projectId, fields: { subject: 'before' } });
  const { id: reply } = one('RFI Replies', 'create', { parentId: id });
  const toProjectId = otherProject();
  const answers = async (projectId: string) => [
    await status(`${rfis(projectId)}/${id}`),
    await status(`${rfis(projectId)}/${id}/replies/${reply}`),
    (await idsOf(rfis(projectId))).includes(id),
  ];
  control().change({ readLagMs: 60_000 });
  one('RFIs', 'move', { id, toProjectId });
  expect(world('RFIs', id).projectId).toBe(toProjectId);
  expect(await answers(client.projectId)).toEqual([200, 200, true]);
  expect(await answers(toProjectId)).toEqual([404, 404, false]);
  control().setClock({ advanceMs: 60_000 });
  expect(await answers(client.projectId)).toEqual([404, 404, false]);
  expect(await answers(toProjectId)).toEqual([200, 200, true]);
});

test('while the read lag lasts, the old parent shows the child and the new one does not', async () => {
  const { from, to, line } = contracts();
  const query = `?project_id=${client.projectId}`;
  const shown = async (contract: string) => {
    const { json } = await client.get(`/rest/v1.0/purchase_order_contracts/${contract}${query}`);
    return (json as { line_items: unknown[] }).line_items.length;
  };
  const answers = async (contract: string) => [
    await status(`${lines(contract)}/${line}${query}`),
    (await client.list(lines(contract) + query)).length,
    await shown(contract),
  ];
  control().change({ readLagMs: 60_000 });
  one('Purchase Order Contract Line Items', 'move', { id: line, toParentId: to });
  expect(fields('Purchase Order Contracts', to).line_items).toMatchObject([{ id: Number(line) }]);
  expect(await Promise.all([from, to].map(answers))).toEqual([
    [200, 1, 1],
    [404, 0, 0],
  ]);
  control().setClock({ advanceMs: 60_000 });
  expect(await Promise.all([from, to].map(answers))).toEqual([
    [404, 0, 0],
    [200, 1, 1],
  ]);
});

test('a record that moved away and back is listed once', async () => {
  const { id } = one('RFIs', 'create', { projectId: client.projectId });
  one('RFIs', 'move', { id, toProjectId: otherProject() });
  one('RFIs', 'move', { id, toProjectId: client.projectId });
  expect((await idsOf(rfis(client.projectId))).filter((listed) => listed === id)).toEqual([id]);
  expect(await idsOf(rfis(otherProject()))).not.toContain(id);
});

test('moves by chance are made where they are asked for, of what can move, and stay among the projects named', () => {
  expect(
    control()
      .edit({ count: 500 })
      .records.filter(({ action }) => action === 'move'),
  ).toEqual([]);
  const before = new Map([...control().world({})].map((line) => [`${line.resource} ${line.id}`, line]));
  const moveBetween = [client.projectId, otherProject()];
  const { made, events, records } = control().edit({ count: 300, kinds: { move: 1 }, moveBetween });
  expect([made, events]).toEqual([300, 300]);
  const inProjects = records.filter(({ projectId }) => projectId !== null);
  expect(new Set(inProjects.map(({ projectId }) => projectId))).toEqual(new Set(moveBetween));
  for (const { resource, id } of inProjects) expect(moveBetween).toContain(before.get(`${resource} ${id}`)?.projectId);
  expect(new Set(records.map(({ resource }) => resource)).size).toBeGreaterThan(30);
  const unmoved = ['Projects', 'Trades', 'Project Users', 'Document Upload'];
  expect(records.filter(({ resource }) => unmoved.includes(resource))).toEqual([]);
});

test('moves by chance that nothing limits go to any project', () => {
  const { records } = control().edit({ count: 60, kinds: { move: 1 }, resources: ['RFIs'] });
  expect(new Set(records.map(({ projectId }) => projectId)).size).toBe(3);
});
