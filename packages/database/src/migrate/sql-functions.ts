// The mirror's SQL functions, a file each in functions/, under its name. A file says what the function is now; what it was is history.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import type { Database } from '../connection/open-database.ts';

type Queryable = Pick<Database['pool'], 'query'>;

export type SqlFunction = { /** In schema mirror. */ name: string; statement: string };

const FOLDER = fileURLToPath(new URL('functions/', import.meta.url));

/** The functions of this version. */
export function readFunctions(): SqlFunction[] {
  const files = readdirSync(FOLDER).filter((file) => file.endsWith('.sql'));
  return files.toSorted().map((file) => ({
    name: path.basename(file, '.sql'),
    statement: readFileSync(path.join(FOLDER, file), 'utf8'),
  }));
}

/**
 * Makes or replaces those that the database has otherwise or not at all; grants and what depends on them stay. The others are left
 * alone: each function that is replaced has every session plan its statements anew.
 */
export async function arrangeFunctions(client: pg.ClientBase, functions: readonly SqlFunction[]): Promise<void> {
  const lacking = await lackingFunctions(client, functions);
  if (lacking.length === 0) return;
  // One may call another that comes later.
  await client.query('set local check_function_bodies = off');
  for (const { statement } of lacking) await client.query(statement);
  await client.query('set local check_function_bodies = default');
}

/** Those that the database has otherwise or not at all. */
export async function lackingFunctions(
  client: Queryable,
  functions: readonly SqlFunction[],
): Promise<readonly SqlFunction[]> {
  const { rows } = await client.query<{ statement: string }>(
    `select pg_get_functiondef(oid) as statement from pg_proc
      where pronamespace = to_regnamespace('mirror') and prokind = 'f' and proname = any($1)`,
    [functions.map(({ name }) => name)],
  );
  const present = new Set(rows.map(({ statement }) => essence(statement)));
  return functions.filter(({ statement }) => !present.has(essence(statement)));
}

const FUNCTION = /^(?:\s*--[^\n]*\n)*(?<head>.+?)\s+as\s+(?<quote>\$\w*\$)(?<body>.*)\k<quote>/is;

/**
 * What is the same in a file and in what Postgres makes of it: its head in small letters and one line, its body letter for letter.
 * The schema and quotes around names are left out: what the session has set decides whether Postgres shows them (`search_path`,
 * `quote_all_identifiers`).
 */
export function essence(statement: string): string {
  const { head = statement, body = '' } = FUNCTION.exec(statement)?.groups ?? {};
  const line = head.toLowerCase().replace(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')').trim();
  return `${line.replaceAll('"', '').replaceAll('mirror.', '')} ${body}`;
}
