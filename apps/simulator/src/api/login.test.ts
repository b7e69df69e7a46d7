import { afterEach, beforeEach, expect, test } from 'vitest';
import { companyId, startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
beforeEach(async () => {
  client = await startSimulator();
});
afterEach(() => client.close());

const credentials = { grant_type: 'client_credentials', client_id: 'simulator', client_secret: 'simulator-secret' };

const ask = (body: URLSearchParams, headers: Record<string, string> = {}) =>
  fetch(`${client.simulator.url}/oauth/token`, { method: 'POST', body, headers });

test('a form with the right credentials gets a bearer token with its lifetime', async () => {
  const answer = await ask(new URLSearchParams(credentials));
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({
    access_token: expect.any(String),
    token_type: 'bearer',
    expires_in: 5400,
    created_at: expect.any(Number),
  });
});

test('client id and secret may come as Basic authentication', async () => {
  const basic = Buffer.from('simulator:simulator-secret').toString('base64');
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  expect((await ask(body, { Authorization: `Basic ${basic}` })).status).toBe(200);
});

test.each([
  [{ ...credentials, client_secret: 'wrong' }, 401, 'invalid_client'],
  [{ ...credentials, client_id: 'nobody' }, 401, 'invalid_client'],
  [{ ...credentials, grant_type: 'password' }, 400, 'unsupported_grant_type'],
  [{ client_id: 'simulator' }, 400, 'invalid_request'],
])('%j is answered %i %s', async (asked, status, error) => {
  const answer = await ask(new URLSearchParams(asked));
  expect(answer.status).toBe(status);
  expect(await answer.json()).toMatchObject({ error, error_description: expect.any(String) });
});

test('a token expires after its lifetime, and not before', async () => {
  client.simulator.control.change({ tokenSeconds: 3 });
  await client.token();
  expect((await client.get('/rest/v1.0/companies')).status).toBe(200);
  client.simulator.control.setClock({ advanceMs: 3000 });
  expect((await client.get('/rest/v1.0/companies')).status).toBe(401);
  await client.token();
  expect((await client.get('/rest/v1.0/companies')).status).toBe(200);
});

test('a regenerated secret voids the tokens issued before and is the only one that works', async () => {
  await client.token();
  const secret = client.simulator.control.regenerateSecret('simulator');
  expect((await client.get('/rest/v1.0/companies')).status).toBe(401);
  expect((await ask(new URLSearchParams(credentials))).status).toBe(401);
  expect((await ask(new URLSearchParams({ ...credentials, client_secret: secret }))).status).toBe(200);
});

test('a token opens only the companies that installed the app', async () => {
  const other = client.simulator.control.seed({ projects: 1 }).companyId;
  client.simulator.control.putClient('simulator', { companies: [companyId] });
  const companies = await client.list('/rest/v1.0/companies');
  expect(companies.map(({ id }) => String(id))).toEqual([companyId]);
  const refused = await client.get(`/rest/v1.0/companies/${other}/trades`, { 'Procore-Company-Id': other });
  expect(refused.status).toBe(403);
  expect(refused.json).toEqual({ errors: ['App is not connected to this company.'] });
});

test('a company that disconnects the app is closed until it connects it again', async () => {
  const path = `/rest/v1.0/companies/${companyId}/trades`;
  client.simulator.control.changeCompany(companyId, { connected: false });
  expect((await client.get(path)).status).toBe(403);
  client.simulator.control.changeCompany(companyId, { connected: true });
  expect((await client.get(path)).status).toBe(200);
});

test('token info tells what is left of a token', async () => {
  const token = await client.token();
  const answer = await fetch(`${client.simulator.url}/oauth/token/info`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(await answer.json()).toMatchObject({
    expires_in_seconds: expect.any(Number),
    application: { uid: 'simulator' },
  });
});

test('two clients have their own secrets and limits', async () => {
  client.simulator.control.putClient('second', { secret: 'second-secret' });
  const body = new URLSearchParams({ ...credentials, client_id: 'second', client_secret: 'second-secret' });
  expect((await ask(body)).status).toBe(200);
});
