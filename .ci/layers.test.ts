// The layout is the architecture: dependencies point down, and each is declared where it is used.
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import { type Import, importsOf, root, sourceFiles } from './imports.ts';

const scope = '@procore-mirror/';

/** What each package may import of ours. Apps may import every package, and nothing may import an app. */
const below: Record<string, readonly string[]> = {
  address: [],
  auth: [],
  calls: ['auth', 'database', 'procore'],
  catalogue: ['database'],
  database: ['address'],
  embedded: [],
  mirror: ['catalogue', 'database', 'procore'],
  procore: [],
  queue: ['address'],
  runtime: ['address'],
  testing: ['embedded'],
};
const packages = Object.keys(below);

/** What each folder of `mirror/src` may import of the others; the files at its top may import all of them. */
const rooms: Record<string, readonly string[]> = {
  schedule: [],
  plan: [],
  judge: ['plan'],
  run: ['plan'],
  ask: ['plan', 'run'],
  store: ['plan', 'run', 'ask'],
  fetch: ['plan', 'run', 'ask', 'store'],
  compare: ['plan', 'run', 'ask', 'store'],
};
/** What all of them may import. */
const ofAll = ['errors.ts'];
const shared = packages.filter((name) => name !== 'testing');

type Manifest = { dependencies?: Record<string, string>; devDependencies?: Record<string, string> };

const imports = sourceFiles.flatMap((file) => importsOf(file));

/** The workspace that a file is of. */
const homeOf = (file: string) => (file.startsWith('e2e/') ? 'e2e' : file.split(path.sep).slice(0, 2).join('/'));
const nameOf = (file: string) => file.split(path.sep)[1] ?? '';
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const isRelative = ({ specifier }: Import) => specifier.startsWith('.');
const target = ({ file, specifier }: Import) => path.join(path.dirname(file), specifier);
// What `main.ts` and `index.ts` lead to is the product; all else is there for tests.
const product = reachableFrom(sourceFiles.filter((file) => /^[^/]+\/[^/]+\/src\/(main|index)\.ts$/.test(file)));
const isTest = (file: string) => !product.has(file) || file.startsWith('packages/testing/');
const manifest = (home: string): Manifest => JSON.parse(readFileSync(path.join(root, home, 'package.json'), 'utf8'));
const show = (found: Import[]) => found.map(({ file, specifier }) => `${file} imports ${specifier}`);

function reachableFrom(entries: readonly string[]): Set<string> {
  const byFile = Map.groupBy(imports, ({ file }) => file);
  const reached = new Set<string>();
  const queue = [...entries];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    queue.push(...(byFile.get(file) ?? []).filter(isRelative).map(target));
  }
  return reached;
}

function allowedFor(file: string): readonly string[] {
  if (isTest(file)) return packages;
  return file.startsWith('apps/') ? shared : (below[nameOf(file)] ?? []);
}

test('there are imports to look at, of every kind, in the product and in tests', () => {
  expect(imports.length).toBeGreaterThan(100);
  expect(sourceFiles.filter(isTest).length).toBeGreaterThan(20);
  expect(product.size).toBeGreaterThan(50);
  const text = `import a, {\n  b,\n} from './ab.ts';\nimport './c.ts';\nimport type { D } from "d";\nexport { e } from './e.ts';\nawait import('f');`;
  expect(importsOf('x.ts', text).map(({ specifier, isType }) => [specifier, isType])).toEqual([
    ['./ab.ts', false],
    ['./c.ts', false],
    ['d', true],
    ['./e.ts', false],
    ['f', false],
  ]);
});

test('every package has its place in the layers', () => {
  const found = new Set(sourceFiles.filter((file) => file.startsWith('packages/')).map(nameOf));
  expect([...found].sort()).toEqual(packages);
});

test('dependencies point down: leaves import none of ours but address, mirror imports catalogue, procore and database, nothing imports an app', () => {
  const wrong = imports.filter(
    ({ file, specifier }) =>
      specifier.startsWith(scope) && !allowedFor(file).includes(packageOf(specifier).slice(scope.length)),
  );
  expect(show(wrong)).toEqual([]);
});

test('what a package.json declares of ours points down as well', () => {
  const homes = [...new Set(sourceFiles.map(homeOf))];
  const wrong = homes.flatMap((home) =>
    Object.keys(manifest(home).dependencies ?? {})
      .filter((name) => name.startsWith(scope))
      .filter((name) => !allowedFor(`${home}/src/x.ts`).includes(name.slice(scope.length)))
      .map((name) => `${home} depends on ${name}`),
  );
  expect(wrong).toEqual([]);
});

test('another package is reached by its name, never by a path, and by the product only through its index.ts', () => {
  const wrong = imports.filter(
    (found) =>
      (isRelative(found) && homeOf(target(found)) !== homeOf(found.file)) ||
      (found.specifier.startsWith(scope) && packageOf(found.specifier) !== found.specifier && !isTest(found.file)),
  );
  expect(show(wrong)).toEqual([]);
});

test('nothing but tests imports the index.ts of its own package, by path or by name', () => {
  const wrong = imports.filter(
    (found) =>
      !isTest(found.file) &&
      ((isRelative(found) && target(found) === path.join(homeOf(found.file), 'src/index.ts')) ||
        found.specifier === `${scope}${nameOf(found.file)}`),
  );
  expect(show(wrong)).toEqual([]);
});

test('the heart has rooms: a folder imports only those below it, and the conductors at the top stand on all', () => {
  const top = 'packages/mirror/src/';
  const roomOf = (file: string) => path.relative(top, file).split(path.sep)[0] ?? '';
  const inRooms = imports.filter(({ file }) => file.startsWith(top) && roomOf(file) in rooms && !isTest(file));
  expect(new Set(inRooms.map(({ file }) => roomOf(file)))).toEqual(new Set(Object.keys(rooms)));
  const wrong = inRooms.filter((found) => {
    if (!isRelative(found)) return false;
    const [own, other] = [roomOf(found.file), roomOf(target(found))];
    return other !== own && !ofAll.includes(other) && !rooms[own]?.includes(other);
  });
  expect(show(wrong)).toEqual([]);
  const impure = inRooms.filter(
    ({ file, specifier, isType }) =>
      ['plan', 'judge'].includes(roomOf(file)) && specifier === `${scope}database` && !isType,
  );
  expect(show(impure)).toEqual([]);
});

test('no file imports itself by way of others, not for a type either', () => {
  const next = Map.groupBy(
    imports.filter((found) => isRelative(found)),
    ({ file }) => file,
  );
  const settled = new Set<string>();
  const cycles: string[] = [];
  const visit = (file: string, trail: readonly string[]) => {
    if (trail.includes(file)) cycles.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    else if (!settled.has(file)) for (const found of next.get(file) ?? []) visit(target(found), [...trail, file]);
    settled.add(file);
  };
  for (const file of sourceFiles) visit(file, []);
  expect(cycles).toEqual([]);
});

test('every imported package is declared where it is used; tests may also use what the root declares', () => {
  const forTests = Object.keys(manifest('.').devDependencies ?? {});
  const wrong = imports.filter((found) => {
    if (isRelative(found) || isBuiltin(found.specifier)) return false;
    const { dependencies = {}, devDependencies = {} } = manifest(homeOf(found.file));
    const declared = Object.keys(dependencies).concat(
      isTest(found.file) ? [...Object.keys(devDependencies), ...forTests] : [],
    );
    return !declared.includes(packageOf(found.specifier));
  });
  expect(show(wrong)).toEqual([]);
});
