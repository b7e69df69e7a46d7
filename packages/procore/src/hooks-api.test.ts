import { afterEach, expect, test } from 'vitest';
import samples from './fixtures/payload-samples.json' with { type: 'json' };
import { createHooksApi, type HooksApi } from './hooks-api.ts';
import { type Answer, answer, type LocalServer, startLocalServer } from './local-server.ts';
import { createProcoreClient } from './procore-client.ts';
import { parseWebhookEvent } from './webhook-event.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aWorld(...answers: Answer[]): Promise<{ server: LocalServer; hooks: HooksApi }> {
  const server = await startLocalServer(...answers);
  const client = createProcoreClient({
    apiUrl: server.url,
    token: async () => 'a-token',
    refuseToken: () => {},
    sleep: async () => {},
  });
  closing.push(server.close, client.close);
  return { server, hooks: createHooksApi(client) };
}

const ok = (data: unknown, headers = {}): Answer => answer(200, JSON.stringify({ data }), headers);
const aRow = (more: object): object => ({
  id: '5',
  status: 'active',
  payload_version: 'v4.0',
  namespace: 'ours',
  destination_headers: { Authorization: '****oken' },
  destination_url: 'https://example.com/webhooks/procore',
  company_id: '42',
  project_id: null,
  hook_type: 'classic',
  ...more,
});
const aHook = (more: object): object => ({
  id: '5',
  status: 'active',
  namespace: 'ours',
  payloadVersion: 'v4.0',
  destinationUrl: 'https://example.com/webhooks/procore',
  projectId: null,
  triggerCount: null,
  authorizationTail: 'oken',
  ...more,
});
const asked = ({ seen }: LocalServer): string[] =>
  seen.map(({ method, url }) => `${method} ${decodeURIComponent(url)}`);
const company = { companyId: '42' };
const project = { companyId: '42', projectId: '7' };
const rfis = { resource: 'RFIs', eventType: 'create' };
const submittals = { resource: 'Submittals', eventType: 'update' };

test('hooks are listed over all pages, those of other namespaces left out, number ids as text', async () => {
  const { hooks, server } = await aWorld(
    ok([aRow({}), aRow({ id: '6', namespace: 'theirs' })], {
      link: '</rest/v2.0/companies/42/webhooks/hooks?page=2>; rel="next"',
    }),
    answer(200, JSON.stringify({ data: [aRow({ project_id: '7' })] }).replace('"5"', '9007199254740993')),
  );
  expect(await hooks.list({ ...company, namespace: 'ours' })).toEqual([
    aHook({}),
    aHook({ id: '9007199254740993', projectId: '7' }),
  ]);
  expect(asked(server)).toEqual([
    'GET /rest/v2.0/companies/42/webhooks/hooks?namespace=ours&include_trigger_count=true&per_page=100',
    'GET /rest/v2.0/companies/42/webhooks/hooks?page=2',
  ]);
  expect(server.seen.every(({ headers }) => headers['procore-company-id'] === '42')).toBe(true);
});

test('a hook is made on a project', async () => {
  const { hooks, server } = await aWorld(answer(201, JSON.stringify({ data: aRow({ project_id: '7' }) })));
  const made = await hooks.create({
    ...project,
    namespace: 'ours',
    payloadVersion: 'v4.0',
    destinationUrl: 'https://example.com/webhooks/procore',
    authorization: 'Bearer of-our-own-choice',
  });
  expect(made).toEqual(aHook({ projectId: '7' }));
  expect(asked(server)).toEqual(['POST /rest/v2.0/companies/42/projects/7/webhooks/hooks']);
  expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual({
    namespace: 'ours',
    payload_version: 'v4.0',
    destination_url: 'https://example.com/webhooks/procore',
    destination_headers: { Authorization: 'Bearer of-our-own-choice' },
  });
});

test.each([
  [{ destination_headers: { authorization: '*****token' } }, { authorizationTail: 'token' }],
  [{ destination_headers: { Authorization: 'Bearer of-our-own-choice' } }, { authorizationTail: 'hoice' }],
  [{ destination_headers: {} }, { authorizationTail: null }],
  [{ destination_headers: null }, { authorizationTail: null }],
  [{ destination_headers: undefined }, { authorizationTail: undefined }],
  [{ destination_headers: { Authorization: '**********' } }, { authorizationTail: undefined }],
  [{ trigger_count: 12 }, { triggerCount: 12 }],
  [{ status: 'Disabled' }, { status: 'disabled' }],
])('of a hook with %j is known %j', async (shown, known) => {
  const { hooks } = await aWorld(ok([aRow(shown)]));
  expect(await hooks.list({ ...company, namespace: 'ours' })).toMatchObject([known]);
});

test('a hook is changed in what is named, and in nothing else', async () => {
  const changed = answer(200, JSON.stringify({ data: aRow({ payload_version: 'v3.0' }) }));
  const { hooks, server } = await aWorld(changed, changed);
  const all = {
    status: 'active' as const,
    payloadVersion: 'v3.0',
    destinationUrl: 'https://a.example/',
    authorization: 'Bearer x',
  };
  expect(await hooks.patch({ ...project, hookId: '5', change: all })).toEqual(aHook({ payloadVersion: 'v3.0' }));
  await hooks.patch({ ...company, hookId: '5', change: { status: 'active' } });
  expect(asked(server)).toEqual([
    'PATCH /rest/v2.0/companies/42/projects/7/webhooks/hooks/5',
    'PATCH /rest/v2.0/companies/42/webhooks/hooks/5',
  ]);
  expect(server.seen.map(({ body }) => JSON.parse(body))).toEqual([
    {
      status: 'active',
      payload_version: 'v3.0',
      destination_url: 'https://a.example/',
      destination_headers: { Authorization: 'Bearer x' },
    },
    { status: 'active' },
  ]);
});

test('what is offered is told as Procore spells it', async () => {
  const { hooks, server } = await aWorld(
    ok([
      {
        category: 'Core',
        tool: 'RFI',
        name: 'RFIs',
        payload_version: 'v4.0',
        actions: ['CREATE', 'Updated', 'delete'],
      },
      { category: 'Core', tool: 'Documents', name: 'Document Upload', payload_version: 'v4.0', actions: ['Completed'] },
    ]),
  );
  expect(await hooks.offers({ ...project, payloadVersion: 'v4.0' })).toEqual([
    { resource: 'RFIs', eventTypes: ['CREATE', 'Updated', 'delete'] },
    { resource: 'Document Upload', eventTypes: ['Completed'] },
  ]);
  expect(asked(server)).toEqual([
    'GET /rest/v2.0/companies/42/projects/7/webhooks/resources?payload_version=v4.0&per_page=100',
  ]);
});

const manyIds = Array.from({ length: 501 }, (_, at) => String(at + 1));

test('triggers are removed in bulk, at most 500 a call, and what is still there after a 207 is refused', async () => {
  const { hooks, server } = await aWorld(
    answer(200, '{"data":{"succeeded":[]}}'),
    answer(207, '{"data":{"succeeded":[],"failed":["what","ever"]}}'),
    ok([
      { id: '7', resource_name: 'RFIs', event_type: 'create' },
      { id: '900', resource_name: 'RFIs', event_type: 'update' },
    ]),
  );
  expect(await hooks.removeTriggers({ ...company, hookId: '5', triggerIds: manyIds })).toEqual({ refused: ['7'] });
  expect(asked(server)).toEqual([
    'DELETE /rest/v2.0/companies/42/webhooks/hooks/5/triggers/bulk',
    'DELETE /rest/v2.0/companies/42/webhooks/hooks/5/triggers/bulk',
    'GET /rest/v2.0/companies/42/webhooks/hooks/5/triggers?per_page=100',
  ]);
  expect(server.seen.slice(0, 2).map(({ body }) => JSON.parse(body))).toEqual([manyIds.slice(0, 500), ['501']]);
});

test('removing no triggers asks nothing', async () => {
  const { hooks, server } = await aWorld(answer(500));
  expect(await hooks.removeTriggers({ ...company, hookId: '5', triggerIds: [] })).toEqual({ refused: [] });
  expect(server.seen).toHaveLength(0);
});

test('triggers are added at most 500 a call', async () => {
  const { hooks, server } = await aWorld(answer(201, '{"data":[]}'));
  const triggers = manyIds.map((name) => ({ resource: name, eventType: 'create' }));
  expect(await hooks.addTriggers({ ...company, hookId: '5', triggers })).toEqual({ refused: [] });
  expect(server.seen.map(({ body }) => JSON.parse(body).length)).toEqual([500, 1]);
});

test('a hook is removed', async () => {
  const { hooks, server } = await aWorld(answer(204));
  await hooks.remove({ ...project, hookId: '5' });
  expect(asked(server)).toEqual(['DELETE /rest/v2.0/companies/42/projects/7/webhooks/hooks/5']);
});

test('triggers are listed with their event types in one spelling', async () => {
  const rows = ['CREATED', 'UPDATE', 'delete', 'Completed'].map((event_type, at) => ({
    id: String(at),
    resource_name: 'RFIs',
    event_type,
  }));
  const { hooks, server } = await aWorld(ok(rows));
  const triggers = await hooks.listTriggers({ ...company, hookId: '5' });
  expect(triggers.map(({ eventType }) => eventType)).toEqual(['create', 'update', 'delete', 'completed']);
  expect(triggers[0]).toEqual({ id: '0', resource: 'RFIs', eventType: 'create' });
  expect(asked(server)).toEqual(['GET /rest/v2.0/companies/42/webhooks/hooks/5/triggers?per_page=100']);
});

test('triggers are added with one call', async () => {
  const { hooks, server } = await aWorld(answer(201, '{"data":[]}'));
  expect(await hooks.addTriggers({ ...company, hookId: '5', triggers: [rfis, submittals] })).toEqual({ refused: [] });
  expect(asked(server)).toEqual(['POST /rest/v2.0/companies/42/webhooks/hooks/5/triggers/bulk']);
  expect(JSON.parse(server.seen[0]?.body ?? '')).toEqual([
    { resource_name: 'RFIs', event_type: 'create' },
    { resource_name: 'Submittals', event_type: 'update' },
  ]);
});

test('adding no triggers asks nothing', async () => {
  const { hooks, server } = await aWorld(answer(500));
  expect(await hooks.addTriggers({ ...company, hookId: '5', triggers: [] })).toEqual({ refused: [] });
  expect(server.seen).toHaveLength(0);
});

test('after a partly done call the triggers that are not there count as refused', async () => {
  const { hooks, server } = await aWorld(
    answer(207, '{"data":[{"what":"ever"}]}'),
    ok([{ id: '1', resource_name: 'rfis', event_type: 'CREATED' }]),
  );
  expect(await hooks.addTriggers({ ...company, hookId: '5', triggers: [rfis, submittals] })).toEqual({
    refused: [submittals],
  });
  expect(server.seen).toHaveLength(2);
});

test.each([400, 422])(
  'after a %i for all of them each trigger is tried by itself, and those there count',
  async (status) => {
    const there = [{ id: '1', resource_name: 'RFIs', event_type: 'create' }];
    const { hooks, server } = await aWorld(answer(status), answer(201, '{"data":{}}'), answer(status), ok(there));
    expect(await hooks.addTriggers({ ...project, hookId: '5', triggers: [rfis, submittals] })).toEqual({
      refused: [submittals],
    });
    expect(asked(server)).toEqual([
      'POST /rest/v2.0/companies/42/projects/7/webhooks/hooks/5/triggers/bulk',
      'POST /rest/v2.0/companies/42/projects/7/webhooks/hooks/5/triggers',
      'POST /rest/v2.0/companies/42/projects/7/webhooks/hooks/5/triggers',
      'GET /rest/v2.0/companies/42/projects/7/webhooks/hooks/5/triggers?per_page=100',
    ]);
  },
);

test.each([
  ['at once', [answer(403)]],
  ['later', [answer(400), answer(403)]],
])('a hook that we may not change is an error, no refusal of triggers: %s', async (_, answers) => {
  const { hooks, server } = await aWorld(...answers);
  const adding = hooks.addTriggers({ ...company, hookId: '5', triggers: [rfis, submittals] });
  await expect(adding).rejects.toMatchObject({ status: 403 });
  expect(server.seen).toHaveLength(answers.length);
});

test('deliveries carry their events number for number', async () => {
  const rows = samples.map(
    ({ body }, at) => `{"id":"${at}","status":"discarded","payload":${body},"delivery_attempts":[]}`,
  );
  const { hooks, server } = await aWorld(answer(200, `{"data":[${rows}]}`));
  const deliveries = await Array.fromAsync(
    hooks.deliveries({ ...company, hookId: '5', status: 'discarded', since: '2026-06-29', until: '2026-06-30' }),
  );
  expect(deliveries).toEqual(samples.map(({ body }, at) => ({ id: String(at), status: 'discarded', body })));
  expect(deliveries.every(({ body }) => parseWebhookEvent(body).ok)).toBe(true);
  expect(asked(server)).toEqual([
    'GET /rest/v2.0/companies/42/webhooks/hooks/5/deliveries?filter[status]=discarded&filter[start]=2026-06-29&filter[end]=2026-06-30&per_page=100',
  ]);
});

test('a delivery whose event is missing is told like any other', async () => {
  const { hooks } = await aWorld(ok([{ id: '1', status: 'failed' }]));
  const [delivery] = await Array.fromAsync(hooks.deliveries({ ...company, hookId: '5' }));
  expect(delivery).toEqual({ id: '1', status: 'failed', body: 'null' });
  expect(parseWebhookEvent('null').ok).toBe(false);
});

test.each(['null', '[]', '{}', '{"data":null}', '{"data":[{"id":"5"}]}', '{"data":[{"id":true}]}'])(
  'an answer that lacks what we rely on names it: %s',
  async (text) => {
    const { hooks } = await aWorld(answer(200, text));
    await expect(hooks.list({ ...company, namespace: 'ours' })).rejects.toMatchObject({
      name: 'ProcoreFormatError',
      issues: expect.arrayContaining([expect.any(String)]),
    });
  },
);

test('a hook that was made but not described is a format error', async () => {
  const { hooks } = await aWorld(answer(201));
  const made = hooks.create({
    ...company,
    namespace: 'ours',
    payloadVersion: 'v4.0',
    destinationUrl: 'https://example.com/webhooks/procore',
    authorization: 'Bearer of-our-own-choice',
  });
  await expect(made).rejects.toMatchObject({ name: 'ProcoreFormatError' });
});

test('ids that are none reach no path', async () => {
  const { hooks, server } = await aWorld(ok([]));
  await expect(hooks.remove({ ...company, hookId: '../../../v1.0/me' })).rejects.toThrow(RangeError);
  await expect(hooks.list({ companyId: '42/x', namespace: 'ours' })).rejects.toThrow(RangeError);
  expect(server.seen).toHaveLength(0);
});
