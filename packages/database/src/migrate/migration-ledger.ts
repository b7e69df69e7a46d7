// Which migrations a database has seen: mirror.migrations, by the hash of their text, so that it does not matter in
// which order they were written on which branch.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { z } from 'zod';
import type { Queryable } from '../connection/queryable.ts';

import type { SqlFunction } from './sql-functions.ts';

export type Migration = { name: string; hash: string; statements: readonly string[] };

export type Ledger = {
  /** Ours that the database has not seen, in their order. */
  missing: readonly Migration[];
  /** Names of those it has seen and we do not know. */
  foreign: readonly string[];
};

const FOLDER = fileURLToPath(new URL('../../../../migrations', import.meta.url));

const journal = z.object({ entries: z.array(z.object({ tag: z.string() })) });

/** The migrations of this version, in their order. */
export function readMigrations(): Migration[] {
  const { entries } = journal.parse(JSON.parse(readFileSync(path.join(FOLDER, 'meta', '_journal.json'), 'utf8')));
  return readMigrationFiles({ migrationsFolder: FOLDER }).map(({ hash, sql }, index) => ({
    name: entries[index]?.tag ?? hash,
    hash,
    statements: sql,
  }));
}

const MAKES =
  /\bcreate\s+(?:or\s+replace\s+)?(?:table|view|sequence|type|function|procedure)\s+(?:if\s+not\s+exists\s+)?"?mirror"?\."?(\w+)"?/gi;

/** Names in schema mirror of what is ours: what these migrations make, and these functions. What else is there is somebody else's. */
export function namesOfOurs(migrations: readonly Migration[], functions: readonly SqlFunction[]): string[] {
  const text = migrations.flatMap(({ statements }) => statements).join('\n');
  const made = [...text.matchAll(MAKES)].map(([, name = '']) => name);
  return [
    ...new Set(['migrations', 'freshness', 'holdings', 'evidence', ...made, ...functions.map(({ name }) => name)]),
  ];
}

/** Compares the database with these migrations. A database without a ledger has seen none. */
export async function readLedger(client: Queryable, ours: readonly Migration[] = readMigrations()): Promise<Ledger> {
  const { rows: found } = await client.query(`select to_regclass('mirror.migrations') is not null as exists`);
  if (!found[0]?.exists) return { missing: ours, foreign: [] };
  const { rows } = await client.query<{ name: string; hash: string }>(
    'select name, hash from mirror.migrations order by id',
  );
  const seen = new Set(rows.map(({ hash }) => hash));
  const known = new Set(ours.map(({ hash }) => hash));
  return {
    missing: ours.filter(({ hash }) => !seen.has(hash)),
    foreign: rows.filter(({ hash }) => !known.has(hash)).map(({ name }) => name),
  };
}
