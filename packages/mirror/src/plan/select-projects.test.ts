import { expect, test } from 'vitest';
import { type ProjectListing, selectProjects, type WantedProjects } from './select-projects.ts';

const known = (...ids: string[]) => ids.map((projectId) => ({ projectId, isSelected: true }));
const listing = (ids: readonly string[], more: Partial<ProjectListing> = {}): ProjectListing => ({
  projects: ids.map((id) => ({ id, name: null, isActive: true })),
  gone: new Set(),
  ...more,
});

test.each<[string, ReturnType<typeof known>, ProjectListing, WantedProjects, string[]]>([
  ['all active ones', [], listing(['1', '2']), 'active', ['1', '2']],
  ['those that are wanted', [], listing(['1', '2']), ['2', '9'], ['2']],
  ['no inactive one', [], { ...listing([]), projects: [{ id: '1', name: 'A', isActive: false }] }, ['1'], []],
  ['one that is missing in doubt', known('1', '2'), listing(['1']), 'active', ['1', '2']],
  ['none that is gone', known('1', '2'), listing(['1'], { gone: new Set(['2']) }), 'active', ['1']],
  ['none that is not wanted any more, missing or not', known('1', '2', '3'), listing(['1', '3']), ['3'], ['3']],
])('selects %s', (_, before, listed, wanted, selected) => {
  const choices = selectProjects(before, listed, wanted).filter(({ isSelected }) => isSelected);
  expect(choices.map(({ projectId }) => projectId)).toEqual(selected);
});

test('one that was not selected and is not listed stays as it is', () => {
  expect(selectProjects([{ projectId: '1', isSelected: false }], listing([]), 'active')).toEqual([]);
});
