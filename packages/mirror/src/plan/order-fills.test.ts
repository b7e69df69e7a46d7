import { catalogue, parentsOf } from '@procore-mirror/catalogue';
import { expect, test } from 'vitest';
import { orderFills } from './order-fills.ts';

const order = orderFills(catalogue);
const listed = catalogue.mirrored.filter(({ list }) => list !== null);
const at = (resource: string) => order.get(resource) ?? Number.NaN;

test('each resource with a list has a position of its own', () => {
  expect(order.size).toBe(listed.length);
  expect(new Set(order.values()).size).toBe(listed.length);
});

test('companies come before projects, parents before their children', () => {
  const ofCompanies = listed.filter(({ scope }) => scope === 'company').map(({ resource }) => at(resource));
  const ofProjects = listed.filter(({ scope }) => scope === 'project').map(({ resource }) => at(resource));
  expect(Math.max(...ofCompanies)).toBeLessThan(Math.min(...ofProjects));
  for (const child of listed)
    for (const { resource, list, scope } of parentsOf(catalogue, child))
      if (list !== null && scope === child.scope) expect(at(resource)).toBeLessThan(at(child.resource));
});

test('whole lists come before those that carry a part, unless they are children of such', () => {
  expect(at('Locations')).toBeLessThan(at('RFIs'));
  expect(at('RFI Replies')).toBeGreaterThan(at('RFIs'));
});
