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
const pass = (advanceMs: number) => control().setClock({ advanceMs });
const rfis = (projectId = client.projectId) => `/rest/v1.0/projects/${projectId}/rfis`;

/** Is a reply shown, listed, and embedded in its RFI? */
async function replyIsSeen(rfi: string, id: string): Promise<boolean[]> {
  const shown = await client.get(`${rfis()}/${rfi}/replies/${id}`);
  const listed = await client.list(`${rfis()}/${rfi}/replies`);
  const { json } = await client.get(`${rfis()}/${rfi}`);
  const [question] = (json as { questions: { answers: { id: number }[] }[] }).questions;
  return [
    shown.status === 200,
    listed.some((item) => String(item.id) === id),
    question!.answers.some((answer) => String(answer.id) === id),
  ];
}
const nowhere = [false, false, false];
const everywhere = [true, true, true];

test.each(['readLagMs', 'createLagMs'])('a new record is nowhere until %s is over', async (setting) => {
  const { id: rfi } = one('RFIs', 'create', { projectId: client.projectId });
  control().change({ [setting]: 3_600_000 });
  const { id } = one('RFI Replies', 'create', { parentId: rfi });
  expect(await replyIsSeen(rfi, id)).toEqual(nowhere);
  pass(3_000_000);
  expect(await replyIsSeen(rfi, id)).toEqual(nowhere);
  pass(600_000);
  expect(await replyIsSeen(rfi, id)).toEqual(everywhere);
});

test('a new child that only its parent shows is not shown until the lag is over', async () => {
  const { id: meeting } = one('Meetings', 'create', { projectId: client.projectId });
  control().change({ createLagMs: 3_600_000 });
  one('Meeting Topics', 'create', { parentId: meeting });
  const topics = async () => {
    const { json } = await client.get(`/rest/v1.1/projects/${client.projectId}/meetings/${meeting}`);
    return (json as { meeting_categories: { meeting_topic: unknown[] }[] }).meeting_categories[0]?.meeting_topic.length;
  };
  expect(await topics()).toBe(0);
  pass(3_600_000);
  expect(await topics()).toBe(1);
});

test.each(['readLagMs', 'createLagMs'])('a restored record is gone until %s is over', async (setting) => {
  const { id: rfi } = one('RFIs', 'create', { projectId: client.projectId });
  const { id } = one('RFI Replies', 'create', { parentId: rfi });
  one('RFI Replies', 'delete', { id });
  control().change({ [setting]: 3_600_000 });
  one('RFI Replies', 'restore', { id });
  expect(await replyIsSeen(rfi, id)).toEqual(nowhere);
  pass(3_600_000);
  expect(await replyIsSeen(rfi, id)).toEqual(everywhere);
});

test('what is not there yet has a lag of its own, and all other edits keep the read lag', async () => {
  const { id: rfi } = one('RFIs', 'create', { projectId: client.projectId });
  const { id } = one('RFI Replies', 'create', { parentId: rfi });
  control().change({ readLagMs: 1000, createLagMs: 3_600_000 });
  one('RFIs', 'update', { id: rfi, fields: { subject: 'after' } });
  one('RFI Replies', 'delete', { id });
  pass(600_000);
  expect((await client.get(`${rfis()}/${rfi}`)).json).toMatchObject({ subject: 'after' });
  expect(await replyIsSeen(rfi, id)).toEqual(nowhere);
});

test('a new record that is edited before it can be seen is seen as it then is', async () => {
  control().change({ readLagMs: 1000, createLagMs: 3_600_000 });
  const { id } = one('RFIs', 'create', { projectId: client.projectId });
  one('RFIs', 'update', { id, fields: { subject: 'after' } });
  pass(3_000_000);
  expect((await client.get(`${rfis()}/${id}`)).status).toBe(404);
  pass(600_000);
  expect((await client.get(`${rfis()}/${id}`)).json).toMatchObject({ subject: 'after' });
});

test('a record that moves leaves its place as any edit is seen, and arrives later', async () => {
  const { id } = one('RFIs', 'create', { projectId: client.projectId });
  const { id: reply } = one('RFI Replies', 'create', { parentId: id });
  const toProjectId = [...control().world({ resource: 'Projects' })][1]!.id;
  control().change({ readLagMs: 1000, createLagMs: 3_600_000 });
  one('RFIs', 'move', { id, toProjectId });
  const statuses = async () => {
    const paths = [client.projectId, toProjectId].flatMap((projectId) => {
      const path = `${rfis(projectId)}/${id}`;
      return [path, `${path}/replies/${reply}`];
    });
    return await Promise.all(paths.map(async (path) => (await client.get(path)).status));
  };
  expect(await statuses()).toEqual([200, 200, 404, 404]);
  pass(600_000);
  expect(await statuses()).toEqual([404, 404, 404, 404]);
  pass(3_000_000);
  expect(await statuses()).toEqual([404, 404, 200, 200]);
});

test('a child that moves is shown by its old parent, then by none, then by its new one', async () => {
  const [from, to] = [1, 2].map(() => one('Work Order Contracts', 'create', { projectId: client.projectId }).id);
  const { id } = one('Work Order Contract Line Items', 'create', { parentId: from });
  control().change({ readLagMs: 1000, createLagMs: 3_600_000 });
  one('Work Order Contract Line Items', 'move', { id, toParentId: to });
  const shown = async () => {
    const paths = [from, to].map((one) => `/rest/v1.0/work_order_contracts/${one}?project_id=${client.projectId}`);
    return await Promise.all(
      paths.map(async (path) => ((await client.get(path)).json as { line_items: unknown[] }).line_items.length),
    );
  };
  expect(await shown()).toEqual([1, 0]);
  pass(600_000);
  expect(await shown()).toEqual([0, 0]);
  pass(3_000_000);
  expect(await shown()).toEqual([0, 1]);
});
