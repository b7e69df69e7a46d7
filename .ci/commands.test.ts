// A command that a document tells people to run exists.
import path from 'node:path';
import { expect, test } from 'vitest';
import { blockLinesOf, docs, filesOf, read, show, spansOf, tree } from './documents.ts';

const {
  scripts,
  devDependencies,
}: Record<'scripts' | 'devDependencies', Record<string, string>> = JSON.parse(read('package.json'));
/** `dead-letters-show` is the command `dead-letters show`. */
const commandFiles = filesOf('apps/cli/src/commands/*.ts').map((file) => path.basename(file, '.ts'));
/** Of the tools themselves; `deploy` is named because it is not usable. */
const ofTools = ['install', 'deploy'];

const isPlaceholder = (word: string) => /^[…<[-]/.test(word);

/** The words after `mirror`. A group alone stands for all of its commands. */
function isMirrorCommand([first = '', second = '']: readonly string[]): boolean {
  if (isPlaceholder(first) || commandFiles.includes(first)) return true;
  const ofGroup = commandFiles.filter((file) => file.startsWith(`${first}-`));
  if (second === '' || isPlaceholder(second)) return ofGroup.length > 0;
  return second.split('|').every((name) => ofGroup.includes(`${first}-${name}`));
}

/** The words after `pnpm` or `npm`. */
function isScript([name = '', ...rest]: readonly string[]): boolean {
  if (isPlaceholder(name) || ofTools.includes(name)) return true;
  if (name === 'exec') return devDependencies[rest[0] ?? ''] !== undefined;
  if (scripts[name] === undefined) return false;
  const [part = ''] = rest;
  if (part === '' || isPlaceholder(part)) return true;
  if (name === 'mirror') return isMirrorCommand(rest);
  if (name === 'bench') return tree.some((file) => file.endsWith(`/bench/${part}.bench.ts`));
  if (name === 'prove') return tree.some((file) => file.endsWith('.prove.ts') && file.includes(part));
  return true;
}

/** Null: it is no command of ours. */
function exists(text: string): boolean | null {
  const script = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:npx )?(?:pnpm|npm)(?: --silent| run)* (\S.*)/.exec(text)?.[1];
  if (script !== undefined) return isScript(script.split(/ +/));
  const words = text.split(/ +/);
  const [first = '', second = ''] = words;
  if (first === 'node' && /\.[mc]?[jt]s$/.test(second)) return tree.includes(second);
  if (first === 'mirror' && words.length > 1) return isMirrorCommand(words.slice(1));
  const isGroup = commandFiles.some((file) => file.startsWith(`${first}-`));
  return words.length > 1 && isGroup ? isMirrorCommand(words) : null;
}

test('commands that documents, .env.example and docker-compose.yml name exist', () => {
  const files = [...docs, '.env.example', 'docker-compose.yml'];
  const said = files.flatMap((file) => [...spansOf(file), ...blockLinesOf(file)]);
  expect(said.filter(({ text }) => exists(text)).length).toBeGreaterThan(60);
  expect(show(said.filter(({ text }) => exists(text) === false))).toEqual([]);
});

test('one that does not exist is noticed', () => {
  for (const text of [
    'hooks rotate-everything',
    'pnpm mirror hooks mend',
    'npm run walk',
    'pnpm prove nothing',
    'events delete',
    'pnpm exec jest',
  ])
    expect(exists(text), text).toBe(false);
  for (const text of ['npm start', 'npx pnpm …', 'pnpm --silent mirror …', 'events list', 'dead-letters show|replay'])
    expect(exists(text), text).toBe(true);
  for (const text of ['status', 'select 1', 'npm', 'mirror.events']) expect(exists(text), text).toBe(null);
});
