import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CataloguedResource, catalogue, parentKeyOf, parentsOf } from '../catalogue.ts';
import { companyId, startSimulator, type TestClient } from '../test-client.ts';
import { isInData } from './show-record.ts';

let client: TestClient;
beforeAll(async () => {
  client = await startSimulator();
});
afterAll(() => client.close());

const control = () => client.simulator.control;
const rfis = (search = '') => `/rest/v1.0/projects/${client.projectId}/rfis${search}`;
const worldOf = (resource: string) => [...control().world({ resource, projectId: client.projectId })];
const create = (resource: string, edit: Record<string, unknown> = {}) =>
  control().edit({ edits: [{ resource, action: 'create', projectId: client.projectId, ...edit }] }).records[0]!;

type Key = { id: string; projectId: string | null; parentId: string | null };

/** The ids of the record's parent, and of that one's, by the name that paths give them. */
function parentIds(entry: CataloguedResource, { parentId }: Key): Record<string, string> {
  const key = parentKeyOf(entry);
  if (key === undefined || parentId === null) return {};
  const found = parentsOf(entry).flatMap((parent) =>
    [...control().world({ resource: parent.resource, id: parentId })].map((record) => parentIds(parent, record)),
  );
  return { ...found[0], [key]: parentId };
}

/** The path of the template for this record, its parents' ids included. */
function pathFor(template: string, record: Key, entry: CataloguedResource) {
  const own = { company_id: companyId, project_id: record.projectId ?? '', id: record.id };
  const values: Record<string, string> = { ...own, ...parentIds(entry, record) };
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
}

describe('every catalogued resource', () => {
  const withShow = catalogue.mirrored.filter(({ show }) => show !== null);
  test.each(withShow.map((entry) => [entry.resource, entry] as const))(
    '%s: show answers what the oracle holds',
    async (resource, entry) => {
      const [record] = control().world({ resource });
      const shown = await client.get(pathFor(entry.show ?? '', record!, entry));
      expect(shown.status).toBe(200);
      const whole: unknown = JSON.parse(record!.text);
      expect(shown.json).toEqual(isInData(entry.show ?? '', entry) ? { data: whole } : whole);
    },
  );

  const withList = catalogue.mirrored.filter(({ list }) => list !== null);
  test.each(withList.map((entry) => [entry.resource, entry] as const))(
    '%s: the list holds its records',
    async (resource, entry) => {
      const [record] = control().world({ resource });
      const path = pathFor(entry.list?.path ?? '', record!, entry);
      const wide = `${path}${path.includes('?') ? '&' : '?'}per_page=100&start_date=2000-01-01&end_date=2100-01-01&filters[status]=all`;
      const listed = await client.list(wide);
      const item = listed.find(({ id }) => String(id) === record!.id);
      expect(item).toBeDefined();
      const whole: unknown = JSON.parse(record!.text);
      if (entry.list?.carries === 'whole record') expect(item).toEqual(whole);
      else expect(Object.keys(item!).length).toBeLessThan(Object.keys(whole as object).length + 3);
    },
  );

  test('required query parameters are required', async () => {
    expect((await client.get('/rest/v1.1/punch_items')).status).toBe(400);
  });
});

describe('who may see what', () => {
  test('a call without the company header is a plain 404', async () => {
    expect((await client.get(rfis(), { 'Procore-Company-Id': undefined })).status).toBe(404);
  });

  test('a call without a token, or with one that is no good, is a 401', async () => {
    expect((await client.get(rfis(), { Authorization: undefined })).status).toBe(401);
    expect((await client.get(rfis(), { Authorization: 'Bearer nonsense' })).status).toBe(401);
  });

  test('a path that names another company than the header is a 404', async () => {
    expect((await client.get('/rest/v1.0/companies/1/trades')).status).toBe(404);
  });

  test('what is not there is a 404', async () => {
    expect((await client.get(`${rfis()}/1`)).status).toBe(404);
    expect((await client.get('/rest/v1.0/projects/1/rfis')).status).toBe(404);
    expect((await client.get('/rest/v1.0/nothing/of/the/kind')).status).toBe(404);
  });

  test('a tool that is off in the project is a 403, for shows and lists', async () => {
    const [record] = worldOf('RFIs');
    control().changeProject(client.projectId, { toolsOff: ['RFIs'] });
    expect((await client.get(rfis())).status).toBe(403);
    expect((await client.get(`${rfis()}/${record!.id}`)).status).toBe(403);
    expect((await client.get(`/rest/v1.1/projects/${client.projectId}/submittals`)).status).toBe(200);
    expect(worldOf('RFIs')[0]).toMatchObject({ visible: false });
    control().changeProject(client.projectId, { toolsOff: [] });
    expect((await client.get(rfis())).status).toBe(200);
  });

  test('a project where the service account is not permitted is a 403 and is not listed', async () => {
    const projects = `/rest/v1.1/projects?company_id=${companyId}`;
    control().changeProject(client.projectId, { permitted: false });
    expect((await client.get(rfis())).status).toBe(403);
    expect((await client.get(`/rest/v1.0/projects/${client.projectId}?company_id=${companyId}`)).status).toBe(403);
    expect((await client.list(projects)).map(({ id }) => String(id))).not.toContain(client.projectId);
    control().changeProject(client.projectId, { permitted: true });
    expect((await client.list(projects)).map(({ id }) => String(id))).toContain(client.projectId);
  });

  test('a hidden record is a 404 and not listed, and comes back when it is revealed', async () => {
    const { id } = create('RFIs');
    control().edit({ edits: [{ resource: 'RFIs', action: 'hide', id }] });
    expect((await client.get(`${rfis()}/${id}`)).status).toBe(404);
    expect((await client.list(rfis())).map((item) => String(item.id))).not.toContain(id);
    expect([...control().world({ resource: 'RFIs', id })]).toMatchObject([{ deleted: false, visible: false }]);
    control().edit({ edits: [{ resource: 'RFIs', action: 'reveal', id }] });
    expect((await client.get(`${rfis()}/${id}`)).status).toBe(200);
  });
});

describe('lists', () => {
  test('pages have Link, Total and Per-Page, and following the links gives every record once', async () => {
    const seen: string[] = [];
    let path: string | undefined = rfis('?per_page=5');
    while (path !== undefined) {
      const page = await client.get(path);
      expect(page.headers.get('per-page')).toBe('5');
      expect(page.headers.get('total')).toBe(String(worldOf('RFIs').length));
      seen.push(...(page.json as { id: number }[]).map(({ id }) => String(id)));
      path = /<([^>]+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]?.slice(client.simulator.url.length);
    }
    expect(seen.toSorted()).toEqual(
      worldOf('RFIs')
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  test('more than the most gives the most: 2,000 in v1, 300 projects, 100 in v2; 100 and 10 by default', async () => {
    const perPage = async (path: string) => (await client.get(path)).headers.get('per-page');
    const reasons = `/rest/v2.0/companies/${companyId}/change_order_change_reasons`;
    expect(await perPage(rfis('?per_page=9999'))).toBe('2000');
    expect(await perPage(rfis())).toBe('100');
    expect(await perPage(`/rest/v1.1/projects?company_id=${companyId}&per_page=9999`)).toBe('300');
    expect(await perPage(`${reasons}?per_page=9999`)).toBe('100');
    expect(await perPage(reasons)).toBe('10');
  });

  test('v2 answers stand in data and have string ids', async () => {
    const { json } = await client.get(`/rest/v2.0/companies/${companyId}/change_order_change_reasons`);
    const { data } = json as { data: unknown[] };
    expect(data.length).toBeGreaterThan(0);
    for (const row of data)
      expect(row).toMatchObject({ id: expect.stringMatching(/^\d+$/), change_reason: expect.any(String) });
  });

  test('the RFI list lacks what Procore leaves out of it', async () => {
    const [item] = await client.list(rfis());
    for (const key of ['accepted', 'ball_in_court_role', 'distribution_list', 'draft', 'specification_section']) {
      expect(item).not.toHaveProperty(key);
    }
    expect(JSON.stringify(item!.questions)).not.toContain('answers');
  });

  test('ids can be asked for in the spelling of the entry; other spellings and filters are ignored', async () => {
    const [first, second] = worldOf('RFIs');
    const ids = async (search: string, path = rfis()) =>
      (await client.list(`${path}?${search}`)).map(({ id }) => String(id));
    expect(await ids(`filters[id][]=${first!.id}&filters[id][]=${second!.id}`)).toEqual([first!.id, second!.id]);
    expect(await ids(`filters%5Bid%5D%5B%5D=${first!.id}`)).toEqual([first!.id]);
    expect(await ids(`filters[id]=${first!.id}`)).toEqual([first!.id]);
    expect((await ids(`filters[id]=[${first!.id}]`)).length).toBe(worldOf('RFIs').length);
    expect((await ids('filters[colour]=red')).length).toBe(worldOf('RFIs').length);
    const areas = `/rest/v1.1/projects/${client.projectId}/drawing_areas`;
    const [area] = worldOf('Drawing Areas');
    expect(await ids(`filters[id]=[${area!.id}]`, areas)).toEqual([area!.id]);
    expect((await ids(`filters[id][]=${area!.id}`, areas)).length).toBe(worldOf('Drawing Areas').length);
  });

  test('filters[updated_at] takes a range, quoted or not, and is ignored where the list has none', async () => {
    const { id } = create('RFIs');
    const now = control().clock().nowMs;
    const range = (from: number, to: number) =>
      `${new Date(now + from).toISOString()}...${new Date(now + to).toISOString()}`;
    const ids = async (asked: string) =>
      (await client.list(rfis(`?filters[updated_at]=${asked}`))).map((item) => String(item.id));
    expect(await ids(range(-60_000, 60_000))).toContain(id);
    expect(await ids(`"${range(-60_000, 60_000)}"`)).toContain(id);
    expect(await ids(range(60_000, 120_000))).toEqual([]);
    const areas = await client.list(
      `/rest/v1.1/projects/${client.projectId}/drawing_areas?filters[updated_at]=${range(60_000, 120_000)}`,
    );
    expect(areas.length).toBe(worldOf('Drawing Areas').length);
  });

  test('daily logs are today’s, approved, unless asked otherwise', async () => {
    const path = `/rest/v1.0/projects/${client.projectId}/manpower_logs`;
    const today = new Date(control().clock().nowMs).toISOString().slice(0, 10);
    const add = (fields: Record<string, unknown>) => create('Manpower Logs', { fields }).id;
    const now = add({ date: today, status: 'approved' });
    const pending = add({ date: today, status: 'pending' });
    const old = add({ date: '2020-02-29', status: 'approved' });
    const ids = async (search = '') => (await client.list(path + search)).map((item) => String(item.id));
    expect(await ids()).toContain(now);
    expect(await ids()).not.toContain(pending);
    expect(await ids('?filters[status]=all')).toEqual(expect.arrayContaining([now, pending]));
    expect(await ids()).not.toContain(old);
    expect(await ids('?log_date=2020-02-29')).toEqual([old]);
    expect(await ids('?start_date=2020-02-01&end_date=2020-03-01')).toEqual([old]);
  });

  test('inactive projects, users and vendors are left out, and listed elsewhere', async () => {
    const [user] = control().world({ resource: 'Company Users' });
    control().edit({
      edits: [{ resource: 'Company Users', action: 'update', id: user!.id, fields: { is_active: false } }],
    });
    const ids = async (path: string) => (await client.list(path)).map((item) => String(item.id));
    const users = `/rest/v1.3/companies/${companyId}/users`;
    expect(await ids(users)).not.toContain(user!.id);
    expect(await ids(`/rest/v1.0/companies/${companyId}/users/inactive`)).toEqual([user!.id]);
    expect((await client.get(`${users}/${user!.id}`)).status).toBe(200);
    const { id } = create('Projects', { fields: { active: false } });
    const projects = `/rest/v1.1/projects?company_id=${companyId}`;
    expect(await ids(projects)).not.toContain(id);
    expect(await ids(`${projects}&filters[by_status]=All`)).toContain(id);
    expect(await ids(`${projects}&filters[by_status]=Inactive`)).toEqual([id]);
  });

  test('deleted commitments can be listed', async () => {
    const path = `/rest/v1.0/purchase_order_contracts?project_id=${client.projectId}`;
    const { id } = create('Purchase Order Contracts');
    control().edit({ edits: [{ resource: 'Purchase Order Contracts', action: 'delete', id }] });
    const ids = async (search = '') => (await client.list(path + search)).map((item) => String(item.id));
    expect(await ids()).not.toContain(id);
    expect(await ids('&filters[include_deleted]=only')).toEqual([id]);
    expect(await ids('&filters[include_deleted]=with')).toContain(id);
  });

  test('keys come in another order from one answer to the next', async () => {
    const [record] = worldOf('RFIs');
    const texts = new Set<string>();
    for (let each = 0; each < 3; each++) texts.add((await client.get(`${rfis()}/${record!.id}`)).text);
    expect(texts.size).toBe(3);
  });
});

describe('parents and children', () => {
  test('an RFI shows its replies under its question', async () => {
    const { id } = create('RFIs');
    const reply = create('RFI Replies', { parentId: id });
    const shown = (await client.get(`${rfis()}/${id}`)).json as { questions: { answers: unknown[] }[] };
    const own = await client.get(`${rfis()}/${id}/replies/${reply.id}`);
    expect(shown.questions[0]!.answers).toEqual([own.json]);
    expect(await client.list(`${rfis()}/${id}/replies`)).toEqual([own.json]);
  });

  test('a purchase order shows its line items, its list item does not', async () => {
    const { id } = create('Purchase Order Contracts');
    const line = create('Purchase Order Contract Line Items', { parentId: id });
    const path = '/rest/v1.0/purchase_order_contracts';
    const shown = (await client.get(`${path}/${id}?project_id=${client.projectId}`)).json;
    const own = (await client.get(`${path}/${id}/line_items/${line.id}?project_id=${client.projectId}`)).json;
    expect(shown).toMatchObject({ line_items: [own] });
    const [item] = await client.list(`${path}?project_id=${client.projectId}&filters[id][]=${id}`);
    expect(item).not.toHaveProperty('line_items');
  });

  test('change event line items live in their change event, in show and list', async () => {
    const { id } = create('Change Events');
    const line = create('Change Event Line Items', { parentId: id });
    const [inWorld] = control().world({ resource: 'Change Event Line Items', id: line.id });
    const items = [JSON.parse(inWorld!.text)];
    expect((await client.get(`/rest/v1.1/change_events/${id}?project_id=${client.projectId}`)).json).toMatchObject({
      change_items: items,
    });
    const listed = await client.list(`/rest/v1.1/change_events?project_id=${client.projectId}`);
    expect(listed.find((item) => String(item.id) === id)).toMatchObject({ change_items: items });
  });

  test('a child is not found under another parent, nor under a deleted one', async () => {
    const [one, two] = [create('RFIs'), create('RFIs')];
    const reply = create('RFI Replies', { parentId: one.id });
    expect((await client.get(`${rfis()}/${two.id}/replies/${reply.id}`)).status).toBe(404);
    control().edit({ edits: [{ resource: 'RFIs', action: 'delete', id: one.id }] });
    expect((await client.get(`${rfis()}/${one.id}/replies/${reply.id}`)).status).toBe(404);
    expect((await client.get(`${rfis()}/${one.id}/replies`)).status).toBe(404);
  });

  test('drawings hang on drawing areas', async () => {
    const area = create('Drawing Areas');
    const drawing = create('Drawings', { parentId: area.id });
    const listed = await client.list(`/rest/v1.1/drawing_areas/${area.id}/drawings`);
    expect(listed.map((item) => String(item.id))).toEqual([drawing.id]);
  });

  test('a person has one id in several projects', async () => {
    const [user] = [...control().world({ resource: 'Project Users' })];
    const others = [...control().world({ resource: 'Project Users', id: user!.id })];
    const projects = [...control().world({ resource: 'Projects' })].filter(
      ({ id }) => !others.some(({ projectId }) => projectId === id),
    );
    control().edit({
      edits: [{ resource: 'Project Users', action: 'create', id: user!.id, projectId: projects[0]!.id }],
    });
    for (const projectId of [user!.projectId, projects[0]!.id]) {
      expect((await client.get(`/rest/v1.0/projects/${projectId}/users/${user!.id}`)).status).toBe(200);
    }
  });
});

describe('values that break careless readers', () => {
  test('ids beyond 2^53 and long decimals keep every digit', async () => {
    const id = '9007199254740993';
    const raw = '{"due_date": null, "custom": 123456789012345678901234567890.123, "tiny": 1e-400, "zero": 1.0}';
    create('RFIs', { id, raw });
    const { text } = await client.get(`${rfis()}/${id}`);
    expect(text).toContain(`"id":${id}`);
    expect(text).toContain('"custom":123456789012345678901234567890.123');
    expect(text).toContain('"tiny":1e-400');
    expect(text).toContain('"zero":1.0');
    expect([...control().world({ resource: 'RFIs', id })][0]!.text).toContain(`"id":${id}`);
    expect((await client.get(rfis(`?filters[id][]=${id}`))).text).toContain(`"id":${id}`);
  });

  test('strings keep \\u0000, emoji and lone surrogates; keys nobody knows are kept; keys can be removed', async () => {
    const subject = 'a\u0000b 👷🏽‍♀️ \ud800';
    const { id } = create('RFIs', { fields: { subject, brand_new: [1] }, remove: ['status'] });
    const shown = await client.get(`${rfis()}/${id}`);
    expect(shown.json).toMatchObject({ subject, brand_new: [1] });
    expect(shown.json).not.toHaveProperty('status');
  });

  test('awkward edits write such values everywhere, and the API answers them as JSON', async () => {
    const resources = catalogue.mirrored.filter(({ scope }) => scope === 'project').map(({ resource }) => resource);
    for (const resource of resources.filter((name) => name !== 'Project Users')) {
      create(resource, { awkward: true });
    }
    const texts = [...control().world({})].map(({ text }) => text);
    expect(texts.join('')).toContain('\\u0000');
    expect(texts.join('')).toContain('9007199254740993');
    for (const text of texts) expect(() => JSON.parse(text)).not.toThrow();
    expect((await client.get(rfis())).json).toBeInstanceOf(Array);
  });
});
