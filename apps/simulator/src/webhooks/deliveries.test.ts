import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { companyId, startEndpoint, startSimulator, type TestClient, type TestEndpoint, until } from '../test-client.ts';

let client: TestClient;
let endpoint: TestEndpoint;
beforeEach(async () => {
  [client, endpoint] = await Promise.all([startSimulator({ settings: { tokenSeconds: 10_000_000 } }), startEndpoint()]);
});
afterEach(async () => {
  await Promise.all([client.close(), endpoint.close()]);
});

const control = () => client.simulator.control;
const onCompany = `/rest/v2.0/companies/${companyId}/webhooks`;
const onProject = () => `/rest/v2.0/companies/${companyId}/projects/${client.projectId}/webhooks`;

/** A hook with triggers for everything the resources can tell; returns its path. */
async function hook(
  version: string,
  names: readonly string[],
  base = onProject(),
  url = endpoint.url,
): Promise<string> {
  const made = await client.send('POST', `${base}/hooks`, {
    payload_version: version,
    namespace: 'test',
    destination_url: url,
    destination_headers: { Authorization: 'Bearer of-the-hook' },
  });
  const path = `${base}/hooks/${(made.json as { data: { id: string } }).data.id}`;
  const offered = await client.list(`${base}/resources?payload_version=${version}&per_page=100`);
  const triggers = offered
    .filter(({ name }) => names.includes(String(name)))
    .flatMap(({ name, actions }) => (actions as string[]).map((event_type) => ({ resource_name: name, event_type })));
  expect((await client.send('POST', `${path}/triggers/bulk`, triggers)).status).toBe(201);
  return path;
}

const create = (resource: string, edit: Record<string, unknown> = {}) =>
  control().edit({ edits: [{ resource, action: 'create', projectId: client.projectId, ...edit }] }).records[0]!;
const arrived = (count: number) => until(() => endpoint.received.length >= count, `${count} deliveries arrived`);
const quiet = () => until(() => control().outstanding() === 0, 'all was quiet');

describe('bodies', () => {
  test('v2.0: integers beyond 2^53 with a ulid beside them, and the headers of the hook', async () => {
    await hook('v2.0', ['RFIs']);
    const { id } = create('RFIs', { id: '9007199254740993' });
    await arrived(1);
    const { body, headers } = endpoint.received[0]!;
    expect(headers.authorization).toBe('Bearer of-the-hook');
    expect(headers['content-type']).toBe('application/json');
    expect(body).toContain(`"resource_id":${id}`);
    expect(BigInt(/"id":(\d+)/.exec(body)?.[1] ?? 0)).toBeGreaterThan(2n ** 53n);
    expect(JSON.parse(body)).toMatchObject({
      ulid: expect.stringMatching(/^[0-9A-Z]{26}$/),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      company_id: Number(companyId),
      project_id: Number(client.projectId),
      api_version: 'v2.0',
      event_type: 'create',
      resource_name: 'RFIs',
      metadata: { source_operation_id: null, source_application_id: null },
    });
    expect(body).not.toContain('related_resources');
  });

  test('v3.0 names the parent of contract line items, and of nothing else', async () => {
    await hook('v3.0', ['Purchase Order Contract Line Items', 'RFI Replies']);
    const line = create('Purchase Order Contract Line Items');
    create('RFI Replies');
    await arrived(2);
    const related = endpoint.received.map(({ body }) => JSON.parse(body).related_resources);
    expect(related).toContainEqual([{ id: Number(line.parentId), name: 'Purchase Order Contracts' }]);
    expect(related).toContainEqual([]);
  });

  test('v4.0 has strings, an empty project_id for company resources, and reason and resource_type', async () => {
    await hook('v4.0', ['Projects'], onCompany);
    const [project] = [...control().world({ resource: 'Projects' })];
    control().edit({ edits: [{ resource: 'Projects', action: 'update', id: project!.id }] });
    await arrived(1);
    const body: unknown = JSON.parse(endpoint.received[0]!.body);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9A-Z]{26}$/),
      timestamp: expect.any(String),
      reason: 'update',
      company_id: companyId,
      project_id: '',
      user_id: expect.stringMatching(/^\d+$/),
      resource_type: 'Projects',
      resource_id: project!.id,
      payload_version: 'v4.0',
    });
  });
});

describe('what is delivered', () => {
  test('only what the hook has triggers for, in its scope, while it is active', async () => {
    const path = await hook('v4.0', ['RFIs']);
    create('Submittals');
    const elsewhere = [...control().world({ resource: 'Projects' })].find(({ id }) => id !== client.projectId)!;
    create('RFIs', { projectId: elsewhere.id });
    await client.send('PATCH', path, { status: 'disabled' });
    create('RFIs');
    await client.send('PATCH', path, { status: 'active' });
    const { id } = create('RFIs');
    await quiet();
    expect(endpoint.received.map(({ body }) => JSON.parse(body).resource_id)).toEqual([id]);
  });

  test('duplicates come two to five times with one event id, twins with two', async () => {
    await hook('v4.0', ['RFIs']);
    control().change({ duplicateShare: 1 });
    create('RFIs');
    await quiet();
    const ids = () => endpoint.received.map(({ body }) => JSON.parse(body).id as string);
    expect(ids().length).toBeGreaterThanOrEqual(2);
    expect(new Set(ids()).size).toBe(1);
    control().change({ duplicateShare: 0, twinShare: 1 });
    endpoint.received.length = 0;
    create('RFIs');
    await quiet();
    expect(new Set(ids()).size).toBe(2);
  });

  test('lost events never arrive, and the deliveries do not list them', async () => {
    const path = await hook('v4.0', ['RFIs']);
    control().change({ lostShare: 1 });
    create('RFIs');
    await quiet();
    expect(endpoint.received).toEqual([]);
    expect(await client.list(`${path}/deliveries`)).toEqual([]);
    expect(control().deliveries()).toMatchObject({ events: 1, lost: 1, outstanding: 0 });
    expect([...control().events({})]).toMatchObject([{ lost: true, deliveries: [] }]);
  });

  test('deliveries can overtake each other', async () => {
    await hook('v4.0', ['RFIs']);
    control().change({ reorderShare: 0.7, deliveryConcurrency: 1 });
    const made = control().edit({ count: 40, kinds: { create: 1 }, resources: ['RFIs'], projectId: client.projectId });
    await quiet();
    const order = endpoint.received.map(({ body }) => JSON.parse(body).resource_id);
    expect(order).not.toEqual(made.records.map(({ id }) => id));
    expect(order.toSorted()).toEqual(made.records.map(({ id }) => id).toSorted());
  });

  test('a delivery waits for its delay on the simulated clock', async () => {
    await hook('v4.0', ['RFIs']);
    control().change({ deliveryDelayMs: 3_600_000 });
    create('RFIs');
    expect(control().deliveries()).toMatchObject({ outstanding: 1, byStatus: { enqueued: 1 } });
    control().setClock({ advanceMs: 3_600_000 });
    await arrived(1);
  });
});

describe('an endpoint that does not answer 2xx', () => {
  test('pauses all deliveries to it, doubling up to an hour, and delivers everything when it is back', async () => {
    const path = await hook('v4.0', ['RFIs']);
    control().change({ deliveryConcurrency: 1 });
    endpoint.answer(500);
    create('RFIs');
    await arrived(1);
    create('RFIs');
    const [state] = control().deliveries().endpoints;
    const pauses: number[] = [];
    for (let attempt = 1; attempt <= 14; attempt++) {
      await until(
        () => endpoint.received.length === attempt && control().deliveries().endpoints[0]!.inFlight === 0,
        'the attempt',
      );
      const { pausedUntil } = control().deliveries().endpoints[0]!;
      pauses.push(Math.round((Date.parse(pausedUntil!) - control().clock().nowMs) / 1000));
      control().setClock({ advanceMs: Date.parse(pausedUntil!) - control().clock().nowMs });
    }
    expect(state).toMatchObject({ url: endpoint.url });
    expect(pauses.slice(0, 4)).toEqual([1, 2, 4, 8]);
    expect(pauses.at(-1)).toBe(3600);
    expect(await client.list(`${path}/deliveries?filter[status]=failing`)).toHaveLength(1);
    endpoint.answer(200);
    await until(() => {
      control().setClock({ advanceMs: 3_600_000 });
      return control().outstanding() === 0;
    }, 'all was delivered');
    expect(await client.list(`${path}/deliveries?filter[status]=succeeded`)).toHaveLength(2);
  });

  test('loses its queue after twelve hours: discarded, and listed so', async () => {
    const path = await hook('v4.0', ['RFIs']);
    endpoint.answer(400);
    const { id } = create('RFIs');
    await arrived(1);
    create('RFIs');
    await until(() => {
      control().setClock({ advanceMs: 3_600_000 });
      return control().outstanding() === 0;
    }, 'the queue was discarded');
    const rows = await client.list(`${path}/deliveries?filter[status]=discarded`);
    expect(rows).toHaveLength(2);
    expect(rows.at(-1)).toMatchObject({
      status: 'discarded',
      payload: { resource_id: id, reason: 'create' },
      delivery_attempts: expect.arrayContaining([expect.objectContaining({ success: false, response_status: 400 })]),
    });
    endpoint.answer(200);
    const after = create('RFIs');
    await quiet();
    expect(JSON.parse(endpoint.received.at(-1)!.body)).toMatchObject({ resource_id: after.id });
  });

  test('has some seconds to answer, then the delivery is tried again', async () => {
    await hook('v4.0', ['RFIs']);
    control().change({ deliveryTimeoutMs: 50 });
    endpoint.answer('hang');
    create('RFIs');
    await until(() => control().deliveries().byStatus.retrying === 1, 'the delivery timed out');
    endpoint.answer(204);
    control().setClock({ advanceMs: 1000 });
    await quiet();
    const [event] = [...control().events({})];
    expect(event!.deliveries[0]!.attempts).toMatchObject([
      { status: null, error: expect.any(String) },
      { status: 204, error: null },
    ]);
  });

  test('that refuses connections holds up nobody else', async () => {
    await hook('v4.0', ['RFIs'], onProject(), 'http://127.0.0.1:9/nobody');
    await hook('v4.0', ['RFIs']);
    create('RFIs');
    await until(() => control().deliveries().byStatus.delivered === 1, 'the other one was delivered');
    await until(() => control().deliveries().byStatus.retrying === 1, 'the delivery to nobody failed');
    expect(control().outstanding()).toBe(1);
  });

  test('is rid of its deliveries when the hook is deleted', async () => {
    const path = await hook('v4.0', ['RFIs']);
    endpoint.answer(500);
    create('RFIs');
    await until(() => control().deliveries().byStatus.retrying === 1, 'the delivery failed');
    await client.send('DELETE', path);
    expect(control().outstanding()).toBe(0);
  });
});

test('the deliveries can be filtered by resource, event type and date', async () => {
  const path = await hook('v2.0', ['RFIs', 'Submittals']);
  create('RFIs');
  create('Submittals');
  await quiet();
  const count = async (filter: string) => (await client.list(`${path}/deliveries?${filter}`)).length;
  expect(await count('filter[resource_name]=RFIs')).toBe(1);
  expect(await count('filter[event_type]=create')).toBe(2);
  expect(await count('filter[event_type]=delete')).toBe(0);
  expect(await count('filter[start]=2100-01-01')).toBe(0);
  expect(await count('filter[end]=2100-01-01&filter[status]=successful')).toBe(2);
  // Ids beyond 2^53 keep their digits here, too.
  const { text } = await client.get(`${path}/deliveries?filter[resource_name]=RFIs`);
  const sent = /"id":(\d{16,})/.exec(endpoint.received.find(({ body }) => body.includes('RFIs'))?.body ?? '')?.[1];
  expect(text).toContain(`"id":${sent}`);
});

test('the log comes in the order that is set, no further back than is set, and in the version that is set', async () => {
  const path = await hook('v4.0', ['RFIs']);
  for (let count = 0; count < 12; count++) create('RFIs');
  await quiet();
  const ids = async () => (await client.list(`${path}/deliveries?per_page=100`)).map(({ id }) => id);
  expect(await client.list(`${path}/deliveries`)).toHaveLength(10);
  const newestFirst = await ids();
  expect(newestFirst).toEqual(
    [...control().events({ resource: 'RFIs' })]
      .slice(-12)
      .map(({ id }) => id)
      .toReversed(),
  );
  control().change({ deliveryLogOrder: 'oldest first' });
  expect(await ids()).toEqual(newestFirst.toReversed());
  control().change({ deliveryLogOrder: 'none' });
  expect((await ids()).toSorted()).toEqual(newestFirst.toSorted());
  expect(await ids()).not.toEqual(newestFirst);
  control().change({ deliveryLogVersion: 'v2.0', deliveryLogDays: 1 });
  const [row] = await client.list(`${path}/deliveries?filter[status]=succeeded`);
  expect(row).toMatchObject({ status: 'delivered', payload: { ulid: row?.id, event_type: 'create' } });
  control().setClock({ advanceMs: 86_400_000 });
  expect(await ids()).toEqual([]);
});
