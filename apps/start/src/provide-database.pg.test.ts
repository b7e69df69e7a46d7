import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDatabase } from '@procore-mirror/database';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createCrew } from './crew.ts';
import { openDataDirectory } from './data-directory.ts';
import { readWanted } from './env.ts';
import { provideDatabase } from './provide-database.ts';

let directory: string;
let closing: (() => unknown)[];

beforeEach(async () => {
  directory = await mkdtemp('/tmp/procore-mirror-provide-');
  await chmod(directory, 0o755); // root's Postgres is another user
  closing = [];
});

afterEach(async () => {
  for (const close of closing) await close();
  await rm(directory, { recursive: true, force: true });
});

/** Runs a statement on the mirror of a simulated company, as one start after the other finds it. */
async function inOneStart(sql: string): Promise<unknown[]> {
  const data = await openDataDirectory(directory);
  const signal = AbortSignal.timeout(60_000);
  const url = await provideDatabase({
    ...{ wanted: readWanted({}), data, say: () => {} },
    lifetime: { signal, defer: (_name, close) => void closing.push(close) },
    crew: createCrew({ env: {}, data, signal }),
  });
  const database = openDatabase({ url, applicationName: 'test' });
  const { rows } = await database.pool.query(sql);
  await database.close();
  await closing.pop()?.();
  return rows;
}

test('the mirror of a simulated company goes with the company, and stays with it', async () => {
  const company = path.join(directory, 'simulator.ndjson');
  await writeFile(company, 'the state of a company');
  await inOneStart('create table kept ()');
  expect(await inOneStart(`select to_regclass('kept')::text as name`)).toEqual([{ name: 'kept' }]);
  await rm(company);
  expect(await inOneStart(`select to_regclass('kept')::text as name`)).toEqual([{ name: null }]);
});
