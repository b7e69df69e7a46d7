import { readFileSync } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataDirectory } from './data-directory.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp('/tmp/procore-mirror-data-');
});

afterEach(() => rm(directory, { recursive: true }));

test('what the first start made up, the second remembers', async () => {
  const first = await openDataDirectory(directory);
  await first.remember({ lastAliveAt: 3000 });
  const second = await openDataDirectory(directory);
  expect(second.remembered).toEqual(first.remembered);
  expect(second.remembered.lastAliveAt).toBe(3000);
});

test('files that hold secrets are for their owner only', async () => {
  const data = await openDataDirectory(directory);
  await data.writeStartEnv({ A: '1' });
  for (const name of ['start.json', 'start.env'])
    expect((await stat(path.join(directory, name))).mode & 0o777).toBe(0o600);
});

test('what is written for the commands beside it reads back, quotes and all', async () => {
  const data = await openDataDirectory(directory);
  const env = { PLAIN: 'a b#c', QUOTE: `it's`, BOTH: `"'`, EMPTY: '' };
  await data.writeStartEnv(env);
  expect(parseEnv(readFileSync(path.join(directory, 'start.env'), 'utf8'))).toEqual(env);
});

test('a damaged file is named, not overwritten', async () => {
  await writeFile(path.join(directory, 'start.json'), '{');
  await expect(openDataDirectory(directory)).rejects.toThrow('start.json cannot be read');
});
