import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CatalogueEntryInput } from './catalogue-entry.ts';
import { KNOWN_COLUMNS, ourEntries } from './our-entries.ts';

const directory = new URL('entries/', import.meta.url);
const inDirectory = readdirSync(directory);
const named = (ending: string) => inDirectory.filter((file) => file.endsWith(ending));

const entries = await Promise.all(
  named('.ts').map(async (file) => {
    const exported: Record<string, CatalogueEntryInput[]> = await import(new URL(file, directory).href);
    const resources = Object.values(exported).flatMap((list) => list.map(({ resource }) => resource));
    return [file.replace(/\.ts$/, ''), resources] as const;
  }),
);
const columns = named('.columns.json').map((file) => {
  const resources = Object.keys(JSON.parse(readFileSync(new URL(file, directory), 'utf8')));
  return [file.replace(/\.columns\.json$/, ''), resources] as const;
});

test('every file of entries is listed, and every file of columns', () => {
  const sorted = (names: Iterable<string>) => [...names].toSorted();
  expect(sorted(ourEntries.map(({ resource }) => resource))).toEqual(sorted(entries.flatMap(([, names]) => names)));
  expect(sorted(KNOWN_COLUMNS.keys())).toEqual(sorted(columns.flatMap(([, names]) => names)));
});

test('the columns of a resource stand beside its entry', () => {
  const homes = new Map(entries.flatMap(([file, names]) => names.map((name) => [name, file] as const)));
  for (const [file, names] of columns) {
    for (const name of names) expect([name, homes.get(name) ?? file]).toEqual([name, file]);
  }
});
