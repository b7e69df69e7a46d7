import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import {
  ConfigError,
  companiesEnv,
  databaseEnv,
  ingestEnv,
  mirrorEnv,
  procoreEnv,
  queueEnv,
  webhookEnv,
  workerEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';

export type Env = Record<string, string | undefined>;

export const mirrorSchema = z.object({ ...mirrorEnv });
export const databaseSchema = z.object({ DATABASE_URL: databaseEnv.DATABASE_URL });
export const directSchema = z.object({ DATABASE_URL_DIRECT: databaseEnv.DATABASE_URL_DIRECT });
export const queueSchema = z.object({ ...databaseEnv, ...queueEnv });
export const companiesSchema = z.object({ PROCORE_COMPANY_IDS: procoreEnv.PROCORE_COMPANY_IDS });
export const environmentSchema = z.object({
  PROCORE_ENVIRONMENT: procoreEnv.PROCORE_ENVIRONMENT,
  PROCORE_LOGIN_URL: procoreEnv.PROCORE_LOGIN_URL,
  PROCORE_API_URL: procoreEnv.PROCORE_API_URL,
});
export const selectionSchema = z.object({
  PROCORE_COMPANY_IDS: procoreEnv.PROCORE_COMPANY_IDS,
  MIRROR_PROJECTS: mirrorEnv.MIRROR_PROJECTS,
});
export const hookNamespaceSchema = z.object({ WEBHOOK_NAMESPACE: webhookEnv.WEBHOOK_NAMESPACE });
export const procoreSchema = z.object({ ...procoreEnv });
export const backfillSchema = z.object({ ...queueSchema.shape, ...procoreEnv, ...companiesEnv, ...mirrorEnv });
export const applyHooksSchema = z.object({
  ...queueSchema.shape,
  ...procoreEnv,
  ...companiesEnv,
  ...mirrorEnv,
  ...webhookEnv,
  CHECK_HOOKS_EVERY_MS: workerEnv.CHECK_HOOKS_EVERY_MS,
  WEBHOOK_URL: webhookEnv.WEBHOOK_URL.nonoptional().meta({ description: 'Public https address of the receiver.' }),
});
/** Who only looks may do without the secret: it is not compared then. */
export const hooksSchema = z.object({
  ...applyHooksSchema.shape,
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION.optional(),
});
/** The same for who does without where something is not set. */
export const lookedHooksSchema = z.object({
  WEBHOOK_URL: webhookEnv.WEBHOOK_URL,
  WEBHOOK_NAMESPACE: webhookEnv.WEBHOOK_NAMESPACE,
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION.optional(),
});
export const spoolSchema = z.object({ INGEST_SPOOL_DIR: ingestEnv.INGEST_SPOOL_DIR });
export const upkeepSchema = z.object(workerEnv).pick({
  ...{ CHECK_HOOKS_EVERY_MS: true, REPAIR_EVERY_MS: true, VERIFY_EVERY_MS: true },
});
export const replaySchema = z.object({ ...queueSchema.shape, FETCH_DELAY_MS: workerEnv.FETCH_DELAY_MS });

/**
 * The environment to work with. Where DATABASE_URL is not set, that of the `npm start` of this directory (`startFile`,
 * which it writes) is taken, so that commands just work beside it. Throws a ConfigError when it would mix two Procores.
 */
export function withStarted(env: Env, startFile: string): Env {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  if (set.DATABASE_URL !== undefined || !existsSync(startFile)) return set;
  const started = parseEnv(readFileSync(startFile, 'utf8'));
  if (set.PROCORE_CLIENT_ID !== undefined && set.PROCORE_CLIENT_ID !== started.PROCORE_CLIENT_ID) {
    throw new ConfigError([
      `DATABASE_URL is not set, and the database of \`npm start\` mirrors another Procore than PROCORE_CLIENT_ID names: set DATABASE_URL, or run \`npm start\` again`,
    ]);
  }
  // It belongs to a DATABASE_URL.
  const { DATABASE_URL_DIRECT: _, ...rest } = set;
  return { ...started, ...rest };
}
