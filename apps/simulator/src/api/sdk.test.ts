// A foreign witness: Procore's own JavaScript SDK, unmodified, reads from the simulator.
import * as sdk from '@procore/js-sdk';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { companyId, startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
let procore: ReturnType<typeof sdk.client>;
beforeAll(async () => {
  client = await startSimulator();
  // The SDK has no client credentials grant, so it is given a token.
  const authorizer = sdk.oauth(await client.token());
  procore = sdk.client(
    authorizer,
    {},
    {
      apiHostname: client.simulator.url,
      defaultCompanyId: Number(companyId),
    },
  );
});
afterAll(() => client.close());

const bodies = (body: unknown) => body as { id: number; subject?: string; data?: unknown }[];

test('it lists projects, and shows one', async () => {
  const { body, response } = await procore.get({ base: '/projects', version: 'v1.1', qs: { company_id: companyId } });
  expect(response.headers.get('Total')).toBe('3');
  const [project] = bodies(body);
  const shown = await procore.get({ base: '/projects', params: { id: project!.id }, qs: { company_id: companyId } });
  expect(shown.body).toMatchObject({ id: project!.id, active: true });
});

test('it pages through a list', async () => {
  const seen: number[] = [];
  for (let page = 1; page <= 3; page++) {
    const { body } = await procore.get({
      base: '/projects/{project_id}/rfis',
      params: { project_id: Number(client.projectId) },
      qs: { page, per_page: 4 },
    });
    seen.push(...bodies(body).map(({ id }) => id));
  }
  expect(new Set(seen).size).toBe(12);
});

test('it filters a list by ids, in the spelling it knows', async () => {
  const wanted = [...client.simulator.control.world({ resource: 'RFIs', projectId: client.projectId })].slice(3, 5);
  const { body } = await procore.get({
    base: '/projects/{project_id}/rfis',
    params: { project_id: Number(client.projectId) },
    qs: { filters: { id: wanted.map(({ id }) => id) } },
  });
  expect(bodies(body).map(({ id }) => String(id))).toEqual(wanted.map(({ id }) => id));
});

test('it reads a v2 resource, and manages a hook', async () => {
  const base = `/companies/${companyId}/webhooks/hooks`;
  const created = await procore.post(
    { base, version: 'v2.0' },
    { payload_version: 'v4.0', namespace: 'sdk', destination_url: 'http://127.0.0.1:9/hooks' },
  );
  expect(created.response.status).toBe(201);
  const { body } = await procore.get({ base, version: 'v2.0', qs: { namespace: 'sdk' } });
  expect(body).toMatchObject({ data: [{ namespace: 'sdk', status: 'active' }] });
  const reasons = await procore.get({ base: `/companies/${companyId}/change_order_change_reasons`, version: 'v2.0' });
  expect(reasons.body).toMatchObject({ data: expect.any(Array) });
});

test('it is told of what is not there', async () => {
  await expect(procore.get({ base: '/rfis/nothing' })).rejects.toMatchObject({ response: { status: 404 } });
});
