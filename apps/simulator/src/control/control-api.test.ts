import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { settingsSchema } from '../settings.ts';
import { companyId, startEndpoint, startSimulator, type TestClient } from '../test-client.ts';
import { controlRoutes } from './control-api.ts';

let client: TestClient;
beforeEach(async () => {
  client = await startSimulator();
});
afterEach(() => client.close());

async function ask(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown; text: string }> {
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const answer = await fetch(`${client.simulator.url}/control${path}`, { method, ...init });
  const text = await answer.text();
  const isJson = answer.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: answer.status, text, json: isJson ? JSON.parse(text) : undefined };
}
const lines = async (path: string) =>
  (await ask('GET', path)).text
    .split('\n')
    .filter(Boolean)
    .map((line): Record<string, unknown> => JSON.parse(line));

test('the world is exported line by line, with the JSON of show', async () => {
  const rfis = await lines(`/world?resource=RFIs&projectId=${client.projectId}`);
  expect(rfis.length).toBe(12);
  const { id, text } = rfis[0]!;
  const shown = await client.get(`/rest/v1.0/projects/${client.projectId}/rfis/${id}`);
  expect(JSON.parse(String(text))).toEqual(shown.json);
  expect(rfis[0]).toMatchObject({
    resource: 'RFIs',
    companyId,
    projectId: client.projectId,
    parentId: null,
    deleted: false,
    visible: true,
  });
  expect((await lines(`/world?resource=RFIs&id=${id}`)).length).toBe(1);
  expect((await lines('/world')).length).toBeGreaterThan(300);
  expect((await ask('GET', '/world/counts')).json).toMatchObject({ RFIs: { live: 36, deleted: 0 } });
  expect((await ask('GET', '/world?resource=Nonsense')).status).toBe(404);
});

test('edits keep the digits they are written with', async () => {
  const made = await ask(
    'POST',
    '/edits',
    `{"edits":[{"resource":"RFIs","action":"create","projectId":"${client.projectId}","fields":{"n":12345678901234567890.10},
      "raw":"{\\"m\\":9007199254740993}"}]}`,
  );
  const [{ id }] = (made.json as { records: [{ id: string }] }).records;
  const [{ text }] = (await lines(`/world?resource=RFIs&id=${id}`)) as [{ text: string }];
  expect(text).toContain('"n":12345678901234567890.10');
  expect(text).toContain('"m":9007199254740993');
});

test('many edits in one call, then all is quiet and the events tell what was delivered', async () => {
  const endpoint = await startEndpoint();
  const base = `/rest/v2.0/companies/${companyId}/projects/${client.projectId}/webhooks/hooks`;
  const hook = { payload_version: 'v4.0', namespace: 'test', destination_url: endpoint.url };
  const made = await client.send('POST', base, hook);
  const { id } = (made.json as { data: { id: string } }).data;
  await client.send('POST', `${base}/${id}/triggers`, { resource_name: 'RFIs', event_type: 'update' });
  const edited = await ask('POST', '/edits', {
    count: 200,
    resources: ['RFIs'],
    kinds: { update: 1 },
    projectId: client.projectId,
  });
  expect(edited.json).toMatchObject({ made: 200, planned: 0, events: 200 });
  expect((await ask('GET', '/quiet?timeoutMs=20000')).json).toMatchObject({ quiet: true, outstanding: 0 });
  expect((await ask('GET', '/deliveries/summary')).json).toMatchObject({ events: 200, byStatus: { delivered: 200 } });
  expect(endpoint.received.length).toBe(200);
  const events = await lines('/events?resource=RFIs');
  expect(events.length).toBe(200);
  expect(events[0]).toMatchObject({
    id: expect.stringMatching(/^[0-9A-Z]{26}$/),
    integerId: expect.stringMatching(/^\d{17,19}$/),
    kind: 'update',
    lost: false,
    deliveries: [{ hookId: id, url: endpoint.url, status: 'delivered', attempts: [{ status: 204, error: null }] }],
  });
  expect((await ask('GET', '/hooks')).json).toEqual([
    {
      id,
      companyId,
      projectId: client.projectId,
      namespace: 'test',
      payloadVersion: 'v4.0',
      status: 'active',
      destinationUrl: endpoint.url,
      triggers: [{ resource: 'RFIs', kind: 'update' }],
    },
  ]);
  await ask('PATCH', `/hooks/${id}`, { status: 'disabled' });
  expect((await ask('GET', '/hooks')).json).toMatchObject([{ status: 'disabled' }]);
  await endpoint.close();
});

test('quiet gives up after its time', async () => {
  await ask('POST', '/edits', { count: 5, spreadOverMs: 3_600_000 });
  expect((await ask('GET', '/quiet?timeoutMs=20')).json).toMatchObject({ quiet: false, plannedEdits: 5 });
});

test('settings, clock, faults, calls and limits', async () => {
  expect((await ask('PATCH', '/settings', { tokenSeconds: 3, callsPerHour: 10 })).json).toMatchObject({
    tokenSeconds: 3,
  });
  expect((await ask('PATCH', '/settings', { readLagMs: 5 })).json).toMatchObject({
    tokenSeconds: 3,
    callsPerHour: 10,
    readLagMs: 5,
  });
  expect((await ask('GET', '/settings')).json).toMatchObject({ tokenSeconds: 3, readLagMs: 5 });
  const before = (await ask('GET', '/clock')).json as { nowMs: number };
  const after = (await ask('POST', '/clock', { advanceMs: 60_000, speed: 2 })).json as { nowMs: number; speed: number };
  expect(after.nowMs - before.nowMs).toBeGreaterThanOrEqual(60_000);
  expect(after.speed).toBe(2);
  await ask('POST', '/faults', { status: 500 });
  await ask('POST', '/faults', [{ reset: true, share: 0.5 }]);
  expect((await ask('GET', '/faults')).json).toMatchObject([
    { status: 500, share: 1 },
    { reset: true, share: 0.5 },
  ]);
  expect((await ask('PUT', '/faults', [{ hang: true, kind: 'show' }])).json).toMatchObject([{ hang: true }]);
  await ask('DELETE', '/faults');
  expect((await ask('GET', '/faults')).json).toEqual([]);
  await client.get('/rest/v1.0/companies');
  expect((await ask('GET', '/calls')).json).toMatchObject({ byStatus: { 200: 2 }, byKind: { login: 1, other: 1 } });
  await ask('DELETE', '/calls');
  expect((await ask('GET', '/calls')).json).toMatchObject({ total: 0 });
  expect((await ask('DELETE', '/limits')).status).toBe(200);
});

test('clients, tokens, companies and projects', async () => {
  expect((await ask('PUT', '/clients/second', { secret: 's', companies: [] })).json).toEqual({
    id: 'second',
    companies: [],
  });
  expect((await ask('POST', '/clients/second/secret')).json).toEqual({ secret: expect.any(String) });
  const seeded = await ask('POST', '/seed', { projects: 1, sizes: { RFIs: 2 } });
  expect(seeded.json).toMatchObject({ projectIds: [expect.any(String)], records: expect.any(Number) });
  await client.token();
  await ask('DELETE', '/tokens');
  expect((await client.get('/rest/v1.0/companies')).status).toBe(401);
  await client.token();
  const rfis = `/rest/v1.0/projects/${client.projectId}/rfis`;
  await ask('PATCH', `/projects/${client.projectId}`, { toolsOff: ['RFIs'] });
  expect((await client.get(rfis)).status).toBe(403);
  await ask('PATCH', `/projects/${client.projectId}`, { toolsOff: [], permitted: true });
  await ask('PATCH', `/companies/${companyId}`, { connected: false, toolsOff: ['Company Admin'] });
  expect((await client.get(rfis)).status).toBe(403);
  await ask('PATCH', `/companies/${companyId}`, { connected: true });
  expect((await client.get(rfis)).status).toBe(200);
  expect((await client.get(`/rest/v1.0/companies/${companyId}/trades`)).status).toBe(403);
});

test.each([
  ['POST', '/edits', { count: 0 }, 400],
  ['POST', '/edits', '{nonsense', 400],
  ['POST', '/edits', { edits: [{ resource: 'Projects', action: 'delete' }] }, 409],
  ['PATCH', '/settings', { unknownSetting: 1 }, 400],
  ['POST', '/clients/nobody/secret', undefined, 404],
  ['PATCH', '/companies/1', {}, 404],
  ['PATCH', '/projects/1', {}, 404],
  ['PATCH', '/hooks/1', { status: 'active' }, 404],
  ['GET', '/nothing', undefined, 404],
])('%s %s %j is answered %3$i with the reason', async (method, path, body, status) => {
  const answer = await ask(method, path, body);
  expect([answer.status, answer.json]).toEqual([status, { error: expect.any(String) }]);
});

test('the documentation names every route and every setting', async () => {
  const text = await readFile(new URL('../../../../docs/simulator.md', import.meta.url), 'utf8');
  for (const route of Object.keys(controlRoutes)) expect(text).toContain(`\`${route}`);
  for (const setting of Object.keys(settingsSchema.shape)) expect(text).toContain(`\`${setting}\``);
});
