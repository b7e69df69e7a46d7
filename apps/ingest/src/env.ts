import {
  addEnvSecrets,
  adminEnv,
  databaseEnv,
  ingestEnv,
  logEnv,
  queueEnv,
  readEnv,
  type Secrets,
  webhookEnv,
} from '@procore-mirror/runtime';
import { z } from 'zod';

const schema = z.object({
  ...logEnv,
  ...queueEnv,
  WEBHOOK_AUTHORIZATION: webhookEnv.WEBHOOK_AUTHORIZATION,
  ...ingestEnv,
  ...adminEnv(9464),
});
const schemaWithDatabase = schema.extend(databaseEnv);

/**
 * The receiver's settings; it needs the database only when the queue is there, too. Makes what is secret in them known.
 * Throws a ConfigError with every problem.
 */
export function readIngestEnv(
  env: Record<string, string | undefined>,
  secrets: Secrets,
): z.infer<typeof schema> & { QUEUE_URL: string } {
  const hasQueue = (env.QUEUE_URL ?? '').trim() !== '';
  const { QUEUE_URL, ...rest } = hasQueue ? readEnv(schema, env) : inDatabase(readEnv(schemaWithDatabase, env));
  const settings = { ...rest, QUEUE_URL: QUEUE_URL ?? '' };
  addEnvSecrets(secrets, schema, settings);
  return settings;
}

function inDatabase({ DATABASE_URL, ...rest }: z.infer<typeof schemaWithDatabase>): z.infer<typeof schema> {
  return { ...rest, QUEUE_URL: DATABASE_URL };
}
