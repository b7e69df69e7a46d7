import { expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { chooseResources } from './choose-resources.ts';

test('nothing chosen is all, and names count in any case', () => {
  expect(chooseResources(catalogue, undefined)).toBeNull();
  expect(chooseResources(catalogue, ['rfis', 'Daily Log/Entries'])).toEqual(['rfis', 'Daily Log/Entries']);
});

test('every unknown name is told at once, with the nearest that there is', () => {
  const choose = () => chooseResources(catalogue, ['RFI', 'RFIs', 'Submitals', 'Purchase Order', 'zzzzzzzzzz', '']);
  expect(choose).toThrow(
    expect.objectContaining({
      name: 'CatalogueError',
      problems: [
        'there is no resource "RFI", did you mean "RFIs"?',
        'there is no resource "Submitals", did you mean "Submittals"?',
        expect.stringContaining('"Purchase Order"'),
        'there is no resource "zzzzzzzzzz"; docs/tables.md lists all',
        'there is no resource ""; docs/tables.md lists all',
      ],
    }),
  );
});
