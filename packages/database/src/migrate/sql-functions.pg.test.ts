import type { TestDatabase } from '@procore-mirror/testing';
import { afterEach, describe, expect, test } from 'vitest';
import { openDatabase } from '../connection/open-database.ts';
import { createMigratedDatabase } from '../testing/migrated-database.ts';
import { checkDatabase } from './check-database.ts';
import { migrateDatabase } from './migrate-database.ts';
import { essence, readFunctions } from './sql-functions.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function aMirror(version?: 'postgres18' | 'postgres15'): Promise<TestDatabase> {
  const server = await createMigratedDatabase([], version);
  closing.push(server.drop);
  return server;
}

async function check(url: string): Promise<void> {
  const database = openDatabase({ url, applicationName: 'test' });
  await checkDatabase(database).finally(() => database.close());
}

describe.each(['postgres18', 'postgres15'] as const)('on %s', (version) => {
  test('every function is in the file of its name, and every file is a function', async () => {
    const { pool } = await aMirror(version);
    for (const setting of ['search_path = public', 'search_path = mirror, procore', 'quote_all_identifiers = on']) {
      const client = await pool.connect();
      await client.query(`set ${setting}`);
      const { rows } = await client.query<{ name: string; statement: string }>(
        `select proname as name, pg_get_functiondef(oid) as statement from pg_proc
          where pronamespace in ('mirror'::regnamespace, 'procore'::regnamespace) order by proname, oid`,
      );
      client.release(true);
      const said = ({ name, statement }: { name: string; statement: string }) => [name, essence(statement)];
      expect(rows.map(said), setting).toEqual(readFunctions().map(said));
    }
  });
});

test('layout and case of its head are a matter of taste, its body and what its head says are not', () => {
  const file =
    '-- What for.\ncreate or replace function mirror.one(\n  a text, b text\n) returns text stable as $$ A $$;\n';
  const shown =
    'CREATE OR REPLACE FUNCTION mirror.one(a text, b text)\n RETURNS text\n STABLE\nAS $function$ A $function$\n';
  expect(essence(file)).toBe(essence(shown));
  expect(essence(file)).not.toBe(essence(shown.replace(' A ', ' a ')));
  expect(essence(file)).not.toBe(essence(shown.replace('STABLE', 'VOLATILE')));
  expect(essence(file)).not.toBe(essence(shown.replace('b text', 'b text, c text')));
});

test('functions may call others whose files come later; who may call one that is replaced may so afterwards', async () => {
  const { pool, url } = await aMirror();
  const calls = (name: string, what: string) => ({
    name,
    statement: `create or replace function mirror.${name}() returns integer language sql as $$ select ${what} $$`,
  });
  const migrate = (...functions: { name: string; statement: string }[]) =>
    migrateDatabase({ url, tables: [], functions: [...readFunctions(), ...functions] });
  const result = async () => (await pool.query('select mirror.a_first() as result')).rows[0].result;
  await migrate(calls('a_first', 'mirror.z_last()'), calls('z_last', '1'));
  expect(await result()).toBe(1);
  await pool.query('grant execute on function mirror.z_last to procore_reader');
  await migrate(calls('a_first', 'mirror.z_last()'), calls('z_last', '2'));
  expect(await result()).toBe(2);
  const { rows } = await pool.query(
    `select has_function_privilege('procore_reader', 'mirror.z_last()', 'execute') as last,
      has_function_privilege('procore_reader', 'mirror.a_first()', 'execute') as first`,
  );
  expect(rows).toEqual([{ last: true, first: false }]);
});

test.each([
  ['lacks a function', 'drop function mirror.windows_of'],
  ['has a function of another version', 'alter function mirror.windows_of volatile'],
])('a process does not start on a database that %s, and runs once it was migrated', async (_, change) => {
  const { pool, url } = await aMirror();
  await pool.query(change);
  await expect(check(url)).rejects.toThrow(/mirror\.windows_of .*pnpm mirror migrate/);
  await migrateDatabase({ url, tables: [] });
  await check(url);
});
