import { secretsOf } from '@procore-mirror/address';
import type { z } from 'zod';
import type { Secrets } from './secrets.ts';
import { variableOf } from './variable.ts';

/**
 * Makes the values of all variables that the schema calls secret known to `secrets`: of a list each entry, of an
 * address its password, of an Authorization value also what follows the scheme.
 */
export function addEnvSecrets<S extends z.ZodObject>(secrets: Secrets, schema: S, env: z.infer<S>): void {
  const values: Record<string, unknown> = env;
  for (const [key, field] of Object.entries(schema.shape)) {
    if (!variableOf(field).secret) continue;
    for (const value of [values[key]].flat()) {
      if (typeof value === 'string') for (const part of partsOf(value)) secrets.add(part);
    }
  }
}

function partsOf(value: string): string[] {
  if (/^[a-z+]+:\/\//i.test(value)) return secretsOf(value);
  const afterScheme = /^\S+ +(\S.*)$/.exec(value)?.[1];
  return afterScheme === undefined ? [value] : [value, afterScheme];
}
