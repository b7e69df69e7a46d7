import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { readEnv } from './read-env.ts';

const schema = z.object({
  NAME: z.string().meta({ description: 'Who it is.' }),
  COLOUR: z.enum(['red', 'blue'], { error: 'must be red or blue' }).default('red'),
  KEY: z.string().min(8, 'must have at least 8 characters').meta({ description: 'The key.', file: true, secret: true }),
  NICKNAME: z.string().optional(),
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'read-env-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

async function aFile(content: string): Promise<string> {
  const file = path.join(directory, `${Math.random()}`);
  await writeFile(file, content);
  return file;
}

function problemsOf(env: Record<string, string>, of: z.ZodObject = schema): readonly string[] {
  try {
    readEnv(of, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('no ConfigError');
}

test('unset and blank variables take the default, and values are trimmed', () => {
  expect(readEnv(schema, { NAME: ' Ada ', COLOUR: ' ', KEY: 'k'.repeat(8), NICKNAME: '', OTHER: 'x' })).toEqual({
    NAME: 'Ada',
    COLOUR: 'red',
    KEY: 'kkkkkkkk',
  });
});

test('every problem is listed at once, with the variable and what to do', () => {
  expect(problemsOf({ COLOUR: 'green', KEY: 'short' })).toEqual([
    'NAME is not set: Who it is.',
    'COLOUR: must be red or blue (it is "green")',
    'KEY: must have at least 8 characters',
  ]);
  expect(problemsOf({ NAME: 'Ada' })).toEqual(['KEY is not set (or KEY_FILE): The key.']);
});

test('a variable can come from a file, trimmed', async () => {
  const env = { NAME: 'Ada', KEY: '', KEY_FILE: await aFile('\n from-a-file \n') };
  expect(readEnv(schema, env).KEY).toBe('from-a-file');
});

test('a file that does not exist, is empty, holds a bad value or competes with the variable is a problem', async () => {
  const missing = path.join(directory, 'missing');
  const empty = await aFile('\n');
  expect(problemsOf({ NAME: 'Ada', KEY_FILE: missing })).toEqual([
    `KEY_FILE names ${missing}, which cannot be read (ENOENT)`,
  ]);
  expect(problemsOf({ NAME: 'Ada', KEY_FILE: empty })).toEqual([`KEY_FILE names ${empty}, which is empty`]);
  expect(problemsOf({ NAME: 'Ada', KEY_FILE: await aFile('short') })).toEqual(['KEY: must have at least 8 characters']);
  expect(problemsOf({ NAME: 'Ada', KEY: 'k'.repeat(8), KEY_FILE: empty })).toEqual([
    'KEY and KEY_FILE are both set: set one of them only',
  ]);
});

test('only variables whose schema says so are read from files', async () => {
  expect(problemsOf({ NAME_FILE: await aFile('Ada'), KEY: 'k'.repeat(8) })).toEqual(['NAME is not set: Who it is.']);
});

test('file and secret count through optional, default and partial', async () => {
  const wrapped = z.object({
    KEY: schema.shape.KEY.optional(),
    PAIR: z
      .string()
      .transform((text) => text.split(':'))
      .pipe(z.array(z.string().max(3, 'must be short')).length(2, 'must be two'))
      .meta({ secret: true })
      .optional(),
  });
  expect(readEnv(wrapped.partial(), { KEY_FILE: await aFile('from-a-file') })).toEqual({ KEY: 'from-a-file' });
  expect(problemsOf({ KEY: 'hidden', PAIR: 'ab:hidden' }, wrapped)).toEqual([
    'KEY: must have at least 8 characters',
    'PAIR: entry 2 must be short',
  ]);
});

test('rules over several variables are reported in their own words', () => {
  const together = schema.refine((env) => env.NAME !== env.KEY, 'NAME and KEY must differ');
  expect(problemsOf({ NAME: 'the-same', KEY: 'the-same' }, together)).toEqual(['NAME and KEY must differ']);
});
