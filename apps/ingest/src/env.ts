import {
  addEnvSecrets,
  adminEnv,
  databaseEnv,
  ingestEnv,
  logEnv,
  queueAddress,
  queueEnv,
  readEnv,
  type Secrets,
  webhookEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';

const schema = z.object({
  ...logEnv,
  ...queueEnv,
  ...databaseEnv,
  DATABASE_URL: databaseEnv.DATABASE_URL.optional(),
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION,
  WEBHOOK_URL: webhookEnv.WEBHOOK_URL,
  ...ingestEnv,
  ...adminEnv(9464),
});
const schemaWithDatabase = schema.extend({ DATABASE_URL: databaseEnv.DATABASE_URL });

export type IngestEnv = z.infer<typeof schema> & { queue: { variable: string; url: string } };

/**
 * The receiver's settings; it needs the database only when the queue is there, too. Makes what is secret in them known.
 * Throws a ConfigError with every problem.
 */
export function readIngestEnv(env: Record<string, string | undefined>, secrets: Secrets): IngestEnv {
  const names = ['QUEUE_URL', 'DATABASE_URL_DIRECT'];
  const hasQueue = names.some((name) => (env[name] ?? '').trim() !== '');
  const settings = readEnv(hasQueue ? schema : schemaWithDatabase, env);
  addEnvSecrets(secrets, schema, settings);
  return { ...settings, queue: queueAddress(settings) };
}

/** Throws a ConfigError. */
export function readSpoolDirectory(env: Record<string, string | undefined>): string {
  return readEnv(z.object({ INGEST_SPOOL_DIR: ingestEnv.INGEST_SPOOL_DIR }), env).INGEST_SPOOL_DIR;
}
