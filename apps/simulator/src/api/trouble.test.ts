import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
beforeEach(async () => {
  client = await startSimulator();
});
afterEach(() => client.close());

const control = () => client.simulator.control;
const list = () => `/rest/v1.0/projects/${client.projectId}/rfis`;
const failed = async (path: string) =>
  await client.get(path).then(
    ({ text, json }) => (json === undefined ? `cut: ${text.length}` : 'answered'),
    () => 'no answer',
  );

describe('limits', () => {
  const limitOf = ({ headers }: { headers: Headers }) => ({
    limit: Number(headers.get('x-rate-limit-limit')),
    remaining: Number(headers.get('x-rate-limit-remaining')),
    resetInSeconds:
      Number(headers.get('x-rate-limit-reset')) - Math.floor(Date.parse(headers.get('date') ?? '') / 1000),
  });

  test('the headers tell of the window nearer to running out; beyond it is 429 until it resets', async () => {
    control().change({ callsPerHour: 8, callsPerTenSeconds: 5 });
    const first = limitOf(await client.get(list()));
    expect(first).toMatchObject({ limit: 5, remaining: 4 });
    expect(first.resetInSeconds).toBeGreaterThan(0);
    expect(first.resetInSeconds).toBeLessThanOrEqual(11);
    // Failed calls count, too.
    for (let each = 0; each < 4; each++) await client.get('/rest/v1.0/nothing');
    const over = await client.get(list());
    expect(over.status).toBe(429);
    expect(over.json).toEqual({ errors: expect.stringContaining('surpassed the max number of requests') });
    expect(limitOf(over)).toMatchObject({ limit: 5, remaining: 0 });
    control().setClock({ advanceMs: 10_000 });
    const hourly = limitOf(await client.get(list()));
    expect(hourly).toMatchObject({ limit: 8, remaining: 1 });
    expect(hourly.resetInSeconds).toBeGreaterThan(3500);
    await client.get(list());
    expect((await client.get(list())).status).toBe(429);
    control().setClock({ advanceMs: 3_600_000 });
    expect((await client.get(list())).status).toBe(200);
  });

  test('all companies of a client share them, or each has its own', async () => {
    control().change({ callsPerTenSeconds: 5 });
    const other = control().seed({ projects: 0 }).companyId;
    const left = async (companyId: string) =>
      limitOf(await client.get(`/rest/v1.1/projects?company_id=${companyId}`, { 'Procore-Company-Id': companyId }))
        .remaining;
    expect([await left(client.companyId), await left(other), await left(client.companyId)]).toEqual([4, 3, 2]);
    control().change({ limitsOf: 'company' });
    expect([await left(client.companyId), await left(other), await left(client.companyId)]).toEqual([4, 4, 3]);
  });

  test('no limits, no headers; counted calls can be forgotten', async () => {
    expect((await client.get(list())).headers.has('x-rate-limit-limit')).toBe(false);
    control().change({ callsPerTenSeconds: 1 });
    await client.get(list());
    expect((await client.get(list())).status).toBe(429);
    control().resetLimits();
    expect((await client.get(list())).status).toBe(200);
  });
});

describe('lists', () => {
  const page = async (query: string) => client.get(`${list()}?${query}`);

  test('may lack headers, count more than they give, and lead to another host', async () => {
    const next = (await page('per_page=1')).headers.get('link');
    expect(next).toContain(client.simulator.url);
    control().change({ pageHeaders: ['Total'], totalAbove: 3 });
    const { headers, json } = await page('per_page=1000');
    expect([headers.has('link'), headers.has('per-page')]).toEqual([false, false]);
    expect(Number(headers.get('total'))).toBe((json as unknown[]).length + 3);
    control().change({ pageHeaders: ['Link'], linkOrigin: 'https://elsewhere.example' });
    expect((await page('per_page=1')).headers.get('link')).toContain('<https://elsewhere.example/rest/');
  });

  test('may not answer pages above a size', async () => {
    control().change({ largestPage: 2 });
    expect((await page('per_page=3')).status).toBe(500);
    expect((await page('')).status).toBe(500);
    expect((await page('per_page=2')).status).toBe(200);
  });
});

describe('faults', () => {
  test.each([429, 500, 502, 503])('%i, with Retry-After, as often as asked', async (status) => {
    control().faults.add({ status, retryAfterSeconds: 7, times: 2 });
    for (let each = 0; each < 2; each++) {
      const got = await client.get(list());
      expect([got.status, got.headers.get('retry-after')]).toEqual([status, '7']);
      if (status === 429) expect(got.headers.get('x-rate-limit-remaining')).toBe('0');
    }
    expect((await client.get(list())).status).toBe(200);
  });

  test('a share of the calls, the same ones for the same seed', async () => {
    const run = async (of: TestClient) => {
      of.simulator.control.faults.add({ status: 500, share: 0.5 });
      const statuses: number[] = [];
      for (let each = 0; each < 30; each++) statuses.push((await of.get('/rest/v1.0/companies')).status);
      return statuses;
    };
    const second = await startSimulator();
    const statuses = await run(client);
    expect(new Set(statuses)).toEqual(new Set([200, 500]));
    expect(await run(second)).toEqual(statuses);
    await second.close();
  });

  test('only the calls that match: resource, kind, project', async () => {
    control().faults.add({ resource: 'RFIs', kind: 'list', projectId: client.projectId, status: 503 });
    const [record] = [...control().world({ resource: 'RFIs' })];
    expect((await client.get(list())).status).toBe(503);
    expect((await client.get(`${list()}/${record!.id}`)).status).toBe(200);
    expect((await client.get(list().replace('rfis', 'locations'))).status).toBe(200);
    expect(control().faults.rules()).toMatchObject([{ struck: 1 }]);
    control().faults.clear();
    expect((await client.get(list())).status).toBe(200);
  });

  test('one record may be what fails, while others and the list answer', async () => {
    const [sick, well] = [...control().world({ resource: 'RFIs', projectId: client.projectId })];
    control().faults.add({ resource: 'RFIs', recordId: sick!.id, status: 503 });
    expect((await client.get(`${list()}/${sick!.id}`)).status).toBe(503);
    expect((await client.get(`${list()}/${well!.id}`)).status).toBe(200);
    expect((await client.get(list())).status).toBe(200);
  });

  test('a connection that is reset, or cut in the middle of the answer, gives no answer', async () => {
    await client.token();
    control().faults.add({ reset: true, times: 1 });
    expect(await failed(list())).toBe('no answer');
    control().faults.add({ truncate: 'connection', times: 1 });
    expect(await failed(list())).toBe('no answer');
    expect(await failed(list())).toBe('answered');
    expect(control().calls().byStatus.none).toBe(2);
  });

  test('JSON that is cut arrives as a complete answer', async () => {
    await client.token();
    control().faults.add({ truncate: 'json', times: 1 });
    expect(await failed(list())).toMatch(/^cut: \d+$/);
  });

  /** What a call is answered, many times over: its status and its JSON as text. */
  const answersOf = async (path: string) => {
    const seen = new Set<string>();
    for (let each = 0; each < 150; each++) {
      const { status, json } = await client.get(path);
      seen.add(`${status} ${JSON.stringify(json)}`);
    }
    return [...seen].toSorted();
  };
  const nonsense = [
    '{}',
    'null',
    '"maintenance"',
    '{"message":"ok"}',
    '{"data":null}',
    '[null]',
    '[{}]',
    '{"errors":[]}',
  ];

  test('nonsense answers a list with what is no list of records, nor an empty one', async () => {
    control().faults.add({ nonsense: true });
    expect(await answersOf(list())).toEqual(nonsense.map((text) => `200 ${text}`).toSorted());
  });

  test('nonsense answers a show with all of that, with an empty list, and with another record', async () => {
    const [asked] = [...control().world({ resource: 'RFIs', projectId: client.projectId })];
    control().faults.add({ nonsense: true });
    const answers = await answersOf(`${list()}/${asked!.id}`);
    const others = [...control().world({ resource: 'RFIs' })].filter(({ id }) => id !== asked!.id);
    const records = others.map(({ id }) => `200 {"id":${id}}`);
    const expected = [...nonsense, '[]'].map((text) => `200 ${text}`);
    expect(answers).toEqual(expect.arrayContaining(expected));
    const rest = answers.filter((answer) => !expected.includes(answer));
    expect(rest.length).toBeGreaterThan(0);
    expect(records).toEqual(expect.arrayContaining(rest));
  });

  test.each([
    ['Meetings', ['attendees', 'meeting_categories'], '/rest/v1.1/projects/{project}/meetings/{id}'],
    ['Change Events', ['change_items'], '/rest/v1.1/change_events/{id}?project_id={project}'],
  ])('nonsense of %s may lack the field that alone tells of children: %j', async (resource, keys, path) => {
    const [asked] = [...control().world({ resource, projectId: client.projectId })];
    control().faults.add({ nonsense: true });
    const answers = await answersOf(path.replace('{project}', client.projectId).replace('{id}', asked!.id));
    const records = answers
      .map((answer): unknown => JSON.parse(answer.slice(4)))
      .filter((json) => typeof json === 'object' && json !== null && 'created_at' in json);
    const right: Record<string, unknown> = JSON.parse(asked!.text);
    const maimed = keys.flatMap((key) => {
      const { [key]: _, ...rest } = right;
      return [rest, { ...right, [key]: null }];
    });
    for (const record of records) expect(maimed).toContainEqual(record);
    for (const record of maimed) expect(records).toContainEqual(record);
  });

  test('nonsense of a v2 show is another record in its wrapper, its id a string', async () => {
    const path = `/rest/v2.0/companies/${client.companyId}/projects/${client.projectId}/document_management`;
    const [asked] = [...control().world({ resource: 'Document Upload', projectId: client.projectId })];
    control().faults.add({ nonsense: true });
    const answers = await answersOf(`${path}/document_uploads/${asked!.id}`);
    expect(answers).toContainEqual(expect.stringMatching(/^200 \{"data":\{"id":"[^"]+"\}\}$/));
    expect(answers).not.toContain(`200 {"data":{"id":"${asked!.id}"}}`);
  });

  test('nonsense on signing in is no token', async () => {
    control().faults.add({ kind: 'login', nonsense: true });
    const answer = await fetch(`${client.simulator.url}/oauth/token`, { method: 'POST' });
    expect(answer.status).toBe(200);
    expect(nonsense).toContain(await answer.text());
  });

  test('a call that hangs is not answered until its caller gives up', async () => {
    const token = await client.token();
    control().faults.add({ hang: true });
    const headers = { Authorization: `Bearer ${token}`, 'Procore-Company-Id': client.companyId };
    const call = fetch(client.simulator.url + list(), { headers, signal: AbortSignal.timeout(100) });
    await expect(call).rejects.toThrow();
  });

  test('latency delays the answer, by a fixed time or one between two', async () => {
    control().faults.add({ latencyMs: 5, times: 1 });
    expect((await client.get(list())).status).toBe(200);
    control().faults.add({ latencyMs: [1, 20] });
    expect((await client.get(list())).status).toBe(200);
  });

  test('signing in fails only when a rule says so', async () => {
    const signIn = async () => (await fetch(`${client.simulator.url}/oauth/token`, { method: 'POST' })).status;
    control().faults.add({ status: 500 });
    expect(await signIn()).toBe(400);
    control().faults.add({ kind: 'login', status: 503 });
    expect(await signIn()).toBe(503);
  });
});

test('the Date header is that of the simulated clock', async () => {
  control().setClock({ advanceMs: 86_400_000 });
  const { headers } = await client.get(list());
  expect(Date.parse(headers.get('date') ?? '') - Date.now()).toBeGreaterThan(86_000_000);
});

test('a faster clock passes more time', async () => {
  control().setClock({ speed: 100_000 });
  const before = control().clock().nowMs;
  await expect.poll(() => control().clock().nowMs - before, { timeout: 20_000 }).toBeGreaterThan(60_000);
});

test('calls are counted by resource, kind and status, and the counting can begin anew', async () => {
  await client.token();
  control().resetCalls();
  const [record] = [...control().world({ resource: 'RFIs', projectId: client.projectId })];
  await client.get(`${list()}?page=1`);
  await client.get(`${list()}/${record!.id}`);
  await client.get(`${list()}/${record!.id}`, { 'Procore-Company-Id': undefined });
  expect(control().calls()).toMatchObject({
    total: 3,
    byStatus: { 200: 2, 404: 1 },
    byResource: { RFIs: { list: 1, show: 2 } },
    byKind: { list: 1, show: 2 },
    missingCompanyHeader: 1,
    recent: [{ method: 'GET', path: list(), query: 'page=1', status: 200 }, { kind: 'show' }, { status: 404 }],
  });
  control().change({ callsKept: 2 });
  expect(control().calls().recent).toMatchObject([{ status: 200 }, { status: 404 }]);
  for (let call = 0; call < 4; call += 1) await client.get(`${list()}?page=${call}`);
  expect(control().calls().recent).toMatchObject([{ query: 'page=2' }, { query: 'page=3' }]);
  control().change({ callsKept: 0 });
  expect(control().calls()).toMatchObject({ total: 7, recent: [] });
  control().change({ callsKept: 1000 });
  control().resetCalls();
  expect(control().calls().total).toBe(0);
});
