// `pnpm generate [--name <what-changes>]` writes what follows from the catalogue's entries, from packages/database/src/schema/schema.ts
// and from packages/runtime/src/environment.ts:
//
//   the next migration, if tables change ─▶ migrations/   and only its snapshot, which the next one is compared with
//   what people read                     ─▶ docs/tables.md, .env.example, counts in README.md and docs/architecture.md
//   names of resources that are new      ─▶ resource-names.json; none is taken out of it
//
// Run twice, it changes nothing the second time. Where tables or columns go and others come, drizzle-kit asks which were renamed.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { generateDrizzleJson } from 'drizzle-kit/api';
import { catalogue } from '../packages/catalogue/src/catalogue.ts';
import { tablesDocument } from '../packages/catalogue/src/tables-document.ts';
import { envExample } from '../packages/runtime/src/env-example.ts';
import { changedTables, migrationName } from './migration-name.ts';
import { countedFiles, writeCounts } from './written-counts.ts';

const root = path.resolve(import.meta.dirname, '..');
const meta = path.join(root, 'migrations/meta');
const namesFile = 'packages/catalogue/src/fixtures/resource-names.json';
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const { values } = parseArgs({ options: { name: { type: 'string' } } });
addNames();
write('docs/tables.md', tablesDocument(catalogue));
write('.env.example', envExample());
for (const file of countedFiles) write(file, writeCounts(read(file), catalogue));
if (migrate(values.name)) forgetOlderSnapshots();

function write(file: string, text: string): void {
  if (read(file) === text) return;
  writeFileSync(path.join(root, file), text);
  console.log(`wrote ${file}`);
}

/** Only adds: a name that an entry lost or changed by mistake stays in the list, and a test says so. */
function addNames(): void {
  const names: string[] = JSON.parse(read(namesFile));
  const lacking = catalogue.entries.map(({ resource }) => resource).filter((name) => !names.includes(name));
  if (lacking.length === 0) return;
  console.log(`new names: ${lacking.join(', ')}. Are they spelled as Procore spells them in its events?`);
  write(namesFile, `${JSON.stringify([...names, ...lacking].toSorted(), null, 2)}\n`);
}

/** Has drizzle-kit write the next migration, if there is one; false when it could not. */
function migrate(named: string | undefined): boolean {
  const newest = snapshots().at(-1) ?? '';
  const before = JSON.parse(readFileSync(path.join(meta, newest), 'utf8'));
  const schema = createRequire(import.meta.url)('../migrations/schema.cjs');
  const changed = changedTables(before, generateDrizzleJson(schema, before.id, ['mirror', 'procore']));
  if (changed === null) return true;
  const name = named ?? migrationName(changed);
  if (name === null) return fail('the schema has changed: pnpm generate --name <what-changes>, as in add-due-dates');
  const drizzle = path.join(root, 'node_modules/drizzle-kit/bin.cjs');
  spawnSync(process.execPath, [drizzle, 'generate', '--name', name], { cwd: root, stdio: 'inherit' });
  // Its exit code is 0 whatever happens.
  if (snapshots().at(-1) !== newest) return true;
  return fail('no migration was written; where drizzle-kit has a question, it needs a terminal to ask it in');
}

function fail(why: string): false {
  console.error(why);
  process.exitCode = 2;
  return false;
}

function forgetOlderSnapshots(): void {
  for (const file of snapshots().slice(0, -1)) rmSync(path.join(meta, file));
}

function snapshots(): string[] {
  return readdirSync(meta)
    .filter((file) => file.endsWith('_snapshot.json'))
    .toSorted();
}
