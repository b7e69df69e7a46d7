// Tests that run side by side in one file. Vitest guesses whose an `expect.poll` of the global `expect` is, and throws "must be
// called inside a test" once the test that it guesses has ended: so such a file takes `expect` from each test's context.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, sourceFiles } from './imports.ts';

const isConcurrent = (text: string) => /\b(?:test|describe|it)\.concurrent\b/.test(text);
const pollsGlobally = (text: string) =>
  /\bexpect\.poll\(/.test(text) && /import (?:type )?\{[^}]*\bexpect\b[^}]*\} from 'vitest'/.test(text);

test.each([
  [`import { expect, test } from 'vitest';\ntest.concurrent('a', () => expect.poll(b).toBe(1));`, true],
  [`import { test } from 'vitest';\ntest.concurrent('a', ({ expect }) => expect.poll(b).toBe(1));`, false],
  [`import { expect, test } from 'vitest';\ntest.concurrent('a', () => expect(b).toBe(1));`, false],
  [`import { expect, test } from 'vitest';\ntest('a', () => expect.poll(b).toBe(1));`, false],
])('the global expect that polls beside other tests is seen: %s', (text, isWrong) => {
  expect(isConcurrent(text) && pollsGlobally(text)).toBe(isWrong);
});

test('no file with concurrent tests polls by the global expect', () => {
  const texts = sourceFiles.map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));
  const concurrent = texts.filter(({ text }) => isConcurrent(text));
  expect(concurrent.length).toBeGreaterThan(0);
  expect(concurrent.filter(({ text }) => pollsGlobally(text)).map(({ file }) => file)).toEqual([]);
});
