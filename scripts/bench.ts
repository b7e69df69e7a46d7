// `pnpm bench <name> [arguments]` runs the one file {apps,packages}/*/bench/<name>.bench.ts.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const files = globSync('{apps,packages}/*/bench/*.bench.ts', { cwd: root }).sort();
const [name, ...args] = process.argv.slice(2);
const found = files.filter((file) => path.basename(file) === `${name}.bench.ts`);

if (found.length === 1) {
  process.exitCode =
    spawnSync(process.execPath, [path.join(root, found[0]!), ...args], { stdio: 'inherit' }).status ?? 1;
} else {
  const what =
    name === undefined ? 'Which one?' : found.length === 0 ? `There is no bench "${name}".` : `"${name}" is several:`;
  console.error(
    [what, ...files.map((file) => `  pnpm bench ${path.basename(file, '.bench.ts')}    ${file}`)].join('\n'),
  );
  if (files.length === 0) console.error('No bench exists yet.');
  process.exitCode = 2;
}
