import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { catalogue } from './catalogue.ts';
import { CatalogueError } from './errors.ts';
import { loadCatalogue } from './load-catalogue.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'procore-mirror-catalogue-'));
});
afterAll(() => rm(directory, { recursive: true }));

let files = 0;
async function load(content: unknown) {
  files += 1;
  const file = path.join(directory, `${files}.json`);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return loadCatalogue(file);
}

async function problemsOf(content: unknown): Promise<readonly string[]> {
  const error: unknown = await load(content).catch((thrown: unknown) => thrown);
  if (!(error instanceof CatalogueError)) throw error;
  return error.problems.map((problem) => problem.slice(directory.length + 1).replace(/^\d+\.json:? /, ''));
}

const crates = {
  resource: 'Crates',
  scope: 'project',
  show: '/rest/v1.0/projects/{project_id}/crates/{id}',
  columns: [
    { name: 'id', type: 'bigint' },
    { name: 'weight', type: 'numeric', note: 'in pounds' },
  ],
};

test('without a file there are our resources', () => {
  expect(loadCatalogue(undefined)).toBe(catalogue);
});

test('a resource is added, with its table', async () => {
  const loaded = await load([crates]);
  expect(loaded.get('crates')).toMatchObject({
    tool: 'Added',
    events: ['create', 'update', 'delete'],
    table: { name: 'crates', isUsers: true, columns: [{ name: 'weight', type: 'numeric', note: 'in pounds' }] },
  });
  expect(loaded.mirrored).toHaveLength(catalogue.mirrored.length + 1);
  expect(loaded.get('RFIs').table.isUsers).toBeUndefined();
});

test('a list that is given anew at our path hides what ours hides, and has its further lists, unless it says otherwise', async () => {
  const { list: users } = catalogue.get('Company Users');
  const { list: projects } = catalogue.get('Projects');
  const anew = (list: typeof users, more = {}) => ({ path: list?.path, carries: 'part of the record', ...more });
  const loaded = await load([
    { resource: 'Company Users', list: anew(users) },
    { resource: 'Projects', list: anew(projects) },
    { resource: 'Project Users', list: anew(catalogue.get('Project Users').list, { hides: null, also: [] }) },
    { resource: 'Locations', list: { path: '/rest/v1.0/projects/{project_id}/places', carries: 'whole record' } },
  ]);
  expect(users?.also).not.toEqual([]);
  expect(loaded.get('Company Users').list).toMatchObject({ also: users?.also, hides: users?.hides });
  expect(projects?.hides).not.toBeNull();
  expect(loaded.get('Projects').list).toMatchObject({ hides: projects?.hides });
  expect(loaded.get('Project Users').list).toMatchObject({ also: [], hides: null });
  expect(loaded.get('Locations').list).toMatchObject({ also: [], hides: null });
});

test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
  'a resource may be called %s',
  async (resource) => {
    const loaded = await load([{ ...crates, resource, columns: undefined }]);
    expect(loaded.get(resource).table.columns).toEqual([]);
  },
);

test('columns that are there twice, or are keys of another type, are named', async () => {
  const columns = [
    { name: 'weight', type: 'numeric' },
    { name: 'weight', type: 'text' },
    { name: 'constructor', type: 'text' },
    { name: 'project_id', type: 'text' },
  ];
  expect(await problemsOf([{ ...crates, columns }])).toEqual([
    '"Crates": columns: "weight" is there more than once',
    '"Crates": columns: "project_id" is a key of the table, and bigint there',
  ]);
});

test.each([
  ['Budget Rows', 'budget_rows'],
  ['custom-field-values', 'custom_field_values'],
  ['COMMITMENTS', 'commitments'],
  ['__Files__', 'files'],
])('a resource %s is refused: its table would have the name of a view of ours', async (resource, name) => {
  expect(await problemsOf([{ ...crates, resource }])).toEqual([
    `"${resource}": its table would be procore.${name}, which is a view of the mirror's own`,
  ]);
});

test.each([
  ['RFIs Project', 'rfis_project', 'rfis'],
  ['Crates/Pkey', 'crates_pkey', 'crates'],
  ['Meeting Topics Parent', 'meeting_topics_parent', 'meeting_topics'],
])('a resource %s is refused: its table would have the name of an index', async (resource, name, table) => {
  expect(await problemsOf([crates, { ...crates, resource }])).toEqual([
    `"${resource}": its table would be procore.${name}, which is an index of procore.${table}`,
  ]);
});

test('a resource that is named like a view and not read has no table, and is fine', async () => {
  const unread = { resource: 'Commitments', scope: 'project', unread: 'no endpoint is known' };
  expect((await load([unread])).find('commitments')).toMatchObject({ ...unread, table: null });
});

test.each([
  ...['_data', '_complete', '_deleted_at', '_hidden_at', '_fetched_at', '_version', '_event_id'],
  ...['_hash', '_changed_at', '_changed_version', '_key', '_anything'],
])("a column %s is refused: it is the mirror's own", async (name) => {
  expect(await problemsOf([{ ...crates, columns: [{ name, type: 'text' }] }])).toEqual([
    `"Crates": columns.0.name: must not begin with _: such columns are the mirror's own`,
  ]);
});

test.each(['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid'])(
  'a column %s is refused: Postgres has one of that name in every table',
  async (name) => {
    expect(await problemsOf([{ ...crates, columns: [{ name, type: 'text' }] }])).toEqual([
      `"Crates": columns: "${name}" is a column that Postgres gives every table; the field is in _data`,
    ]);
  },
);

test.each<[string, object, string]>([
  ['id', {}, 'bigint'],
  ['id', { idType: 'text' }, 'text'],
  ['company_id', {}, 'bigint'],
  ['rfi_id', { parent: { resource: 'RFIs', key: 'rfi_id' } }, 'bigint'],
  ['rfi_id', { parent: { resource: 'RFIs', key: 'rfi_id' }, idType: 'text' }, 'text'],
])('the key %s of %j is refused as a column of another type than %s', async (name, change, type) => {
  const withColumn = (columnType: string) => [{ ...crates, ...change, columns: [{ name, type: columnType }] }];
  expect(await problemsOf(withColumn('numeric'))).toEqual([
    `"Crates": columns: "${name}" is a key of the table, and ${type} there`,
  ]);
  expect((await load(withColumn(type))).get('Crates').table.columns).toEqual([]);
});

test('columns of any other name are there, each once, whatever JavaScript or SQL make of the name', async () => {
  const names = ['constructor', 'prototype', 'valueof', 'select', 'order', 'user', 'default', 'table', 'null', 'value'];
  const columns = names.map((name) => ({ name, type: 'text' }));
  expect((await load([{ ...crates, columns }])).get('Crates').table.columns).toEqual(columns);
  const doubled = [...columns, ...columns.slice(0, 3), ...columns.slice(0, 1)];
  expect(await problemsOf([{ ...crates, columns: doubled }])).toEqual(
    names.slice(0, 3).map((name) => `"Crates": columns: "${name}" is there more than once`),
  );
});

test('nothing in the file may be called __proto__', async () => {
  const file = JSON.stringify([{ ...crates, list: { path: '/rest/v1.0/crates', FIELD: { shared: true } } }]);
  expect(await problemsOf(file.replace('FIELD', '__proto__'))).toEqual(['no field is called "__proto__"']);
});

test.each(['constructor', 'toString', 'hasOwnProperty'])('%s is no field of an entry', async (field) => {
  const entry = JSON.stringify({ ...crates, FIELD: { unread: 'x' } }).replace('FIELD', field);
  expect(await problemsOf(`[${entry}]`)).toEqual([`"Crates": Unrecognized key: "${field}"`]);
  const column = JSON.stringify({ ...crates, columns: [{ name: 'weight', type: 'text', FIELD: {} }] });
  expect(await problemsOf(`[${column.replace('FIELD', field)}]`)).toEqual([
    `"Crates": columns.0: Unrecognized key: "${field}"`,
  ]);
});

test('what an entry leaves out keeps the value of ours', async () => {
  const loaded = await load([{ resource: 'rfis', list: null }]);
  expect(loaded.get('RFIs')).toMatchObject({ ...catalogue.get('RFIs'), list: null, table: { isUsers: true } });
});

test('a bin and a window are said in the file, and what our list answers says nothing of another one', async () => {
  const path = '/rest/v1.1/projects/{project_id}/change_events';
  const list = { path, carries: 'whole record', filterByUpdate: true };
  const [events, rfis] = ['Change Events', 'RFIs'].map((resource) => ({ resource, list }));
  expect((await load([events])).get('Change Events')).toMatchObject({ list: { filterByUpdate: true }, bin: null });
  expect((await load([rfis])).get('RFIs').bin).toEqual(catalogue.get('RFIs').bin);
  const bin = { path: '/rest/v1.0/projects/{project_id}/recycle_bin/crates', since: 'filters[updated_at]' };
  expect((await load([{ ...crates, bin }])).get('Crates').bin).toEqual({ ...bin, query: {}, hasPages: true });
  expect(await problemsOf([{ ...crates, bin: { path: `${path}/{crate_id}` } }])).toEqual([
    '"Crates": bin.path: nothing is known to put in {crate_id}; there are {company_id}, {project_id}',
  ]);
  expect(await problemsOf([{ ...crates, bin: { hasPages: false } }])).toEqual([
    '"Crates": bin: needs a path, or a query that makes the list show what was deleted',
  ]);
  expect(await problemsOf([{ ...crates, list: { ...list, todayOnly: true } }])).toContain(
    '"Crates": list.filterByUpdate: a list of some days is asked for days',
  );
});

test('keys that 0.2.0 called otherwise are read, and told', async () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const list = { path: '/rest/v1.0/projects/{project_id}/crates', carries: 'whole record' };
  const loaded = await load([{ ...crates, showEnvelopes: ['data'], list: { ...list, envelopes: ['none', 'data'] } }]);
  expect(loaded.get('Crates')).toMatchObject({ showWrappers: ['data'], list: { wrappers: ['none', 'data'] } });
  expect(warn.mock.calls.map(([text]) => String(text).replace(/^.*?: /, ''))).toEqual([
    '"Crates": showEnvelopes is called showWrappers now, and the next version reads only that',
    '"Crates": list: envelopes is called wrappers now, and the next version reads only that',
  ]);
  expect(await problemsOf([{ ...crates, showEnvelopes: ['data'], showWrappers: ['data'] }])).toEqual([
    '"Crates": Unrecognized key: "showEnvelopes"',
  ]);
  warn.mockRestore();
});

test('a path makes a resource that we cannot read one that is read', async () => {
  const show = '/rest/v1.0/projects/{project_id}/instructions/{id}';
  const loaded = await load([{ resource: 'Site Instructions', show }]);
  expect(loaded.get('Site Instructions')).toMatchObject({ show, tool: 'Instructions', unread: null });
  expect(loaded.entries.filter(({ resource }) => resource === 'Site Instructions')).toHaveLength(1);
});

test('a resource that has fields but no events of its own gets its known columns', async () => {
  const show = '/rest/v1.0/projects/{project_id}/drawing_revisions/{id}';
  const loaded = await load([{ resource: 'Drawing Revisions', scope: 'project', events: [], show }]);
  expect(loaded.get('Drawing Revisions').table.columns.length).toBeGreaterThan(20);
});

test('children stand behind parents, in whichever order the file has them', async () => {
  const slats = {
    resource: 'Slats',
    scope: 'project',
    list: { path: '/rest/v1.0/projects/{project_id}/crates/{crate_id}/slats', carries: 'whole record' },
    parent: { resource: 'Crates', key: 'crate_id' },
  };
  const names = (await load([slats, crates])).mirrored.map(({ resource }) => resource);
  expect(names.indexOf('Slats')).toBeGreaterThan(names.indexOf('Crates'));
});

test('every problem is told at once, with its entry and field', async () => {
  const problems = await problemsOf([
    { ...crates, show: 'https://elsewhere.example.com/{id}' },
    { resource: 'Barrels', scope: 'yard', list: { path: '/rest/v1.0/barrels', carries: 'most' }, colour: 'red' },
    { resource: 'RFIs', columns: [{ name: 'drop table', type: 'money' }] },
    { resource: 'rfis' },
  ]);
  expect(problems).toEqual([
    '"RFIs": is there more than once',
    '"Crates": show: must start with /rest/v<major>.<minor>/ and hold no blanks',
    expect.stringContaining('"Barrels": scope: '),
    expect.stringContaining('"Barrels": list.carries: '),
    expect.stringContaining('"Barrels": Unrecognized key: "colour"'),
    '"RFIs": columns.0.name: must be a field of Procore: a-z, 0-9 and _',
    expect.stringContaining('"RFIs": columns.0.type: '),
  ]);
});

test('entries that do not fit each other are told', async () => {
  expect(await problemsOf([{ ...crates, parent: { resource: 'Yards', key: 'yard_id' } }])).toEqual([
    '"Crates": parent.resource: there is no mirrored resource "Yards"',
  ]);
});

test.each<[string, object, string]>([
  ['names nothing that is known', { show: '/rest/v1.0/crates/{crate}' }, 'show: nothing is known to put in {crate}; '],
  ['lacks the id', { show: '/rest/v1.0/projects/{project_id}/crates' }, 'show: must hold {id}'],
  ['is another host', { show: 'https://api.procore.com/rest/v1.0/crates/{id}' }, 'show: must start with /rest/'],
  [
    'of a list asks for an id',
    { list: { path: '/rest/v1.0/crates/{id}', carries: 'whole record' } },
    'list.path: nothing is known to put in {id}; ',
  ],
  [
    'of a list of parts has no show beside it',
    { show: null, list: { path: '/rest/v1.0/crates', carries: 'part of the record' } },
    'list.carries: what is "part of the record" needs a show for the rest',
  ],
  [
    'of a list by date has no show beside it',
    { show: null, list: { path: '/rest/v1.0/crates', carries: 'whole record', todayOnly: true } },
    'list.todayOnly: needs a show, for records whose day nobody knows',
  ],
])('a path that %s is told with its entry and field', async (_, change, problem) => {
  const problems = await problemsOf([{ ...crates, ...change }]);
  expect(problems).toContainEqual(expect.stringContaining(`"Crates": ${problem}`));
});

test.each<[string, unknown, string]>([
  ['is no JSON', '[{', 'is no JSON: '],
  ['holds no list', { resource: 'Crates' }, 'must hold a list of entries'],
  ['has an entry without a name', [{ scope: 'project' }], 'entry 1: resource: '],
])('a file that %s is refused', async (_, content, problem) => {
  expect(await problemsOf(content)).toEqual([expect.stringContaining(problem)]);
});

test('a file that is not there is refused', () => {
  expect(() => loadCatalogue(path.join(directory, 'none.json'))).toThrow('cannot be read (ENOENT)');
});
