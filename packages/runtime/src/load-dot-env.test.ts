import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { loadDotEnv } from './load-dot-env.ts';

const names = ['LOAD_DOT_ENV_ONE', 'LOAD_DOT_ENV_TWO'] as const;
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'dot-env-'));
});
afterEach(async () => {
  for (const name of names) delete process.env[name];
  await rm(directory, { recursive: true });
});

test('variables of .env are added, and the real environment wins', async () => {
  await writeFile(path.join(directory, '.env'), 'LOAD_DOT_ENV_ONE=file\nLOAD_DOT_ENV_TWO="file two" # comment\n');
  process.env.LOAD_DOT_ENV_ONE = 'real';
  loadDotEnv(directory);
  expect(names.map((name) => process.env[name])).toEqual(['real', 'file two']);
});

test('no .env is fine', () => {
  expect(() => loadDotEnv(directory)).not.toThrow();
});

test('a .env that cannot be read is wrong configuration', async () => {
  await mkdir(path.join(directory, '.env'));
  expect(() => loadDotEnv(directory)).toThrow(ConfigError);
});
