// Every import of every source file, as the layers test sees it.
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.resolve(import.meta.dirname, '..');

export type Import = { file: string; specifier: string; isType: boolean };

const statement = /^\s*(?:import|export)\s+(?<type>type\s)?(?:[^'";=()]*?\sfrom\s+)?['"](?<specifier>[^'"\n]+)['"]/gm;
const call = /\bimport\(\s*['"](?<specifier>[^'"\n]+)['"]/g;

export const sourceFiles: readonly string[] = globSync(['apps/**/*.ts', 'e2e/**/*.ts', 'packages/**/*.ts'], {
  cwd: root,
  exclude: ['**/node_modules/**'],
}).sort();

/** The imports written in a source text; those in comments and strings that look like code count, too. */
export function importsOf(file: string, text = readFileSync(path.join(root, file), 'utf8')): Import[] {
  return [...text.matchAll(statement), ...text.matchAll(call)].map(({ groups }) => ({
    file,
    specifier: groups?.specifier ?? '',
    isType: groups?.type !== undefined,
  }));
}
