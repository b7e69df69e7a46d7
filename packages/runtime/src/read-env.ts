import { readFileSync } from 'node:fs';
import { withoutPasswords } from '@procore-mirror/address';
import type { z } from 'zod';
import { ConfigError } from './errors.ts';
import { type Variable, variableOf } from './variable.ts';

type Environment = Record<string, string | undefined>;

/**
 * Reads the variables of the schema from `env`. A blank value counts as unset, an unset one takes the schema's default,
 * and where the schema says so `KEY_FILE` may name a file that holds the value. Values are trimmed.
 * Throws a ConfigError that lists every problem at once and never shows the value of a secret.
 */
export function readEnv<S extends z.ZodObject>(schema: S, env: Environment): z.infer<S> {
  const values: Record<string, string> = {};
  const problems = new Map<string, string[]>();
  for (const [key, field] of Object.entries(schema.shape)) {
    const found = findValue(key, variableOf(field), env);
    if (found.problem !== undefined) problems.set(key, [found.problem]);
    else if (found.value !== undefined) values[key] = found.value;
  }
  const parsed = schema.safeParse(values);
  const unreadable = new Set(problems.keys());
  for (const issue of parsed.error?.issues ?? []) {
    const key = String(issue.path[0] ?? '');
    if (unreadable.has(key)) continue;
    const field = schema.shape[key];
    const text = field === undefined ? issue.message : describe(key, variableOf(field), values[key], issue);
    problems.set(key, [...(problems.get(key) ?? []), text]);
  }
  if (!parsed.success || problems.size > 0) throw new ConfigError([...problems.values()].flat());
  return parsed.data;
}

function findValue(key: string, variable: Variable, env: Environment): { value?: string; problem?: string } {
  const value = setValue(env, key);
  const file = variable.file ? setValue(env, `${key}_FILE`) : undefined;
  if (file === undefined) return value === undefined ? {} : { value };
  if (value !== undefined) return { problem: `${key} and ${key}_FILE are both set: set one of them only` };
  try {
    const content = readFileSync(file, 'utf8').trim();
    return content === '' ? { problem: `${key}_FILE names ${file}, which is empty` } : { value: content };
  } catch (error) {
    return { problem: `${key}_FILE names ${file}, which cannot be read (${codeOf(error)})` };
  }
}

function setValue(env: Environment, key: string): string | undefined {
  const value = env[key]?.trim();
  return value === '' ? undefined : value;
}

function describe(key: string, variable: Variable, value: string | undefined, issue: z.core.$ZodIssue): string {
  if (value === undefined) {
    const orFile = variable.file ? ` (or ${key}_FILE)` : '';
    return `${key} is not set${orFile}: ${variable.description || issue.message}`;
  }
  const index = issue.path[1];
  const place = typeof index === 'number' ? `entry ${index + 1} ` : '';
  return `${key}: ${place}${issue.message}${variable.secret ? '' : ` (it is ${JSON.stringify(withoutPasswords(value))})`}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
