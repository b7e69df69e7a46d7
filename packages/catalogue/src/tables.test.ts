import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { expect, test } from 'vitest';

const migrations = new URL('../../../migrations/', import.meta.url);
const readJson = (name: string) => JSON.parse(readFileSync(new URL(name, migrations), 'utf8'));
const journal: { entries: { idx: number; tag: string; when: number }[] } = readJson('meta/_journal.json');

const numbered = (index: number | undefined) => String(index).padStart(4, '0');

test('the migrations make all tables: another `pnpm generate` would find nothing to do', async () => {
  const last = journal.entries.at(-1);
  const snapshot = readJson(`meta/${numbered(last?.idx)}_snapshot.json`);
  const schema = createRequire(import.meta.url)('../../../migrations/schema.cjs');
  const statements = await generateMigration(snapshot, generateDrizzleJson(schema, snapshot.id, ['mirror', 'procore']));
  expect(statements).toEqual([]);
});

test('every migration is in the journal, in the order of its number', () => {
  const files = readdirSync(migrations).filter((name) => name.endsWith('.sql'));
  expect(files.toSorted()).toEqual(journal.entries.map(({ tag }) => `${tag}.sql`));
  expect(journal.entries.map(({ idx, tag }) => [idx, tag.slice(0, 5)])).toEqual(
    journal.entries.map((_, index) => [index, `${numbered(index)}_`]),
  );
});

test('the snapshot is that of the newest migration, and the only one (after a change: pnpm generate)', () => {
  const files = readdirSync(new URL('meta/', migrations));
  expect(files.toSorted()).toEqual([`${numbered(journal.entries.length - 1)}_snapshot.json`, '_journal.json']);
});
