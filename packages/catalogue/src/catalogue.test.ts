import { expandPath } from '@procore-mirror/procore';
import { describe, expect, test } from 'vitest';
import { catalogue, createCatalogue } from './catalogue.ts';
import type { CatalogueEntryInput } from './catalogue-entry.ts';
import { isDeprecated } from './deprecated-paths.ts';
import names from './fixtures/resource-names.json' with { type: 'json' };
import { dependentsOf, isListedByParent, parentsOf } from './relatives.ts';
import { tableNameOf } from './table-names.ts';

const unread = catalogue.entries.filter(({ table }) => table === null);

test('every resource that Procore has events of is in the catalogue, under its name, and no other', () => {
  expect(names.length).toBeGreaterThanOrEqual(122); // `pnpm generate` adds new ones and takes none out
  expect(catalogue.entries.map(({ resource }) => resource).toSorted()).toEqual(names);
});

test('few cannot be read, and each says why', () => {
  expect(unread.map(({ resource }) => resource).toSorted()).toEqual([
    'Budget Change Production Quantities',
    'Company Direct Cost Line Items',
    'Daily Log/Entries',
    'Daily Logs',
    'Draw Requests',
    'ERP Requests',
    'Markup Layers',
    'Pdf Download Pages',
    'Site Instructions',
    'ToDos',
  ]);
  for (const entry of unread) expect(entry.unread).toMatch(/no endpoint is known|endpoint is deprecated/);
});

test('what has a parent depends on where that is, whatever ties it there', () => {
  const ties = new Set<string>();
  for (const entry of catalogue.mirrored) {
    for (const parent of parentsOf(catalogue, entry)) {
      const own = dependentsOf(catalogue, parent).filter((dependent) => dependent.entry === entry);
      expect(own, `${entry.resource} of ${parent.resource}`).toHaveLength(1);
      for (const { tie } of own) ties.add(tie);
    }
    for (const { entry: child } of dependentsOf(catalogue, entry)) expect(parentsOf(catalogue, child)).toContain(entry);
  }
  expect(ties).toEqual(new Set(['inside', 'row', 'list']));
  // What comes with its parent's answer is stored with nothing of its own (`store-children.ts`).
  const inside = catalogue.mirrored.filter(({ parent }) => parent !== null && parent.embeddedAs !== null);
  expect(inside.flatMap((entry) => dependentsOf(catalogue, entry))).toEqual([]);
});

test('nothing is read from a path that Procore has deprecated', () => {
  const paths = catalogue.entries.flatMap(({ show, list }) => [show ?? [], list?.path ?? []].flat());
  expect(paths.filter(isDeprecated)).toEqual([]);
  expect(isDeprecated('/rest/v1.0/todos/{id}')).toBe(true);
  expect(isDeprecated('/rest/v1.0/standard_cost_code_lists/{id}')).toBe(false);
});

test('what cannot be read is found without a table, and got by nobody', () => {
  expect(catalogue.find('draw requests')).toMatchObject({ resource: 'Draw Requests', table: null });
  expect(() => catalogue.get('Draw Requests')).toThrow('the catalogue mirrors no resource "Draw Requests"');
  expect(catalogue.entries.filter(({ table }) => table !== null)).toEqual(catalogue.mirrored);
});

describe.each(catalogue.mirrored.map((entry) => [entry.resource, entry] as const))('%s', (_, entry) => {
  const { scope, table, parent } = entry;
  const values = {
    company_id: '1',
    ...(scope === 'project' && { project_id: '2' }),
    ...Object.fromEntries([entry, ...parentsOf(catalogue, entry)].flatMap((one) => keyOf(one))),
  };

  test('has paths that can be filled in', () => {
    if (entry.show !== null) expect(expandPath(entry.show, { ...values, id: '3' })).not.toMatch(/[{}]/);
    if (entry.list !== null) expect(expandPath(entry.list.path, values)).not.toMatch(/[{}]/);
    if (parent !== null && entry.list?.carries === 'whole record') expect(isListedByParent(entry)).toBe(true);
  });

  test('has a table of a sound name', () => {
    expect(table.name).toMatch(/^[a-z][a-z0-9_]{0,53}[a-z0-9]$/);
    const columns = table.columns.map(({ name }) => name);
    expect(new Set(columns).size).toBe(columns.length);
    for (const key of ['id', 'company_id', 'project_id', table.parentKey]) expect(columns).not.toContain(key);
  });

  test('stands behind its parents', () => {
    const order = catalogue.mirrored.map(({ resource }) => resource);
    for (const { resource } of parentsOf(catalogue, entry)) {
      expect(order.indexOf(resource)).toBeLessThan(order.indexOf(entry.resource));
    }
  });
});

function keyOf({ parent, list }: (typeof catalogue.mirrored)[number]): [string, string][] {
  return [parent?.key, list?.under?.key].flatMap((key) => (key === undefined ? [] : [[key, '4'] as [string, string]]));
}

test('names without letters at an end leave no underscore there', () => {
  expect(tableNameOf('Requisitions (Subcontractor Invoices)')).toBe('requisitions_subcontractor_invoices');
  expect(tableNameOf('(Old) Logs / 2')).toBe('old_logs_2');
});

const entry = (change: Partial<CatalogueEntryInput>): CatalogueEntryInput => ({
  resource: 'Crates',
  tool: 'Yard',
  scope: 'project',
  events: ['create'],
  show: '/rest/v1.0/projects/{project_id}/crates/{id}',
  ...change,
});

test.each<[string, Partial<CatalogueEntryInput>, string]>([
  [
    'a path without a known value',
    { show: '/rest/v1.0/yards/{yard_id}/crates/{id}' },
    'show: nothing is known to put in',
  ],
  ['a project in a path of the company', { scope: 'company' }, 'show: nothing is known to put in {project_id}'],
  ['a show without the id', { show: '/rest/v1.0/crates' }, 'show: must hold {id}'],
  ['no way to read it', { show: null }, 'needs a show, a list, a parent.embeddedAs, or says in unread'],
  ['a path where there should be none', { unread: 'why not' }, 'unread: is for resources without show'],
  ['a parent that is not there', { parent: { resource: 'Yards', key: 'yard_id' } }, 'parent.resource: there is no'],
  ['a relative that is not there', { alsoChanges: ['Yards'] }, 'alsoChanges: there is no mirrored resource "Yards"'],
])('an entry with %s is refused', (_, change, problem) => {
  expect(() => createCatalogue([entry(change)])).toThrow(`"Crates": ${problem}`);
});

test('two entries of one name are refused', () => {
  expect(() => createCatalogue([entry({}), entry({ resource: 'crates' })])).toThrow('there are 2 entries of this name');
});
