import type { Database } from '@procore-mirror/database';
import { readRedis } from '@procore-mirror/testing';
import { expect } from 'vitest';
import type { Mirror } from './start-mirror.ts';

/**
 * Looks for the client secret, every token that was ever issued and the webhook secret in all that was written: what the
 * processes printed, every table of ours, the queue.
 */
export async function expectNoSecretWritten({
  database,
  queueUrl,
  system,
}: Pick<Mirror, 'database' | 'queueUrl' | 'system'>): Promise<void> {
  const { tokens } = await system.control<{ tokens: string[] }>('GET', '/control/tokens');
  expect(tokens.length).toBeGreaterThan(1);
  const { clientSecret, authorization } = system.secrets;
  const secrets = [clientSecret, authorization.replace('Bearer ', ''), ...tokens];
  const written: Record<string, string> = {
    'the output of the processes': system.output(),
    ...(queueUrl.startsWith('redis:') ? { 'the queue in Redis': await readRedis(queueUrl) } : {}),
    ...(await readTables(database)),
  };
  for (const [place, text] of Object.entries(written)) {
    expect(secrets.filter((secret) => text.includes(secret)).length, `secrets in ${place}`).toBe(0);
  }
  expect(Object.keys(written).length).toBeGreaterThan(20);
}

async function readTables(database: Database): Promise<Record<string, string>> {
  const { rows } = await database.pool.query<{ name: string }>(
    `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema in ('mirror', 'procore', 'bullmq') and table_type = 'BASE TABLE'`,
  );
  const texts: Record<string, string> = {};
  for (const { name } of rows) {
    const { rows: lines } = await database.pool.query<{ line: string }>(`select t::text as line from ${name} t`);
    texts[`table ${name}`] = lines.map(({ line }) => line).join('\n');
  }
  return texts;
}
