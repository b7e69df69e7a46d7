import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { ConfigError } from './errors.ts';
import { followEnv } from './follow-env.ts';
import { createSecrets } from './secrets.ts';

const schema = z.object({
  NAME: z.string(),
  KEY: z.string().min(8, 'must have at least 8 characters').meta({ file: true, secret: true }),
});

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'follow-env-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

async function following(content: string) {
  const file = path.join(directory, `${Math.random()}`);
  await writeFile(file, content);
  const secrets = createSecrets();
  const told: string[] = [];
  let clock = 0;
  const env = followEnv(
    schema,
    { NAME: 'Ada', KEY_FILE: file },
    {
      secrets,
      onChange: (variables) => told.push(`changed: ${variables}`),
      onProblem: (problems) => told.push(`problem: ${problems}`),
      now: () => clock,
    },
  );
  /** What is there ten seconds later. */
  const later = () => {
    clock += 10_000;
    return env();
  };
  return { file, secrets, told, env, later };
}

test('a value whose file changes is there within ten seconds, and known as a secret by then', async () => {
  const { file, secrets, told, env, later } = await following('the-first-key\n');
  expect(env()).toEqual({ NAME: 'Ada', KEY: 'the-first-key' });
  expect(later()).toBe(env());
  await writeFile(file, ' the-second-key\n');
  expect(secrets.redact('the-second-key')).toBe('the-second-key');
  expect(later()).toEqual({ NAME: 'Ada', KEY: 'the-second-key' });
  expect(secrets.redact('the-first-key the-second-key')).toBe('[redacted] [redacted]');
  expect(told).toEqual(['changed: KEY']);
});

test('a file is not read with each question', async () => {
  const { file, env } = await following('the-first-key');
  await writeFile(file, 'the-second-key');
  for (let question = 0; question < 10; question++) expect(env().KEY).toBe('the-first-key');
});

test('while the file is gone, empty or holds a bad value, the last good value stays, and it is told once', async () => {
  const { file, told, later } = await following('the-first-key');
  await rm(file);
  for (let question = 0; question < 5; question++) expect(later().KEY).toBe('the-first-key');
  await writeFile(file, '\n');
  for (let question = 0; question < 5; question++) expect(later().KEY).toBe('the-first-key');
  await writeFile(file, 'short');
  expect(later().KEY).toBe('the-first-key');
  await writeFile(file, 'the-second-key');
  expect(later().KEY).toBe('the-second-key');
  await rm(file);
  expect(later().KEY).toBe('the-second-key');
  expect(told).toEqual([
    `problem: KEY_FILE names ${file}, which cannot be read (ENOENT)`,
    `problem: KEY_FILE names ${file}, which is empty`,
    'problem: KEY: must have at least 8 characters',
    'changed: KEY',
    `problem: KEY_FILE names ${file}, which cannot be read (ENOENT)`,
  ]);
});

test('what is wrong from the start is the same as in readEnv', async () => {
  await expect(following('short')).rejects.toThrow(ConfigError);
});

test('however many tokens go by, a value that is still in use stays a secret', async () => {
  const { file, secrets, later } = await following('the-first-key');
  for (let number = 0; number < 100; number++) secrets.add(`token-number-${number}`);
  await writeFile(file, 'the-second-key');
  for (let number = 100; number < 1_000; number++) {
    later();
    secrets.add(`token-number-${number}`);
    expect(secrets.redact('the-second-key')).toBe('[redacted]');
  }
});
