import { describe, expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { isLogModule, isToolOff, type ProjectTool, toolNames } from './tools.ts';

const known = toolNames(catalogue.entries);
const tool = (engineName: string | null, title: string | null, isActive: boolean | null = false): ProjectTool => ({
  ...{ engineName, title, isActive },
});
const isOff = (resource: string, ...tools: ProjectTool[]) => isToolOff(catalogue.get(resource), tools, known);

describe('a resource whose tool is off', () => {
  test.each([
    ['by the name of its engine', 'RFIs', tool('rfi', 'Questions')],
    ['by its title, where the engine has a name that we do not know', 'RFIs', tool('engine_17', 'RFIs')],
    ['by its title alone', 'Submittals', tool(null, 'Submittals')],
    ['in the singular, in capitals, with underscores', 'Punch Items', tool('PUNCH_ITEM', null)],
    ['in one word', 'Change Events', tool('ChangeEvents', null)],
    ['by another name of it', 'Inspection Checklists', tool('checklist_list', 'Quality')],
    ['for every log of the day', 'Weather Logs', tool('daily_log', 'Daily Log')],
  ])('is known %s', (_, resource, told) => {
    expect(isOff(resource, told)).toBe(true);
    expect(isOff(resource, { ...told, isActive: true })).toBe(false);
  });
});

describe('a resource is asked for all the same', () => {
  test.each([
    ['when no tool is told', 'RFIs', []],
    ['when no name fits', 'RFIs', [tool('bananas', 'Bananas')]],
    ['when it is not said whether the tool is on', 'RFIs', [tool('rfi', 'RFIs', null)]],
    ['when one of two that fit is on', 'RFIs', [tool('engine_1', 'RFIs'), tool('rfi', 'Questions', true)]],
    ['when only a part of the name fits', 'Drawings', [tool('drawing_markup', 'Drawing Markup')]],
    ['when another tool bears its title', 'RFIs', [tool('submittal', 'RFIs')]],
    ['when it is one of the company', 'Departments', [tool('directory', 'Directory')]],
    ['when another tool opens it, too', 'Change Order Packages', [tool('change_order', 'Change Orders')]],
  ])('%s', (_, resource, tools) => {
    expect(isOff(resource, ...tools)).toBe(false);
  });
});

test('what several tools open is off when all of them are', () => {
  const tools = [tool('change_order', null), tool('commitment', null), tool('prime_contract', null)];
  expect(isOff('Change Order Packages', ...tools)).toBe(true);
});

test.each([
  ['manpower_log', 'Manpower Logs'],
  ['Manpower', 'Manpower Logs'],
  ['DailyConstructionReportLog', 'Daily Construction Report Logs'],
  ['notes', 'Notes Logs'],
])('the module %s counts %s, and nothing else', (moduleName, resource) => {
  const counted = catalogue.mirrored.filter((entry) => isLogModule(entry, moduleName));
  expect(counted.map((entry) => entry.resource)).toEqual([resource]);
});

test('a module without a name counts nothing', () => {
  expect(catalogue.mirrored.filter((entry) => isLogModule(entry, ' logs '))).toEqual([]);
});
