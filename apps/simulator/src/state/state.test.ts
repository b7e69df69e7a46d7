import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { companyId, startEndpoint, startSimulator, type TestClient, type TestEndpoint, until } from '../test-client.ts';

let directory: string;
let stateFile: string;
let endpoint: TestEndpoint;
let client: TestClient | undefined;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-simulator-'));
  stateFile = path.join(directory, 'simulator.ndjson');
  endpoint = await startEndpoint();
});

afterEach(async () => {
  await Promise.all([client?.close(), endpoint.close()]);
  client = undefined;
  await rm(directory, { recursive: true });
});

async function startAnew(): Promise<TestClient> {
  await client?.close();
  client = await startSimulator({ stateFile, companies: [{ companyId, projects: 2 }] });
  return client;
}

/** A hook for RFIs in the first project. */
async function hookOn({ send, projectId }: TestClient): Promise<string> {
  const hooks = `/rest/v2.0/companies/${companyId}/projects/${projectId}/webhooks/hooks`;
  const { json } = await send('POST', hooks, {
    ...{ payload_version: 'v4.0', namespace: 'test', destination_url: endpoint.url },
    destination_headers: { Authorization: 'Bearer of-the-hook' },
  });
  const hook = `${hooks}/${(json as { data: { id: string } }).data.id}`;
  await send('POST', `${hook}/triggers/bulk`, [
    { resource_name: 'RFIs', event_type: 'create' },
    { resource_name: 'RFIs', event_type: 'update' },
  ]);
  return hook;
}

const worldOf = ({ simulator }: TestClient) => [...simulator.control.world({})];
const createRfi = ({ simulator, projectId }: TestClient, edit: Record<string, unknown> = {}): string =>
  simulator.control.edit({ edits: [{ resource: 'RFIs', action: 'create', projectId, ...edit }] }).records[0]!.id;

test('after a restart the world is the same: records, deleted and hidden ones, what parents show, who may see what', async () => {
  const first = await startAnew();
  const { control } = first.simulator;
  control.edit({ count: 400, kinds: { create: 3, update: 5, delete: 2, restore: 1, move: 2 } });
  control.edit({ edits: [{ resource: 'RFIs', action: 'create', awkward: true, id: '9007199254740993' }] });
  control.edit({ edits: [{ resource: 'Submittals', action: 'hide' }] });
  control.changeProject(first.projectId, { toolsOff: ['RFIs'] });
  control.setClock({ advanceMs: 86_400_000, speed: 2 });
  const before = worldOf(first);
  const counts = control.counts();
  const second = await startAnew();
  expect(worldOf(second)).toEqual(before);
  expect(second.simulator.control.counts()).toEqual(counts);
  const { nowMs, speed } = second.simulator.control.clock();
  expect([nowMs > Date.now() + 86_000_000, speed]).toEqual([true, 2]);
});

test('a restored record brings back the children that were deleted with it, also after a restart', async () => {
  const first = await startAnew();
  const { id, projectId } = worldOf(first).find(({ resource }) => resource === 'RFIs')!;
  const edit = { resource: 'RFIs', id, projectId: projectId! };
  const before = worldOf(first).filter(({ parentId }) => parentId === id);
  first.simulator.control.edit({ edits: [{ ...edit, action: 'delete' }] });
  const second = await startAnew();
  second.simulator.control.edit({ edits: [{ ...edit, action: 'restore' }] });
  const after = worldOf(second).filter(({ parentId, deleted }) => parentId === id && !deleted);
  expect(after.map((child) => child.id)).toEqual(before.map((child) => child.id));
});

test('hooks go on, what was not delivered is delivered afterwards, and the log of deliveries tells of both', async () => {
  const first = await startAnew();
  const hook = await hookOn(first);
  const delivered = createRfi(first);
  await until(() => endpoint.received.length === 1, 'the first was delivered');
  endpoint.answer(503);
  const late = [createRfi(first), createRfi(first)];
  await until(() => endpoint.received.length > 1, 'the others were tried');
  const asItWas = (await first.get(hook)).json;
  await first.close();
  client = undefined;
  const before = endpoint.received.length;
  endpoint.answer(204);
  const second = await startAnew();
  expect((await second.get(hook)).json).toEqual(asItWas);
  const news = createRfi(second);
  await until(() => second.simulator.control.outstanding() === 0, 'all was delivered');
  const arrived = endpoint.received.slice(before).map(({ body }) => JSON.parse(body).resource_id as string);
  expect(new Set(arrived)).toEqual(new Set([...late, news]));
  expect(endpoint.received.at(-1)?.headers.authorization).toBe('Bearer of-the-hook');
  const log = await second.list(`${hook}/deliveries`);
  expect(log.map(({ payload, status }) => [(payload as { resource_id: string }).resource_id, status])).toEqual([
    ...[news, ...late.toReversed(), delivered].map((id) => [id, 'delivered']),
  ]);
});

test('a delivery that is under way when it ends is made again', async () => {
  const first = await startAnew();
  await hookOn(first);
  endpoint.answer('hang');
  const id = createRfi(first);
  await until(() => endpoint.received.length === 1, 'it was under way');
  endpoint.answer(204);
  const second = await startAnew();
  await until(() => second.simulator.control.outstanding() === 0, 'it was delivered');
  expect(endpoint.received.slice(1).map(({ body }) => JSON.parse(body).resource_id)).toContain(id);
});

test('what Procore would have thrown away meanwhile is thrown away', async () => {
  const first = await startAnew();
  await hookOn(first);
  endpoint.answer(503);
  createRfi(first);
  await until(() => endpoint.received.length === 1, 'it was tried');
  await first.close();
  client = undefined;
  const [head = '', ...lines] = (await readFile(stateFile, 'utf8')).split('\n');
  const { clock, ...rest } = JSON.parse(head);
  const later = { ...rest, clock: { ...clock, aheadMs: clock.aheadMs + 13 * 3_600_000 } };
  await writeFile(stateFile, [JSON.stringify(later), ...lines].join('\n'));
  const second = await startAnew();
  await until(() => second.simulator.control.deliveries().waiting === 0, 'it was thrown away');
  expect(second.simulator.control.deliveries()).toMatchObject({ byStatus: { discarded: 1 } });
});

test('killed without a word, it goes on from what was last written, and gives no id twice', async () => {
  const first = await startAnew();
  const written = path.join(directory, 'written');
  await copyFile(stateFile, written);
  const lost = createRfi(first);
  await first.close();
  client = undefined;
  await copyFile(written, stateFile);
  const second = await startAnew();
  expect(worldOf(second).filter(({ id }) => id === lost)).toEqual([]);
  expect(Number(createRfi(second))).toBeGreaterThan(Number(lost));
});

test('a change is written soon, and the file is readable by its owner only', async () => {
  const first = await startAnew();
  const id = createRfi(first);
  await expect.poll(() => readFile(stateFile, 'utf8'), { timeout: 20_000 }).toContain(id);
  expect((await stat(stateFile)).mode & 0o777).toBe(0o600);
});

test.each([
  [
    'cut off',
    (text: string) => text.slice(0, -200),
    /cannot be used: it is broken; remove it to begin with a new company$/,
  ],
  ['without its last line', (text: string) => text.trimEnd().split('\n').slice(0, -1).join('\n'), /it is broken/],
  ['empty', () => '', /it is broken/],
  ['of another version', (text: string) => text.replace('"version":1', '"version":99'), /it is of version 99/],
  [
    'with an unknown resource',
    (text: string) => text.replace('"resource":"RFIs"', '"resource":"Oddities"'),
    /"Oddities"/,
  ],
])('a file that is %s ends the start, saying what to do', async (_what, spoil, told) => {
  await startAnew();
  await client?.close();
  client = undefined;
  await writeFile(stateFile, spoil(await readFile(stateFile, 'utf8')));
  await expect(startAnew()).rejects.toThrow(told);
});
