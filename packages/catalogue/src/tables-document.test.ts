import { OWN_COLUMNS } from '@procore-mirror/database';
import { expect, test } from 'vitest';
import { catalogue } from './catalogue.ts';
import { tablesDocument } from './tables-document.ts';

test('docs/tables.md is what the catalogue says (after a change: pnpm generate)', async () => {
  await expect(tablesDocument(catalogue)).toMatchFileSnapshot('../../../docs/tables.md');
});

test('docs/tables.md tells of every table, column and resource', () => {
  const text = tablesDocument(catalogue);
  for (const { name, type, meaning } of OWN_COLUMNS) expect(text).toContain(`| \`${name}\` | ${type} | ${meaning} |`);
  for (const { table } of catalogue.mirrored) {
    const section = text.split(`### procore.${table.name}\n`)[1]?.split('\n### ')[0] ?? '';
    for (const { name, type } of table.columns) expect(section).toContain(`| \`${name}\` | ${type} |`);
  }
  for (const { resource, unread } of catalogue.entries.filter(({ table }) => table === null))
    expect(text).toMatch(new RegExp(`\\| ${resource} \\|.*${unread}`));
});
