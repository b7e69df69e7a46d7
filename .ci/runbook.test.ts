// Each finding that the code can make has its heading in the runbook.
import { expect, test } from 'vitest';
import { filesOf, read, show } from './documents.ts';

const sources = filesOf('{apps,packages}/*/src/**/*.ts').filter(
  (file) => !file.endsWith('.test.ts') && /\b(Finding|Judged|Found)\b/.test(read(file)),
);
const codes = sources.flatMap((file) =>
  [...read(file).matchAll(/\bcode: '([a-z]+(?:-[a-z]+)*)'/g)].map(([, text = '']) => ({ file, text })),
);
const headings = [...read('docs/runbook.md').matchAll(/^### `(.+)`$/gm)].map(([, code = '']) => code);

test('each code of a finding has a heading in docs/runbook.md', () => {
  expect(codes.length).toBeGreaterThan(25);
  expect(show(codes.filter(({ text }) => !headings.includes(text)))).toEqual([]);
});

test('each heading there is the code of a finding, once', () => {
  expect(headings.filter((heading) => !codes.some(({ text }) => text === heading))).toEqual([]);
  expect(headings.filter((heading, index) => headings.indexOf(heading) !== index)).toEqual([]);
});
