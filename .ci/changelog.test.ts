// The changelog is how an operator learns what a version asks of them.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root } from './imports.ts';

const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const versionOf = (file: string): unknown => JSON.parse(read(file)).version;
const version = String(versionOf('package.json'));
const sections = read('docs/changelog.md').split(/^## /m).slice(1);
const titles = sections.map((section) => section.split('\n', 1)[0] ?? '');

test('every package has the version of the whole', () => {
  const files = globSync('{e2e,{apps,packages}/*}/package.json', { cwd: root });
  expect(files.length).toBeGreaterThan(10);
  expect(files.filter((file) => versionOf(file) !== version)).toEqual([]);
});

test('the changelog tells of this version, with its date, below what comes next', () => {
  expect(titles[0]).toBe('[Unreleased]');
  expect(titles[1]).toMatch(new RegExp(`^\\[${version.replaceAll('.', '\\.')}\\] - \\d{4}-\\d\\d-\\d\\d$`));
});

test('versions and their dates fall from one to the next', () => {
  const released = titles
    .slice(1)
    .map((title) => /^\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)$/.exec(title)?.slice(1));
  expect(released).not.toContain(undefined);
  const numbers = released.map((parts = []) =>
    parts
      .slice(0, 3)
      .map((part) => part.padStart(5, '0'))
      .join('.'),
  );
  const dates = released.map((parts = []) => parts[3] ?? '');
  expect(numbers).toEqual(numbers.toSorted().toReversed());
  expect(dates).toEqual(dates.toSorted().toReversed());
  expect(new Set(numbers).size).toBe(numbers.length);
});

test('after the first, each version begins with the steps of an upgrade', () => {
  for (const section of sections.slice(1, -1))
    expect(section.split('\n').find((line) => line.startsWith('### '))).toBe('### To upgrade');
});
