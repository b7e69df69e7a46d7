import { afterAll, beforeAll, expect, test } from 'vitest';
import { companyId, startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
beforeAll(async () => {
  client = await startSimulator();
});
afterAll(() => client.close());

type Row = Record<string, unknown>;
const onCompany = `/rest/v2.0/companies/${companyId}/webhooks`;
const onProject = () => `/rest/v2.0/companies/${companyId}/projects/${client.projectId}/webhooks`;
const asked = {
  payload_version: 'v4.0',
  namespace: 'my-mirror-1',
  destination_url: 'http://127.0.0.1:9/hooks',
  destination_headers: { Authorization: 'Bearer very-secret-token' },
};
const dataOf = (got: { json: unknown }) => (got.json as { data: Row }).data;
const addHook = async (base = onCompany, change: Row = {}) =>
  dataOf(await client.send('POST', `${base}/hooks`, { ...asked, ...change }));

test('a created hook is answered 201, with string ids, masked headers and its scope', async () => {
  const got = await client.send('POST', `${onCompany}/hooks`, asked);
  expect(got.status).toBe(201);
  expect(dataOf(got)).toEqual({
    id: expect.stringMatching(/^\d+$/),
    status: 'active',
    payload_version: 'v4.0',
    namespace: 'my-mirror-1',
    destination_headers: { Authorization: '*****token' },
    destination_url: 'http://127.0.0.1:9/hooks',
    trigger_count: 0,
    company_id: companyId,
    project_id: null,
    created_at: expect.any(String),
    updated_at: expect.any(String),
    hook_type: 'classic',
  });
  const project = await addHook(onProject());
  expect(project).toMatchObject({ company_id: null, project_id: client.projectId });
  expect((await client.get(`${onCompany}/hooks/${project.id}`)).status).toBe(404);
});

test.each([
  [{ namespace: 'Upper' }],
  [{ namespace: undefined }],
  [{ payload_version: 'v9.0' }],
  [{ destination_url: 'not a url' }],
])('a hook with %j is refused with 400', async (change) => {
  expect((await client.send('POST', `${onCompany}/hooks`, { ...asked, ...change })).status).toBe(400);
});

test('hooks are listed by namespace, which those of a company require, ten a page', async () => {
  for (let each = 0; each < 11; each++) await addHook(onCompany, { namespace: 'eleven' });
  expect((await client.get(`${onCompany}/hooks`)).status).toBe(400);
  const page = await client.get(`${onCompany}/hooks?namespace=eleven`);
  expect((page.json as { data: Row[] }).data.length).toBe(10);
  expect([page.headers.get('total'), page.headers.get('per-page')]).toEqual(['11', '10']);
  expect(page.headers.get('link')).toContain('rel="next"');
  expect(await client.list(`${onCompany}/hooks?namespace=nobody`)).toEqual([]);
  const [counted] = await client.list(`${onCompany}/hooks?namespace=eleven&include_trigger_count=true`);
  expect(counted).toMatchObject({ trigger_count: 0 });
  expect(await client.list(`${onCompany}/hooks?namespace=eleven&payload_version=v2.0`)).toEqual([]);
  const { id } = await addHook(onProject(), { namespace: 'of-a-project' });
  expect(await client.list(`${onProject()}/hooks?per_page=100`)).toContainEqual(expect.objectContaining({ id }));
});

test('a hook can be changed and deleted', async () => {
  const { id } = await addHook();
  const changed = await client.send('PATCH', `${onCompany}/hooks/${id}`, {
    status: 'disabled',
    payload_version: 'v3.0',
  });
  expect(changed.status).toBe(200);
  expect(dataOf(changed)).toMatchObject({ id, status: 'disabled', payload_version: 'v3.0', namespace: 'my-mirror-1' });
  const healed = await client.send('PATCH', `${onCompany}/hooks/${id}`, {
    status: 'active',
    destination_url: 'http://127.0.0.1:9/elsewhere',
    destination_headers: { Authorization: 'Bearer another-secret' },
  });
  expect(dataOf(healed)).toMatchObject({
    status: 'active',
    payload_version: 'v3.0',
    destination_url: 'http://127.0.0.1:9/elsewhere',
    destination_headers: { Authorization: '*****ecret' },
  });
  expect((await client.send('PATCH', `${onCompany}/hooks/${id}`, { status: 'asleep' })).status).toBe(400);
  expect((await client.send('DELETE', `${onCompany}/hooks/${id}`)).status).toBe(204);
  expect((await client.get(`${onCompany}/hooks/${id}`)).status).toBe(404);
});

test('triggers are added, listed and removed one by one', async () => {
  const { id } = await addHook(onProject());
  const path = `${onProject()}/hooks/${id}/triggers`;
  const added = await client.send('POST', path, { resource_name: 'RFIs', event_type: 'create' });
  expect(added.status).toBe(201);
  const trigger = {
    webhook_hook_id: id,
    resource_name: 'RFIs',
    event_type: 'create',
    company_id: null,
    project_id: client.projectId,
  };
  expect(dataOf(added)).toMatchObject(trigger);
  expect(await client.list(path)).toEqual([{ id: dataOf(added).id, ...trigger }]);
  expect((await client.send('POST', path, { resource_name: 'RFIs', event_type: 'create' })).status).toBe(400);
  expect((await client.send('DELETE', `${path}/${dataOf(added).id}`)).status).toBe(204);
  expect(await client.list(path)).toEqual([]);
});

test('many triggers at once: 201 when all are added, 207 when some are, 400 when none is', async () => {
  const { id } = await addHook();
  const path = `${onCompany}/hooks/${id}/triggers/bulk`;
  const trigger = (resource_name: string, event_type: string) => ({ resource_name, event_type });
  expect((await client.send('POST', path, [trigger('Projects', 'create'), trigger('Projects', 'update')])).status).toBe(
    201,
  );
  const partly = await client.send('POST', path, [
    trigger('Trades', 'create'),
    trigger('Projects', 'delete'),
    trigger('RFIs', 'create'),
  ]);
  expect(partly.status).toBe(207);
  const rows = (partly.json as { data: Row[] }).data;
  expect(rows.map((row) => 'errors' in row)).toEqual([false, true, true]);
  expect((await client.send('POST', path, [trigger('RFIs', 'create')])).status).toBe(400);
  const ids = (await client.list(`${onCompany}/hooks/${id}/triggers`)).map((row) => row.id);
  expect(ids.length).toBe(3);
  const removed = await client.send('DELETE', path, [ids[0], '1']);
  expect([removed.status, removed.json]).toEqual([207, { data: { succeeded: [ids[0]], failed: ['1'] } }]);
  expect((await client.send('DELETE', path, [ids[1]])).status).toBe(200);
});

test('the resources of a company and of a project are told apart', async () => {
  const names = async (base: string) =>
    (await client.list(`${base}/resources?payload_version=v4.0&per_page=100`)).map(({ name }) => name);
  expect(await names(onCompany)).toContain('Projects');
  expect(await names(onCompany)).not.toContain('RFIs');
  expect(await names(onProject())).toContain('RFIs');
  const [row] = await client.list(`${onCompany}/resources?payload_version=v4.0`);
  expect(row).toEqual({
    category: 'Portfolio',
    tool: 'Portfolio',
    name: 'Projects',
    payload_version: 'v4.0',
    actions: ['create', 'update'],
  });
  expect((await client.get(`${onCompany}/resources`)).status).toBe(400);
});

test('a project may offer less than others, and takes no triggers for what it does not offer', async () => {
  client.simulator.control.change({ withoutEvents: { [client.projectId]: ['RFIs'] } });
  const names = (await client.list(`${onProject()}/resources?payload_version=v4.0&per_page=100`)).map(
    ({ name }) => name,
  );
  expect(names).toContain('Submittals');
  expect(names).not.toContain('RFIs');
  const { id } = await addHook(onProject());
  const added = await client.send('POST', `${onProject()}/hooks/${id}/triggers/bulk`, [
    { resource_name: 'RFIs', event_type: 'create' },
    { resource_name: 'Submittals', event_type: 'create' },
  ]);
  expect(added.status).toBe(207);
  client.simulator.control.change({ withoutEvents: {} });
});

test('the API wants the same token, header and company as any other', async () => {
  const path = `${onCompany}/hooks?namespace=a`;
  expect((await client.get(path, { Authorization: undefined })).status).toBe(401);
  expect((await client.get(path, { 'Procore-Company-Id': undefined })).status).toBe(404);
  expect((await client.get('/rest/v2.0/companies/1/webhooks/hooks?namespace=a')).status).toBe(404);
  const nowhere = `/rest/v2.0/companies/${companyId}/projects/1/webhooks/hooks?namespace=a`;
  expect((await client.get(nowhere)).status).toBe(404);
});
