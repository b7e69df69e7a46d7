import {
  ConfigError,
  companiesEnv,
  databaseEnv,
  ingestEnv,
  logEnv,
  mirrorEnv,
  procoreEnv,
  queueEnv,
  readEnv,
  webhookEnv,
  workerEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';

export type Env = Record<string, string | undefined>;

/** With Procore credentials. What `npm start` supplies may be left out. */
export const realSchema = z.object({
  ...logEnv,
  ...queueEnv,
  ...procoreEnv,
  ...companiesEnv,
  ...ingestEnv,
  ...workerEnv,
  ...mirrorEnv,
  ...webhookEnv,
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION.optional(),
  ...databaseEnv,
  DATABASE_URL: databaseEnv.DATABASE_URL.optional(),
});

/** Without: of what is set only this counts. */
export const simulatedSchema = z.object({
  ...logEnv,
  ...workerEnv,
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION.optional(),
});

export type RealEnv = z.infer<typeof realSchema>;

/** What was asked for: the mirror of a Procore, or, without credentials, of a simulated one. */
export type Wanted = { isReal: true; env: RealEnv } | { isReal: false; env: z.infer<typeof simulatedSchema> };

export function hasCredentials(env: Env): boolean {
  return Boolean(env.PROCORE_CLIENT_ID?.trim());
}

/** Throws a ConfigError that lists every problem. */
export function readWanted(env: Env): Wanted {
  const isReal = hasCredentials(env);
  if (isReal) {
    const known = readEnv(realSchema, env);
    if (known.DATABASE_URL === undefined && known.DATABASE_URL_DIRECT !== undefined)
      throw new ConfigError(['DATABASE_URL_DIRECT is set and DATABASE_URL is not: set both, or DATABASE_URL only']);
    return { isReal, env: known };
  }
  const secret = ['PROCORE_CLIENT_SECRET', 'PROCORE_CLIENT_SECRET_FILE'].find((name) => env[name]?.trim());
  if (secret !== undefined)
    throw new ConfigError([
      `${secret} is set and PROCORE_CLIENT_ID is not: set both, or neither for a simulated Procore`,
    ]);
  return { isReal, env: readEnv(simulatedSchema, env) };
}
