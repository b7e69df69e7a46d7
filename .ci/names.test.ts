// Names that the linter has no rule for.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { root, sourceFiles } from './imports.ts';

/** A number, a text, a pattern, a set or a map that a module holds. */
const plainValue =
  /^(?:export )?const (?<name>\w+)(?:: [^=\n]+)? =\s*(?:-?[\d.][\w.]*(?:\s[*+/-]|\sas\s|;)|'|`|"|\/(?![/*])|new (?:Set|Map)\b)/gm;
const product = sourceFiles.filter(
  (file) => file.includes('/src/') && !/\/test-[\w-]+\.ts$|\.(?:test|prove|fixture|contract)\.ts$/.test(file),
);

const misnamedIn = (text: string): string[] =>
  [...text.matchAll(plainValue)]
    .map(({ groups }) => groups?.name ?? '')
    .filter((name) => !/^[A-Z][A-Z\d_]*$/.test(name));

test('a constant is told from a variable', () => {
  const text = `const pauseMs = 3 * 1000;\nconst words = ['a'];\nconst PAUSE_MS = 1;\nconst most = 3 as const;\nexport const shape: RegExp =\n  /a/;\nconst known = new Set(['a']);\nconst add = () => 1;`;
  expect(misnamedIn(text)).toEqual(['pauseMs', 'most', 'shape', 'known']);
});

test('numbers, texts, patterns, sets and maps that a module holds are in capitals', () => {
  const misnamed = product.flatMap((file) =>
    misnamedIn(readFileSync(path.join(root, file), 'utf8')).map((name) => `${file}: ${name}`),
  );
  expect(misnamed).toEqual([]);
});
