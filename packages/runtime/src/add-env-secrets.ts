import { passwordsIn, signInOf } from '@procore-mirror/address';
import type { z } from 'zod';
import type { Secrets } from './secrets.ts';
import { variableOf } from './variable.ts';

/**
 * Makes the values of all variables that the schema calls secret known to `secrets`: of a list each entry, of an Authorization value
 * also what follows the scheme; and the passwords of every address, whether its variable is called secret or not.
 */
export function addEnvSecrets<S extends z.ZodObject>(secrets: Secrets, schema: S, env: z.infer<S>): void {
  const values: Record<string, unknown> = env;
  for (const [key, field] of Object.entries(schema.shape)) {
    // An address is as secret as the password in it.
    const isSecret = variableOf(field).secret && !/_URL(_|$)/.test(key);
    for (const value of [values[key]].flat()) {
      if (typeof value === 'string') for (const part of partsOf(value, isSecret)) secrets.add(part);
    }
  }
}

function partsOf(value: string, isSecret: boolean): string[] {
  const passwords = passwordsIn(value);
  if (passwords.length > 0) return [value, signInOf(value), ...passwords];
  if (!isSecret) return [];
  const afterScheme = /^\S+ +(\S.*)$/.exec(value)?.[1];
  return afterScheme === undefined ? [value] : [value, afterScheme];
}
