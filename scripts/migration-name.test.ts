import { expect, test } from 'vitest';
import { changedTables, migrationName } from './migration-name.ts';

const aTable = (schema: string, name: string, ...columns: string[]) => ({
  [`${schema}.${name}`]: { schema, name, columns },
});
const before = { id: 'a', prevId: '0', tables: { ...aTable('procore', 'rfis', 'id'), ...aTable('mirror', 'turns') } };
const nameOf = (tables: object) => {
  const changed = changedTables(before, { ...before, id: 'b', prevId: 'a', tables: { ...before.tables, ...tables } });
  return changed === null ? 'nothing' : migrationName(changed);
};

test.each<[string, object, string | null]>([
  ['nothing', {}, 'nothing'],
  ['a resource', aTable('procore', 'weather_logs'), 'add-weather-logs'],
  ['two', { ...aTable('procore', 'tags'), ...aTable('procore', 'labels') }, 'add-tags-and-labels'],
  ['three', { ...aTable('procore', 'a'), ...aTable('procore', 'b'), ...aTable('procore', 'c') }, null],
  ['a table of the mirror', aTable('mirror', 'notes'), null],
  ['a column', aTable('procore', 'rfis', 'id', 'title'), null],
  ['a resource and a column', { ...aTable('procore', 'tags'), ...aTable('procore', 'rfis', 'id', 'title') }, null],
])('what changes: %s', (_, tables, name) => {
  expect(nameOf(tables)).toBe(name);
});

test('a table that goes is a change', () => {
  expect(changedTables(before, { ...before, tables: {} })).toEqual({ resources: [], isMore: true });
});
