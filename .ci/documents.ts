// The texts of this repository, as tests about what they point to see them.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './imports.ts';

/** Something that a file says. */
export type Said = { file: string; text: string };

export const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

/** Paths from the root, with slashes. */
export const filesOf = (...patterns: string[]): string[] =>
  globSync(patterns, { cwd: root, exclude: ['**/node_modules/**', '**/.git/**', '**/.data/**'] })
    .map((file) => file.replaceAll(path.sep, '/'))
    .sort();

export const tree: readonly string[] = filesOf('**', '.*', '.ci/*');
export const docs: readonly string[] = filesOf('README.md', 'docs/**/*.md');

/** What stands in backticks within a line. */
export function spansOf(file: string): Said[] {
  const text = read(file).replace(/^```.*?^```$/gms, '');
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => ({ file, text: span }));
}

/** The lines of blocks of code. */
export const blockLinesOf = (file: string): Said[] =>
  [...read(file).matchAll(/^```.*?\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.split('\n').map((text) => ({ file, text })),
  );

export const show = (said: readonly Said[]): string[] => said.map(({ file, text }) => `${file}: ${text}`);
