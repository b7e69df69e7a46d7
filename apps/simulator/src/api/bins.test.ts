// Recycle bins, and lists that are asked for deleted records (docs/procore.md: Deletion).
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type CataloguedResource, catalogue } from '../catalogue.ts';
import { companyId, startSimulator, type TestClient } from '../test-client.ts';

let client: TestClient;
beforeAll(async () => {
  client = await startSimulator();
});
afterAll(() => client.close());
afterEach(() => {
  control().change({ binsKeepMs: null, binsShowLive: false });
  control().faults.clear();
});

const control = () => client.simulator.control;
const edit = (resource: string, action: 'create' | 'delete' | 'restore', own: Record<string, unknown> = {}) =>
  control().edit({ edits: [{ resource, action, ...own }] }).records[0]!;
const pathOf = (template: string, search: Record<string, string> = {}) => {
  const path = template.replace('{company_id}', companyId).replace('{project_id}', client.projectId);
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ per_page: '100', ...search })}`;
};
const ids = async (path: string) => (await client.list(path)).map(({ id }) => String(id));

const deletedSince = (from: string) => ({ 'filters[deleted_at]': `${from}...2100-01-01` });
/** Where the deleted ones of the resource are. */
function binOf({ bin, list }: CataloguedResource, search: Record<string, string> = {}): string {
  const since = bin?.since === 'filters[deleted_at]' ? deletedSince('2000-01-01') : {};
  return pathOf(bin?.path ?? list?.path ?? '', { ...list?.showAll, ...bin?.query, ...since, ...search });
}
function added({ resource, scope }: CataloguedResource): string {
  return edit(resource, 'create', scope === 'project' ? { projectId: client.projectId } : { companyId }).id;
}

const withBin = catalogue.mirrored.filter(({ bin }) => bin !== null).map((entry) => [entry.resource, entry] as const);

test.each(withBin)(
  '%s: what is deleted is in the bin and in no list, until it is restored',
  async (resource, entry) => {
    const [id, live] = [added(entry), added(entry)];
    const list = pathOf(entry.list?.path ?? '', entry.list?.showAll);
    edit(resource, 'delete', { id });
    expect(await ids(binOf(entry))).toContain(id);
    expect(await ids(binOf(entry))).not.toContain(live);
    expect(await ids(list)).not.toContain(id);
    const [item] = (await client.list(binOf(entry))).filter((one) => String(one.id) === id);
    expect(Object.keys(item ?? {}).length).toBeGreaterThan(3);
    edit(resource, 'restore', { id });
    expect(await ids(binOf(entry))).not.toContain(id);
  },
);

test.each(withBin)('%s: an emptied bin shows nothing, and one that misbehaves what is there, too', async (_, entry) => {
  const [id, live] = [added(entry), added(entry)];
  edit(entry.resource, 'delete', { id });
  control().change({ binsKeepMs: 0 });
  expect(await ids(binOf(entry))).toEqual([]);
  control().change({ binsShowLive: true });
  expect(await ids(binOf(entry))).toEqual(expect.arrayContaining([id, live]));
});

test.each(withBin.filter(([, { bin }]) => bin?.since !== null))(
  '%s: the bin can be asked since a time',
  async (_, entry) => {
    const id = added(entry);
    edit(entry.resource, 'delete', { id });
    const since = entry.bin?.since ?? '';
    const now = control().clock().nowMs;
    const range = (from: number) => ({ [since]: `${new Date(from).toISOString()}...2100-01-01T00:00:00Z` });
    expect(await ids(binOf(entry, range(now - 60_000)))).toContain(id);
    expect(await ids(binOf(entry, range(now + 60_000)))).toEqual([]);
  },
);

test('a bin without pages ignores them, and tells no Total', async () => {
  const entry = catalogue.get('Punch Items');
  for (let made = 0; made < 3; made += 1) edit('Punch Items', 'delete', { id: added(entry) });
  const got = await client.get(binOf(entry, { per_page: '1', page: '2' }));
  expect((got.json as unknown[]).length).toBeGreaterThanOrEqual(3);
  expect([got.headers.get('Total'), got.headers.get('Link')]).toEqual([null, null]);
});

test('trouble can be ordered for bins alone', async () => {
  const entry = catalogue.get('RFIs');
  const bins = [entry, catalogue.get('Change Events')];
  control().faults.add({ kind: 'bin', status: 500 });
  for (const one of bins) {
    expect((await client.get(binOf(one))).status).toBe(500);
    expect((await client.get(pathOf(one.list?.path ?? ''))).status).toBe(200);
  }
});
