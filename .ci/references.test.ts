// What docs and comments point to exists: files, headings, decisions, facts about Procore.
import path from 'node:path';
import { expect, test } from 'vitest';
import { docs, filesOf, read, type Said, show, spansOf, tree } from './documents.ts';

const itself = '.ci/references.test.ts';
const code = filesOf(
  '{apps,e2e,packages,scripts,.ci}/**/*.{ts,mjs,json,sql}',
  '*.{ts,json,yml}',
  '.ci/run',
  'Dockerfile',
  '.env.example',
).filter((file) => file !== itself);

/** What matches in these files; what goes on in the next line of a comment counts as one line. */
function matches(files: readonly string[], pattern: RegExp): Said[] {
  return files.flatMap((file) => {
    const text = read(file).replace(/\n[ \t]*(?:\/\/|\*|#)?[ \t]*/g, ' ');
    return [...text.matchAll(pattern)].map(([whole, part]) => ({ file, text: part ?? whole }));
  });
}

const headingsOf = (file: string) => [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);

/** As GitHub makes it of a heading. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

test('a fact about Procore that code cites stands in docs/procore.md, and each that stands there is cited by code', () => {
  const cited = matches([...code, ...docs], /docs\/procore\.md: ([^).,;:`*]+?) ?[).,;:`*]/g);
  const headings = headingsOf('docs/procore.md').slice(1);
  expect(show(cited.filter(({ text }) => !headings.includes(text)))).toEqual([]);
  const byCode = new Set(cited.filter(({ file }) => code.includes(file)).map(({ text }) => text));
  expect(headings.filter((heading) => !byCode.has(heading))).toEqual([]);
});

test('each statement of docs/procore.md says where it is from, and each source has its address', () => {
  const text = read('docs/procore.md');
  const statements = [...text.matchAll(/^- (.+\n(?: {2}.+\n)*)/gm)].map(([, statement = '']) => statement);
  expect(statements.length).toBeGreaterThan(40);
  const isFrom = /\[.+\]|\b(?:seen|assumed|reference|not documented|not promised)\b/is;
  expect(statements.filter((statement) => !isFrom.test(statement))).toEqual([]);
  const addresses = [...text.matchAll(/^\[(.+?)\]: https:/gm)].map(([, name]) => name);
  const named = [...text.replace(/`[^`]*`/g, '').matchAll(/\[([^\]]+)\](?![(:])/g)].map(([, name = '']) =>
    name.replace('\n  ', ' '),
  );
  expect([...new Set(named)].sort()).toEqual(addresses.toSorted());
});

test('nothing cites what is not in the repository', () => {
  const absent = /\bSOURCES\b|\bfacts\.md\b|\(facts: (?!\w*Facts\b)|\b[Rr]ules? \d+|\b[\w-]+\.tsv\b|\bshared\//g;
  expect(show(matches([...code, ...docs], absent))).toEqual([]);
});

test('links of docs lead to a file, and to a heading of it', () => {
  const links = docs.flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)\s]+)\)/g)].map(([, text = '']) => ({ file, text })),
  );
  const ours = links.filter(({ text }) => !/^[a-z]+:/.test(text));
  expect(ours.length).toBeGreaterThan(30);
  const isDead = ({ file, text }: Said) => {
    const [name = '', anchor] = text.split('#');
    const target = name === '' ? file : path.posix.join(path.posix.dirname(file), name);
    if (!tree.includes(target)) return true;
    return anchor !== undefined && !headingsOf(target).map(anchorOf).includes(anchor);
  };
  expect(show(ours.filter(isDead))).toEqual([]);
});

test('docs, their sections, and decisions that code names exist', () => {
  const named = matches(code, /\bdocs\/[\w./-]+\.md\b/g);
  expect(named.length).toBeGreaterThan(20);
  expect(show(named.filter(({ text }) => !tree.includes(text)))).toEqual([]);
  const sections = matches(code, /\bdocs\/architecture\.md, ([A-Z][\w ]+)/g);
  expect(show(sections.filter(({ text }) => !headingsOf('docs/architecture.md').includes(text)))).toEqual([]);
  const numbers = filesOf('docs/decisions/*.md').map((file) => path.basename(file).slice(0, 3));
  const decisions = matches([...code, ...docs], /\b[Dd]ecision (\d{3})\b/g);
  expect(show(decisions.filter(({ text }) => !numbers.includes(text)))).toEqual([]);
});

test('files and folders that docs name exist', () => {
  /** What a running mirror writes, what an installation brings, and what was decided against. */
  const others = ['receiver.json', 'node_modules/.bin/node', 'dist'];
  const isFile = /^(?:[\w.@-]+\/)*[\w.-]+\.(?:ts|mjs|cjs|json|md|yml|sql)$/;
  const isFolder = /^(?:(?:apps|packages|scripts|migrations|docs|\.ci)\/[\w./-]*|(?:[\w.-]+\/)+)$/;
  const named = docs
    .flatMap(spansOf)
    .filter(({ text }) => (isFile.test(text) || isFolder.test(text)) && !others.includes(text.replace(/\/$/, '')));
  expect(named.length).toBeGreaterThan(50);
  const isThere = ({ text }: Said) => {
    const name = text.replace(/\/$/, '');
    return tree.some((known) => `/${known}/`.includes(`/${name}/`));
  };
  expect(show(named.filter((said) => !isThere(said)))).toEqual([]);
});

test('docs/architecture.md tells what each table for operators holds', () => {
  const schema = read('packages/database/src/schema/schema.ts');
  const tables = [...schema.matchAll(/\bmirror\s*\.(?:table|view)\(\s*'(\w+)'/g)].map(([, name = '']) => name);
  expect(tables.length).toBeGreaterThan(20);
  const section = read('docs/architecture.md').split('## Tables for operators')[1] ?? '';
  const told = [...section.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(tables.filter((name) => !told.includes(name))).toEqual([]);
});
