import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api';
import { expect, test } from 'vitest';

const migrations = new URL('../../../migrations/', import.meta.url);
const readJson = (name: string) => JSON.parse(readFileSync(new URL(name, migrations), 'utf8'));
const journal: { entries: { idx: number; tag: string; when: number }[] } = readJson('meta/_journal.json');

test('the migrations make all tables: another `pnpm migrations:generate` would find nothing to do', async () => {
  const last = journal.entries.at(-1);
  const snapshot = readJson(`meta/${String(last?.idx).padStart(4, '0')}_snapshot.json`);
  const schema = createRequire(import.meta.url)('../../../migrations/schema.cjs');
  const statements = await generateMigration(snapshot, generateDrizzleJson(schema, snapshot.id, ['mirror', 'procore']));
  expect(statements).toEqual([]);
});

test('each migration follows the one before it', () => {
  const snapshots = journal.entries.map(({ idx }) => readJson(`meta/${String(idx).padStart(4, '0')}_snapshot.json`));
  const before = snapshots.map(({ prevId }) => prevId);
  expect(before.slice(1)).toEqual(snapshots.slice(0, -1).map(({ id }) => id));
});
